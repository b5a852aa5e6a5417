//! Resolves the former names of renamed scenarios.

use bench_engine::Selection;
use bench_model::{Descriptor, Scenario};
use bench_registry::{Baseline, RenamedScenarios, Targets};
use bench_sink::runfile::{Record, RunFile};
use std::collections::BTreeMap;

/// Selections of the scenarios that `selection` matches by a former name and not by the current one.
pub(super) fn select(selection: &Selection, modules: &[&Descriptor], renamed: &RenamedScenarios) -> Vec<Selection> {
    let names = |module: &Descriptor, name: &str| {
        let alone = Descriptor::new(&module.name, &module.version, "").scenario(Scenario::new(name, "", ""));
        selection.names(&alone).unwrap_or(false)
    };
    let mut patterns: Vec<String> = Vec::new();
    for module in modules {
        for scenario in module.scenarios.iter().map(|scenario| scenario.name.as_str()) {
            let mut former = renamed.former_names(&module.name, scenario);
            let pattern = format!("{}/{scenario}", module.name);
            if !patterns.contains(&pattern) && !names(module, scenario) && former.any(|former| names(module, former)) {
                patterns.push(pattern);
            }
        }
    }
    patterns.into_iter().map(|pattern| Selection { pattern, ..selection.clone() }).collect()
}

/// Renames the scenarios in `targets` to the names that they have among the `recorded` scenarios of a run.
pub(super) fn rename_targets(targets: &mut Targets, recorded: &[&str], renamed: &RenamedScenarios) {
    let rename = |scenario: &mut String| {
        if let Some(name) = name_in(recorded, scenario, renamed) {
            *scenario = name.to_owned();
        }
    };
    for target in &mut targets.target {
        rename(&mut target.series.scenario);
        if let Some(Baseline::Series(series)) = &mut target.baseline {
            rename(&mut series.scenario);
        }
    }
}

/// Renames the scenarios of `run`, and the series named after them, to the names that they have in `other`.
pub(super) fn rename_run(run: &mut RunFile, other: &[RunFile], renamed: &RenamedScenarios) {
    let recorded: Vec<_> = other.iter().flat_map(scenarios).collect();
    let mut changed = BTreeMap::new();
    for record in &mut run.records {
        match record {
            Record::Cell(cell) => {
                if let Some(name) = name_in(&recorded, &cell.scenario, renamed) {
                    changed.insert(cell.cell, (own_name(&cell.scenario).to_owned(), own_name(name).to_owned()));
                    cell.scenario = name.to_owned();
                }
            }
            Record::Series(series) => {
                if let Some((_, name)) = changed.get(&series.cell).filter(|(former, _)| *former == series.metric) {
                    series.metric.clone_from(name);
                }
            }
            _ => {}
        }
    }
}

/// The scenarios of a run, as `module/scenario`.
fn scenarios(run: &RunFile) -> impl Iterator<Item = &str> {
    run.records
        .iter()
        .filter_map(|record| if let Record::Cell(cell) = record { Some(cell.scenario.as_str()) } else { None })
}

/// The name among `recorded` of a scenario that is not recorded under the name `scenario`.
fn name_in<'a>(recorded: &[&'a str], scenario: &str, renamed: &RenamedScenarios) -> Option<&'a str> {
    if recorded.contains(&scenario) {
        return None;
    }
    recorded.iter().copied().find(|name| renamed.is_same(name, scenario))
}

