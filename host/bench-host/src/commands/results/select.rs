//! Which runs and cells of the history are wanted.

use super::ResultsArgs;
use crate::fingerprint::fingerprint;
use anyhow::Context;
use bench_model::{Arguments, Kind, Value};
use bench_report::RunEntry;
use globset::{Glob, GlobMatcher};

/// The conditions that the options state.
#[derive(Debug)]
pub(super) struct Filter {
    /// Any of these, if there are some.
    revisions: Vec<String>,
    branches: Vec<String>,
    scenario: Option<GlobMatcher>,
    /// One of the values of each parameter.
    parameters: Vec<(String, Vec<String>)>,
    machine: Option<String>,
}

impl Filter {
    pub(super) fn new(arguments: &ResultsArgs) -> anyhow::Result<Self> {
        let matcher = |glob: &String| {
            let glob = Glob::new(glob).with_context(|| format!("`{glob}` is not a valid pattern of scenarios"))?;
            anyhow::Ok(glob.compile_matcher())
        };
        Ok(Self {
            revisions: arguments.sha.clone(),
            branches: arguments.branch.clone(),
            scenario: arguments.trend.as_ref().or(arguments.scenario.as_ref()).map(matcher).transpose()?,
            parameters: [&arguments.parameters[..], &arguments.families.0.parameters[..]].concat(),
            machine: arguments.machine.as_ref().map(|machine| match machine.as_str() {
                "this" => this_machine(arguments),
                other => other.to_owned(),
            }),
        })
    }

    /// The run with the cells that are wanted; `None` if it has none of them, or is itself not wanted.
    pub(super) fn narrowed(&self, mut run: RunEntry) -> Option<RunEntry> {
        if !self.is_of_machine(&run) || !is_any(&self.revisions, |sha| has_revision(&run, sha)) {
            return None;
        }
        if !is_any(&self.branches, |branch| run.branch() == Some(branch)) {
            return None;
        }
        let is_everything = self.scenario.is_none() && self.parameters.is_empty();
        run.cells.retain(|cell| self.has_cell(&cell.scenario, &cell.arguments));
        (is_everything || !run.cells.is_empty()).then_some(run)
    }

    /// Whether a cell of `scenario` with `arguments` is wanted.
    pub(super) fn has_cell(&self, scenario: &str, arguments: &Arguments) -> bool {
        let is_named = self.scenario.as_ref().is_none_or(|glob| {
            let (module, name) = scenario.split_once('/').unwrap_or((scenario, scenario));
            [scenario, module, name].iter().any(|name| glob.is_match(name))
        });
        let has_value = |name: &str, value: &String| arguments.get(name).is_some_and(|found| is_value(found, value));
        is_named && self.parameters.iter().all(|(name, values)| values.iter().any(|value| has_value(name, value)))
    }

    fn is_of_machine(&self, run: &RunEntry) -> bool {
        self.machine.as_ref().is_none_or(|wanted| {
            let model = run.fingerprint.cpu_model.as_deref().unwrap_or_default().to_lowercase();
            run.machine().starts_with(wanted.as_str()) || model.contains(&wanted.to_lowercase())
        })
    }
}

/// Whether the run was made at the revision whose digits begin with `sha`.
pub(super) fn has_revision(run: &RunEntry, sha: &str) -> bool {
    !sha.is_empty() && run.revision().is_some_and(|revision| revision.starts_with(&sha.to_lowercase()))
}

fn is_any(wanted: &[String], is_it: impl Fn(&str) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(|one| is_it(one))
}

/// Whether `text` is `value` as the command line writes it: `1Ki` is 1024.
fn is_value(value: &Value, text: &str) -> bool {
    let kind = match value {
        Value::Flag(_) => Kind::Flag,
        Value::Integer(_) => Kind::Integer,
        Value::Decimal(_) => Kind::Decimal,
        Value::Text(_) => Kind::Text,
    };
    Value::parse(kind, text).is_ok_and(|parsed| parsed == *value)
}

fn this_machine(arguments: &ResultsArgs) -> String {
    let entry = RunEntry {
        id: String::new(),
        started: String::new(),
        stopped: None,
        has_no_end: false,
        fingerprint: fingerprint(&arguments.out),
        command: Vec::new(),
        rooflines: Vec::new(),
        machines: Vec::new(),
        cells: Vec::new(),
    };
    entry.machine()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(scenario: Option<&str>, parameters: &[(&str, &str)]) -> Filter {
        let parameter = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![(*value).to_owned()]);
        Filter {
            revisions: Vec::new(),
            branches: Vec::new(),
            scenario: scenario.map(|glob| Glob::new(glob).unwrap().compile_matcher()),
            parameters: parameters.iter().map(parameter).collect(),
            machine: None,
        }
    }

    #[cfg(feature = "pipelines")]
    #[test]
    fn option_of_a_family_is_a_condition() {
        use crate::cli::{Cli, Command};
        use clap::Parser;
        let words = ["bench-host", "results", "--rows", "1Ki", "-p", "mode=copy"];
        let Command::Results(results) = Cli::parse_from(words).command else { panic!("not the command `results`") };
        let mut arguments = Arguments::default();
        arguments.set("mode", Value::Text("copy".to_owned()));
        for (rows, expect) in [(1024, true), (1025, false)] {
            arguments.set("rows", Value::Integer(rows));
            assert_eq!(Filter::new(&results).unwrap().has_cell("m/s", &arguments), expect, "{rows}");
        }
    }

    #[test]
    fn scenario_is_matched_by_full_name_module_and_own_name() {
        let arguments = Arguments::default();
        for (glob, expect) in
            [("ring/stream", true), ("ring/*", true), ("ring", true), ("stream", true), ("other", false)]
        {
            assert_eq!(filter(Some(glob), &[]).has_cell("ring/stream", &arguments), expect, "{glob}");
        }
    }

    #[test]
    fn parameter_is_compared_as_a_value() {
        let mut arguments = Arguments::default();
        arguments.set("rows", Value::Integer(1024));
        for (value, expect) in [("1024", true), ("1Ki", true), ("1025", false), ("many", false)] {
            assert_eq!(filter(None, &[("rows", value)]).has_cell("m/s", &arguments), expect, "{value}");
        }
        assert!(
            !filter(None, &[("other", "1")]).has_cell("m/s", &arguments),
            "a cell without the parameter is left out"
        );
    }
}
