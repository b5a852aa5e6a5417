//! Puts two groups of runs side by side: two revisions, or two branches. Ratio, interval and verdict are those of `compare`.

use super::select::{Filter, has_revision};
use super::{LAST, ResultsArgs};
use crate::Exit;
use crate::commands::compare::exit_status;
use crate::output;
use anyhow::Context;
use bench_report::{ComparisonDetail, ComparisonReport, Options, ReportError, RunEntry, Section, comparison_document};
use bench_sink::runfile::{Record, RunFile};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Compares the newer group with the older one, which was named first.
pub(super) fn compare(arguments: &ResultsArgs, filter: &Filter, runs: &[RunEntry]) -> anyhow::Result<Exit> {
    let runs = of_one_machine(arguments, runs);
    let (names, what) = match arguments.sha.len() {
        2 => (&arguments.sha, "revision"),
        _ => (&arguments.branch, "branch"),
    };
    let is_of = |run: &RunEntry, name: &str| match what {
        "revision" => has_revision(run, name),
        _ => run.branch() == Some(name),
    };
    let mut groups: Vec<Vec<&RunEntry>> = Vec::new();
    for name in names {
        let group: Vec<&RunEntry> = runs.iter().filter(|run| is_of(run, name)).copied().collect();
        anyhow::ensure!(
            !group.is_empty(),
            "no run of {what} `{name}` in {} has such a cell; list what there is with `bench-host results`",
            arguments.out.display()
        );
        let last = arguments.last.map_or(LAST, |last| last as usize);
        groups.push(group[group.len().saturating_sub(last)..].to_vec());
    }
    let ids: Vec<BTreeSet<&str>> =
        groups.iter().map(|group| group.iter().map(|run| run.id.as_str()).collect()).collect();
    anyhow::ensure!(ids[0].is_disjoint(&ids[1]), "both groups have the same run; name two different ones");
    let of_group = |group: &Vec<&RunEntry>| {
        group.iter().map(|run| read(arguments, filter, run)).collect::<anyhow::Result<Vec<RunFile>>>()
    };
    let (a, b) = (of_group(&groups[0])?, of_group(&groups[1])?);
    let options = Options { delta: arguments.delta / 100.0, seed: seed(&a) };
    let comparison = ComparisonReport::of_runs(a, b, &options, false).map_err(explained)?;
    let detail = ComparisonDetail { breakdown: false, all_cells: arguments.show.detail().all_cells };
    let mut document = comparison_document(&comparison, detail);
    let group = |side: &str, name: &String, runs: &[&RunEntry]| {
        format!("{side}: {what} {name}, n {} runs, {} to {}", runs.len(), runs[0].id, runs[runs.len() - 1].id)
    };
    let lines = vec![group("A", &names[0], &groups[0]), group("B", &names[1], &groups[1])];
    document.sections.push(Section::footer(lines));
    arguments.show.print(&document)?;
    Ok(exit_status(&comparison))
}

/// The error with what to do about it here.
fn explained(error: ReportError) -> anyhow::Error {
    match error {
        ReportError::OtherMachine { a, b, difference } => anyhow::anyhow!(
            "{a} and {b} were made on different machines: {difference}; `bench-host compare RUN RUN --across-machines` compares two runs \
             all the same"
        ),
        other => other.into(),
    }
}

/// The runs of the machine of the newest run, because figures of two machines are not compared.
fn of_one_machine<'a>(arguments: &ResultsArgs, runs: &'a [RunEntry]) -> Vec<&'a RunEntry> {
    let Some(machine) = runs.last().map(RunEntry::machine) else { return Vec::new() };
    let of_machine: Vec<&RunEntry> = runs.iter().filter(|run| run.machine() == machine).collect();
    let others = runs.len() - of_machine.len();
    if others > 0 && arguments.machine.is_none() {
        output::line(&format!(
            "bench-host: {others} runs of other machines than {machine} are left out; choose one with --machine"
        ));
    }
    of_machine
}

/// The run file with the cells that are wanted.
fn read(arguments: &ResultsArgs, filter: &Filter, run: &RunEntry) -> anyhow::Result<RunFile> {
    let directory: PathBuf = arguments.out.join(&run.id);
    let mut file = RunFile::read(&directory).with_context(|| format!("cannot read the run {}", directory.display()))?;
    let (mut wanted, mut others) = (BTreeSet::new(), BTreeSet::new());
    for record in &file.records {
        if let Record::Cell(cell) = record {
            let is_wanted = filter.has_cell(&cell.scenario, &cell.arguments);
            if is_wanted { &mut wanted } else { &mut others }.insert(cell.cell);
        }
    }
    // A cell that is not wanted is not missing.
    for record in &mut file.records {
        if let Record::Run(run) = record {
            run.planned.cells = run.planned.cells.saturating_sub(others.len() as u32);
        }
    }
    file.records.retain(|record| match record {
        Record::Cell(record) => wanted.contains(&record.cell),
        Record::Series(record) => wanted.contains(&record.cell),
        Record::Check(record) => wanted.contains(&record.cell),
        Record::Outcome(record) => wanted.contains(&record.cell),
        Record::Ledger(record) => wanted.contains(&record.cell),
        Record::Account(record) => wanted.contains(&record.cell),
        _ => true,
    });
    Ok(file)
}

/// Seed of the bootstrap, so that the same groups give the same result.
fn seed(runs: &[RunFile]) -> u64 {
    let of = |run: &RunFile| {
        run.records.iter().find_map(|record| if let Record::Run(run) = record { Some(run.seed) } else { None })
    };
    runs.iter().find_map(of).unwrap_or_default()
}