fn own_name(scenario: &str) -> &str {
    scenario.split_once('/').map_or(scenario, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    fn renamed() -> RenamedScenarios {
        bench_registry::renamed_scenarios().unwrap()
    }

    #[test]
    fn former_name_selects_the_scenario_unless_its_current_name_does() {
        let module = |name: &str, scenarios: &[&str]| {
            let named = |descriptor: Descriptor, name: &&str| descriptor.scenario(Scenario::new(*name, "", ""));
            scenarios.iter().fold(Descriptor::new(name, "1", ""), named)
        };
        let modules = [
            module("wal", &["append", "append-batch", "concurrent-append"]),
            module("wal-client", &["append", "append-batch"]),
            module("other", &["append"]),
        ];
        let modules: Vec<_> = modules.iter().collect();
        let check = |pattern: &str, expect: &[&str]| {
            let selection = Selection { pattern: pattern.to_owned(), arms: None, axes: Vec::new() };
            let selected = select(&selection, &modules, &renamed());
            let patterns: Vec<_> = selected.iter().map(|selection| selection.pattern.as_str()).collect();
            assert_eq!(patterns, expect, "{pattern}");
        };
        check("wal/single_write_latency", &["wal/append"]);
        check("concurrent_writes", &["wal/concurrent-append"]);
        check("wal*/append_batch", &["wal-client/append-batch"]);
        check("*_batch", &["wal-client/append-batch"]);
        check("wal/append", &[]);
        check("wal", &[]);
        check("*", &[]);
        check("other/single_write_latency", &[]);
    }

    #[test]
    fn targets_name_scenarios_as_the_run_does() {
        let text = |scenario: &str| {
            format!(
                "[[target]]\nname = \"t\"\nsummary = \"s\"\nscenario = \"{scenario}\"\narm = \"native\"\n\
                 samples_min = 1\nat_most = 1\nrelative_to = {{ scenario = \"wal/read_operations\" }}"
            )
        };
        let check = |scenario: &str, recorded: &[&str], expect: [&str; 2]| {
            let mut targets = bench_registry::parse_targets("t", &text(scenario)).unwrap();
            rename_targets(&mut targets, recorded, &renamed());
            let target = &targets.target[0];
            let Some(Baseline::Series(baseline)) = &target.baseline else { panic!("{target:?}") };
            assert_eq!([target.series.scenario.as_str(), &baseline.scenario], expect, "{scenario}");
        };
        check("wal/append", &["wal/single_write_latency"], ["wal/single_write_latency", "wal/read_operations"]);
        check("wal/single_write_latency", &["wal/append", "wal/read"], ["wal/append", "wal/read"]);
        check("wal/append", &["wal/append"], ["wal/append", "wal/read_operations"]);
        check("m/s", &["wal/append"], ["m/s", "wal/read_operations"]);
    }

    /// A run of one cell in native, with its timed series and another one.
    fn run(scenario: &str) -> RunFile {
        let cell = json!({
            "cell": 0, "process": 0, "scenario": scenario, "family": "wal", "arm": "native", "arguments": {},
            "module": { "file": "wal.so", "sha256": "" },
        });
        let series = |metric: &str| {
            let json = json!({
                "cell": 0, "process": 0, "metric": metric, "unit": "ns", "direction": "lower-is-better", "labels": [], "batch": 1,
                "count": 0, "histogram": "",
            });
            Record::Series(serde_json::from_value(json).unwrap())
        };
        let records =
            vec![Record::Cell(serde_json::from_value(cell).unwrap()), series(own_name(scenario)), series("response")];
        RunFile { directory: PathBuf::new(), records, torn: None }
    }

    #[test]
    fn run_takes_the_names_of_the_run_it_is_compared_with() {
        let check = |scenario: &str, other: &str, expect: [&str; 3]| {
            let mut renamed_run = run(scenario);
            rename_run(&mut renamed_run, &[run(other)], &renamed());
            let names = renamed_run.records.iter().map(|record| match record {
                Record::Cell(cell) => cell.scenario.as_str(),
                Record::Series(series) => series.metric.as_str(),
                other => panic!("{other:?}"),
            });
            assert_eq!(names.collect::<Vec<_>>(), expect, "{scenario} {other}");
        };
        check("wal/single_write_latency", "wal/append", ["wal/append", "append", "response"]);
        check(
            "wal/append",
            "wal/single_write_latency",
            ["wal/single_write_latency", "single_write_latency", "response"],
        );
        check("wal/append", "wal/append", ["wal/append", "append", "response"]);
        check("wal/append", "wal/read", ["wal/append", "append", "response"]);
    }
}
