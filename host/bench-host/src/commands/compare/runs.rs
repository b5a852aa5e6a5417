//! Compares existing runs, from their run files. Nothing is measured.

use super::super::former_names::rename_run;
use super::{conclude, is_run, options};
use crate::Exit;
use crate::cli::CompareArgs;
use anyhow::Context;
use bench_report::ComparisonReport;
use bench_sink::runfile::{Record, RunFile};
use std::path::{Path, PathBuf};

pub(crate) fn run(arguments: &CompareArgs, directories: &[PathBuf]) -> anyhow::Result<Exit> {
    let common = &arguments.common;
    ensure_nothing_to_measure(arguments)?;
    match directories {
        [one] => {
            let runs = read(one)?;
            let [run] = <[RunFile; 1]>::try_from(runs)
                .map_err(|_| anyhow::anyhow!("{} contains several runs; name two to compare", one.display()))?;
            let seed = common.measured.seed.unwrap_or_else(|| seed(&run));
            let directory = run.directory.clone();
            conclude(&ComparisonReport::of_pairs(run, &options(arguments, seed))?, arguments, &[&directory])
        }
        [a, b] => compare(arguments, a, b),
        more => anyhow::bail!("{} run directories were given; a comparison needs two", more.len()),
    }
}

/// An error if an option says what to measure: runs are compared as they are.
pub(super) fn ensure_nothing_to_measure(arguments: &CompareArgs) -> anyhow::Result<()> {
    let measured = &arguments.common.measured;
    let given = [
        ("--filter", measured.filter.is_some()),
        ("--arm", measured.arm.is_some()),
        ("-p", !measured.parameters.is_empty()),
        ("--time", measured.time.is_some()),
        ("--processes", measured.processes.is_some()),
        ("--decide", arguments.decide),
        ("--ladder", arguments.ladder),
        ("--engine", !arguments.engine.is_empty()),
        ("--modules", !arguments.modules.is_empty()),
        ("--quick", measured.quick),
        ("--iterations", measured.iterations.is_some()),
        ("--shard", measured.shard.is_some()),
        ("--cpu", measured.cpu.is_some()),
        ("--cells-max", measured.cells_max.is_some()),
        ("--native", measured.native.is_some()),
        ("--dry-run", arguments.common.shown.dry_run),
        ("--variant", !arguments.variant.is_empty()),
        ("--against", arguments.against.is_some()),
    ];
    let given = given.iter().find(|(_, is_given)| *is_given);
    given.map_or(Ok(()), |(name, _)| {
        anyhow::bail!("{name} says what is measured, and existing runs are compared as they are; remove the option")
    })
}

/// Compares the run or runs in `b` with those in `a`.
pub(super) fn compare(arguments: &CompareArgs, a: &Path, b: &Path) -> anyhow::Result<Exit> {
    let (mut runs_a, runs_b) = (read(a)?, read(b)?);
    let renamed = bench_registry::renamed_scenarios()?;
    runs_a.iter_mut().for_each(|run| rename_run(run, &runs_b, &renamed));
    let seed = arguments.common.measured.seed.or_else(|| runs_a.first().map(seed)).unwrap_or_default();
    let options = options(arguments, seed);
    let comparison = ComparisonReport::of_runs(runs_a, runs_b, &options, arguments.across_machines)?;
    conclude(&comparison, arguments, &[a, b])
}

/// The run in `directory`, or the runs in its subfolders, sorted by name.
fn read(directory: &Path) -> anyhow::Result<Vec<RunFile>> {
    if is_run(directory) {
        return Ok(vec![RunFile::read(directory)?]);
    }
    let entries = std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut runs: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_run(path)).collect();
    runs.sort();
    anyhow::ensure!(!runs.is_empty(), "{} contains no run; make one with `bench-host run`", directory.display());
    runs.iter().map(|run| Ok(RunFile::read(run)?)).collect()
}

/// Seed of the bootstrap, so that comparing the same runs again gives the same result.
fn seed(run: &RunFile) -> u64 {
    let seed = run.records.iter().find_map(|record| if let Record::Run(run) = record { Some(run.seed) } else { None });
    seed.unwrap_or_default()
}
