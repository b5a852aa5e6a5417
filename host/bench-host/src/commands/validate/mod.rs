//! `validate`: checks a recorded run against sets of targets, and prints one line per target.

mod compared_cells;
mod figure;
#[cfg(test)]
mod fixture;
mod judge;

use super::former_names::rename_targets;
use crate::cli::ValidateArgs;
use crate::{Exit, paths};
use anyhow::Context;
use bench_registry::Targets;
use bench_report::{RunView, Section, TargetResult, TargetVerdict, targets_document};

pub(crate) fn run(arguments: &ValidateArgs) -> anyhow::Result<Exit> {
    let sets = arguments.targets.iter().map(|name| Ok((name.as_str(), targets(name)?)));
    let mut sets: Vec<_> = sets.collect::<anyhow::Result<_>>()?;
    let directory = paths::run_directory(arguments.run.as_deref(), &arguments.out)?;
    let view = RunView::read(&directory)?;
    let judged = evaluate(&view, &mut sets)?;
    let mut document = targets_document(&view, &judged);
    document.sections.push(Section::footer(vec![format!("run directory: {}", view.directory.display())]));
    arguments.show.print(&document)?;
    Ok(exit(&judged))
}

/// Checks the run against every target of `sets`.
fn evaluate(view: &RunView, sets: &mut [(&str, Targets)]) -> anyhow::Result<Vec<TargetResult>> {
    let recorded: Vec<_> = view.cells.iter().map(|cell| cell.scenario.as_str()).collect();
    let renamed = bench_registry::renamed_scenarios()?;
    sets.iter_mut().for_each(|(_, targets)| rename_targets(targets, &recorded, &renamed));
    let of_set = |(set, targets): &(&str, Targets)| {
        let each = targets.target.iter();
        each.map(|target| judge::evaluate_target(view, set, target, &targets.measured_by)).collect::<Vec<_>>()
    };
    Ok(sets.iter().flat_map(of_set).collect())
}

/// Checks the run against the named sets. If none is named: against those of the registry, without the targets that have no value in
/// this run.
pub(super) fn evaluate_all(view: &RunView, names: &[String]) -> anyhow::Result<Vec<TargetResult>> {
    if !names.is_empty() {
        let sets = names.iter().map(|name| Ok((name.as_str(), targets(name)?)));
        return evaluate(view, &mut sets.collect::<anyhow::Result<Vec<_>>>()?);
    }
    let sets = bench_registry::target_names().map(|name| Ok((name, bench_registry::targets(name)?)));
    let mut judged = evaluate(view, &mut sets.collect::<anyhow::Result<Vec<_>>>()?)?;
    judged.retain(|target| target.held.is_ok());
    Ok(judged)
}

/// The set of targets of this name in the registry, or in a file.
fn targets(name: &str) -> anyhow::Result<Targets> {
    if !name.ends_with(".toml") {
        return Ok(bench_registry::targets(name)?);
    }
    let text = bench_sink::regular::read_text(name.as_ref(), bench_registry::FILE_BYTES_MAX)
        .with_context(|| format!("cannot read the targets {name}"))?;
    Ok(bench_registry::parse_targets(name, &text)?)
}

/// A miss is a finding, even if other targets were not measured.
fn exit(judged: &[TargetResult]) -> Exit {
    let is_any = |verdict| judged.iter().any(|judged| judged.verdict() == verdict);
    if is_any(TargetVerdict::Miss) {
        Exit::Finding
    } else if is_any(TargetVerdict::NotMeasured) {
        Exit::NotMeasured
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::Run;
    use super::*;

    #[test]
    fn suite_is_named_where_a_run_did_not_measure_a_target() {
        let target = "[[target]]\nname = \"t\"\nsummary = \"s\"\nscenario = \"m/s\"\narm = \"native\"\nsamples_min = 1\nat_most = 1\n";
        let check = |measured_by: &str, expect: &str| {
            let targets = bench_registry::parse_targets("mine.toml", &format!("{measured_by}\n{target}")).unwrap();
            let judged = evaluate(&Run::new([]).view(), &mut [("mine.toml", targets)]).unwrap();
            assert_eq!(judged[0].held.as_ref().unwrap_err(), expect);
        };
        check("", "the run has no cell m/s native");
        check("measured_by = [\"a\"]", "the run has no cell m/s native; the suite `a` measures it");
        check("measured_by = [\"a\", \"b\"]", "the run has no cell m/s native; the suite `a` or `b` measures it");
    }
}
