//! `compare`: compares arms, builds, runs, or git revisions. Figures are always read from run files, which are measured first
//! where they do not exist.

mod arms;
mod baseline;
mod builds;
mod decide;
mod executor;
mod gate;
mod git;
mod ladder;
mod measure;
mod runs;
mod timed;

use super::load::take_parameters;
use crate::cli::{CompareArgs, Metric};
use crate::effort::{Effort, PairedEffort};
use crate::{Exit, paths};
use bench_report::{ComparisonDetail, ComparisonReport, InstructionCounts, Options, Section, comparison_document};
use bench_sink::runfile;
use std::path::{Path, PathBuf};

pub(crate) use gate::Gate;

pub(crate) fn run(mut arguments: CompareArgs) -> anyhow::Result<Exit> {
    anyhow::ensure!(!arguments.common.shown.bench_json, "a comparison is not in the history; leave out --bench-json");
    anyhow::ensure!(
        !arguments.common.shown.live,
        "--live shows the cells of a run, and a comparison has no figure until its pairs are put together; remove the option"
    );
    take_parameters(&mut arguments.common)?;
    if let Some(range) = &arguments.git {
        anyhow::ensure!(
            arguments.common.measured.secrets.is_empty(),
            "the programs of both revisions are started with the parameters on their command lines, which others can read; leave the \
             password out, and set PGPASSWORD or write it into ~/.pgpass"
        );
        return git::run(&arguments, range);
    }
    if let Some(name) = &arguments.baseline {
        return baseline::run(&arguments, name);
    }
    if let Some(baseline) = &arguments.against {
        return builds::run_side_by_side(&arguments, baseline);
    }
    let files = builds::module_files(&arguments.what);
    if !files.is_empty() || !arguments.variant.is_empty() {
        anyhow::ensure!(
            !arguments.ladder,
            "--ladder compares the builds in the folders of modules; name a scenario instead of files"
        );
        // One file has two sides if its native arm lies next to it, or with an engine setting.
        return match &files[..] {
            [file]
                if arguments.variant.is_empty()
                    && (has_native_arm(file)
                        || arguments.common.measured.native.is_some()
                        || !arguments.engine.is_empty()) =>
            {
                arms::run(&arguments, Some(file))
            }
            _ => builds::run(&arguments, &files),
        };
    }
    let directories: Vec<PathBuf> = arguments.what.iter().map(PathBuf::from).filter(|path| path.is_dir()).collect();
    match directories.len() {
        0 if arguments.ladder => ladder::run(&arguments),
        0 => arms::run(&arguments, None),
        given if given == arguments.what.len() => runs::run(&arguments, &directories),
        _ => {
            let file = arguments.what.iter().find(|what| !Path::new(what).is_dir()).map_or("", String::as_str);
            anyhow::bail!("`{file}` is not a run directory; give two run directories, or scenarios only")
        }
    }
}

/// How much of a comparison is measured.
fn effort(arguments: &CompareArgs) -> anyhow::Result<(Effort, PairedEffort)> {
    let measured = &arguments.common.measured;
    if arguments.decide { Effort::decide(measured, arguments.within) } else { Effort::paired(measured) }
}

/// The options of a comparison.
fn options(arguments: &CompareArgs, seed: u64) -> Options {
    Options { delta: arguments.delta / 100.0, seed }
}

/// Prints `comparison` and the folders it was read from, and returns the exit status.
fn conclude(comparison: &ComparisonReport, arguments: &CompareArgs, directories: &[&Path]) -> anyhow::Result<Exit> {
    // A ladder shows by itself where the time goes.
    let is_short = is_of_one_scenario(comparison) && comparison.ladders.is_empty();
    let show = &arguments.common.shown.show;
    let (breakdown, all_cells) = (arguments.breakdown || is_short, show.detail().all_cells);
    let mut document = comparison_document(comparison, ComparisonDetail { breakdown, all_cells });
    let directories: Vec<_> = directories.iter().map(|path| path.display().to_string()).collect();
    let what = if directories.len() == 1 { "run directory" } else { "run directories" };
    document.sections.push(Section::footer(vec![format!("{what}: {}", directories.join(" "))]));
    let counts = arguments.metric.map(|Metric::Instructions| InstructionCounts::of(comparison));
    let counts = counts.transpose().map_err(anyhow::Error::msg)?;
    if let Some(counts) = &counts {
        document.sections.insert(0, counts.section());
    }
    show.print(&document)?;
    Ok(match (&arguments.fail_on, &counts) {
        (Some(gate), counts) => gate.exit(comparison, counts.as_ref()),
        (None, Some(counts)) => counts_status(counts),
        (None, None) => exit_status(comparison),
    })
}

/// The exit status of a comparison: a finding if a cell failed, or became slower between two sides.
pub(crate) fn exit_status(comparison: &ComparisonReport) -> Exit {
    match (comparison.findings(), comparison.has_ratios()) {
        (1.., _) => Exit::Finding,
        (0, true) => Exit::Done,
        (0, false) => Exit::NotMeasured,
    }
}

/// A finding if any count grew.
fn counts_status(counts: &InstructionCounts) -> Exit {
    match (counts.grown(), counts.has_exact()) {
        (1.., _) => Exit::Finding,
        (0, true) => Exit::Done,
        (0, false) => Exit::NotMeasured,
    }
}

fn is_of_one_scenario(comparison: &ComparisonReport) -> bool {
    comparison.comparisons.windows(2).all(|pair| pair[0].scenario == pair[1].scenario)
}

fn has_native_arm(file: &Path) -> bool {
    paths::is_component(file) && paths::native_arm(file).is_some()
}

/// Whether `directory` contains a run file.
fn is_run(directory: &Path) -> bool {
    directory.join(runfile::FILE_NAME).is_file()
}
