//! `profile`: runs cells under a sampling profiler, each in a process of its own that does nothing else. Figures of a run are never taken
//! from such a process.

mod document;
mod recorder;
mod source;

use super::load::merge_parameters;
use super::run::{fulfilled, requested_selections};
use crate::cli::Common;
use crate::execute::interrupt;
use crate::modules::{Loader, Modules};
use crate::resolve::Resolved;
use crate::scratch_budget;
use crate::worker::{MeasureRequest, Reply, Request};
use crate::{Exit, output, paths};
use anyhow::Context;
use bench_engine::worker::WorkerError;
use bench_engine::{Cell, Interrupt, Plan, Report, Selection};
use bench_profile::{Profile, firefox_json, flame_graph, folded};
use bench_report::scale;
use bench_sink::runfile::Status;
use clap::Args;
use document::{NoProfile, ProfiledCell};
use pg_connection::redact_text;
use recorder::Recorder;
use source::Source;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default time that a cell runs under the profiler: about five thousand samples.
const TIME_NS: u64 = 5_000_000_000;

/// The same where all cells of a run are profiled.
const RUN_TIME_NS: u64 = 1_000_000_000;

const WARM_UP_NS: u64 = 20_000_000;

/// More cells take too long; the user names fewer.
const CELLS_MAX: usize = 64;

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// Scenarios by name or glob, or suites
    #[arg(required = true, value_name = "SCENARIO|SUITE")]
    what: Vec<String>,
    /// Folder to search for modules; may be given several times [default: $BENCH_HOST_MODULES, else plugins and native-probes
    /// of the project or of the installation, and bench-host/modules in the user's data folder]
    #[arg(long, value_name = "DIR")]
    modules: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(mut arguments: ProfileArgs) -> anyhow::Result<Exit> {
    anyhow::ensure!(!arguments.common.shown.live, "--live shows the cells of a run; remove it from profile");
    let interrupt = interrupt()?;
    let mut loader = Loader::new(&arguments.common.measured.grants, arguments.common.measured.limits)?;
    merge_parameters(&mut arguments.common, &mut loader, None)?;
    let common = &arguments.common;
    let (wishes, _) = requested_selections(&arguments.what, common)?;
    let modules = loader.load(&paths::modules(&arguments.modules)?, true, interrupt);
    let selections = fulfilled(wishes, &modules)?;
    let modules = modules.only_needed(&selections);
    let seed = common.measured.seed.unwrap_or_default();
    let plan = plan(&modules, &selections, common, seed)?;
    if common.shown.dry_run {
        let line = |cell: &Cell| format!("{}\n", bench_report::escape(&name(&plan, cell)));
        output::print(&plan.cells.iter().map(line).collect::<String>())?;
        return Ok(Exit::Done);
    }
    let (recorder, source) = (Recorder::find(), Source::here(&common.shown.out, seed));
    let directory = common.shown.out.join(format!("{}-profile", jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ")));
    let time_ns = common.measured.time.unwrap_or(TIME_NS);
    let job = Job { loader: &loader, modules: &modules, plan: &plan, common, recorder, source, time_ns, interrupt };
    let profiled = job.profile(&directory)?;
    common.shown.show.print(&document::document(&profiled, &job.recorder, &job.source, &directory))?;
    Ok(if interrupt.is_raised() { Exit::NotMeasured } else { exit(&profiled) })
}

/// A finding if a cell failed; not measured if none has a profile. That the profiler sees nothing of a cell is no finding about it.
fn exit(profiled: &[ProfiledCell]) -> Exit {
    if profiled.iter().any(|cell| cell.profile.as_ref().is_err_and(|none| none.is_failed)) {
        Exit::Finding
    } else if profiled.iter().any(|cell| cell.profile.is_ok()) {
        Exit::Done
    } else {
        Exit::NotMeasured
    }
}

/// Profiles the cells of the run in the given directory, into a folder of it. A finding if a cell failed meanwhile.
pub(super) fn profile_run(
    loader: &Loader,
    modules: &Modules,
    selections: &[Selection],
    (common, run): (&Common, &Path),
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let recorder = Recorder::find();
    if let Some(why) = recorder.restriction() {
        output::line(&format!("bench-host: only components are profiled: {why}"));
    }
    let source = Source::of_run(run)?;
    let plan = plan(modules, selections, common, source.seed)?;
    let directory = run.join("profile");
    let job = Job { loader, modules, plan: &plan, common, recorder, source, time_ns: RUN_TIME_NS, interrupt };
    let profiled = job.profile(&directory)?;
    for cell in &profiled {
        if let Err(none) = &cell.profile {
            output::line(&format!("bench-host: {} was not profiled: {}", cell.name, none.reason));
        }
    }
    let done = profiled.iter().filter(|cell| cell.profile.is_ok()).count();
    output::line(&format!("bench-host: {done} cells were profiled; flame graphs: {}", directory.display()));
    Ok(if exit(&profiled) == Exit::Finding { Exit::Finding } else { Exit::Done })
}

fn plan(modules: &Modules, selections: &[Selection], common: &Common, seed: u64) -> anyhow::Result<Plan> {
    anyhow::ensure!(!modules.loaded.is_empty(), "no module could be loaded, so there is nothing to profile");
    let mut plan = Plan::build(modules.offers(), selections, 1, seed)?;
    if let Some(filter) = &common.measured.filter {
        plan = plan.filtered(filter)?;
    }
    anyhow::ensure!(
        plan.cells.len() <= CELLS_MAX,
        "{} cells match, and at most {CELLS_MAX} are profiled; name a scenario, an arm (--arm) or values (-p)",
        plan.cells.len()
    );
    Ok(plan)
}

/// The cells to profile, and how.
struct Job<'a> {
    loader: &'a Loader,
    modules: &'a Modules,
    plan: &'a Plan,
    common: &'a Common,
    recorder: Recorder,
    source: Source,
    time_ns: u64,
    interrupt: &'a Interrupt,
}

impl Job<'_> {
    /// Profiles every cell, and writes a flame graph and the stacks of each into `directory`.
    fn profile(&self, directory: &Path) -> anyhow::Result<Vec<ProfiledCell>> {
        fs::create_dir_all(directory).with_context(|| format!("cannot create the folder {}", directory.display()))?;
        let mut profiled = Vec::new();
        let stems = stems(self.plan.cells.iter().map(|cell| name(self.plan, cell)));
        for ((number, cell), stem) in (0..).zip(&self.plan.cells).zip(&stems) {
            if self.interrupt.is_raised() {
                break;
            }
            let mut of_cell = self.profile_cell(number, cell, directory);
            if let Ok(profile) = &of_cell.profile {
                of_cell.files = write((directory, stem), self, &of_cell, profile)?;
            }
            profiled.push(of_cell);
        }
        Ok(profiled)
    }

    fn profile_cell(&self, number: u32, cell: &Cell, directory: &Path) -> ProfiledCell {
        let offer = self.plan.offer(cell);
        let recorded = self.record(number, cell, directory);
        let (profile, operations) = match recorded {
            Ok((profile, operations)) => (Ok(profile), operations),
            Err(none) => (Err(none), 0),
        };
        ProfiledCell {
            name: name(self.plan, cell),
            scenario: self.plan.full_name(cell),
            arm: offer.arm,
            arguments: cell.arguments.clone(),
            profile,
            operations,
            files: Vec::new(),
        }
    }

    /// Runs the cell in a worker under the profiler; returns its samples and the number of operations.
    fn record(&self, number: u32, cell: &Cell, directory: &Path) -> Result<(Profile, u64), NoProfile> {
        let loaded = &self.modules.loaded[cell.offer];
        let resolved = self.loader.resolve(self.modules, loaded, cell).map_err(NoProfile::not_seen)?;
        let Resolved { module, arguments, companion, scratch } = resolved;
        let file = module.file.clone();
        let iterations = self.common.measured.iterations;
        let request = Request::Measure(Box::new(MeasureRequest {
            module,
            companion,
            cell: number,
            process: 0,
            scenario: cell.scenario.name.clone(),
            driver: cell.scenario.driver.clone(),
            arguments,
            warm_up_ns: WARM_UP_NS,
            time_ns: iterations.is_none().then_some(self.time_ns),
            iterations,
        }));
        let data = directory.join(format!(".{number}.perf"));
        let planned = iterations.unwrap_or_default();
        let deadline = self.loader.deadline_for(&loaded.spec, cell, planned) + Duration::from_nanos(self.time_ns);
        let workers = self.recorder.workers(&self.loader.workers, &data);
        let end = scratch_budget::within(&scratch, self.loader.limits.scratch, self.interrupt, |interrupt| {
            workers.call(&request, deadline, interrupt)
        });
        drop(scratch);
        let profile = match end.result {
            Ok(Reply::Measured(report)) => operations(&report).and_then(|operations| {
                let profile = self.recorder.samples(&data, &file).map_err(NoProfile::not_seen)?;
                Ok((profile, operations))
            }),
            Ok(Reply::Refused(reason)) => Err(NoProfile::failed(reason)),
            Ok(_) => Err(NoProfile::failed("unexpected reply of the worker".to_owned())),
            Err(WorkerError::Interrupted) => Err(NoProfile::not_seen("interrupted".to_owned())),
            Err(error) => Err(NoProfile::failed(error.to_string())),
        };
        let _ = fs::remove_file(&data);
        profile.map_err(|none| NoProfile { reason: redact_text(&none.reason), ..none })
    }
}

/// The number of timed operations, or why there are none.
fn operations(report: &Report) -> Result<u64, NoProfile> {
    let outcome = &report.outcome;
    match outcome.status {
        Status::Ok | Status::Void if outcome.iterations > 0 => Ok(outcome.iterations),
        status => {
            let reason = outcome.reason.clone().unwrap_or_else(|| "it timed no operation".to_owned());
            Err(NoProfile { reason, is_failed: status == Status::Failed })
        }
    }
}

/// `module/scenario arm arguments`.
fn name(plan: &Plan, cell: &Cell) -> String {
    format!("{} {} {}", plan.full_name(cell), plan.offer(cell).arm, cell.arguments).trim_end().to_owned()
}

/// The most characters of the name of a file before its ending.
const STEM_MAX: usize = 200;

/// For each name of a cell, that of its files without an ending. Names that differ only in what a file's name cannot have, or in the case of
/// letters, which some file systems do not distinguish, get a number.
fn stems(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut stems = Vec::new();
    for name in names {
        let plain: String = name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || "-_.=".contains(letter) { letter } else { '-' })
            .take(STEM_MAX)
            .collect();
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let mut free = std::iter::once(plain.clone()).chain(numbered);
        stems.extend(free.find(|stem| taken.insert(stem.to_ascii_lowercase())));
    }
    stems
}

/// Writes the flame graph, the folded stacks and the document for the Firefox Profiler to files in `directory` whose names begin with `stem`;
/// returns their names.
fn write(
    (directory, stem): (&Path, &str),
    job: &Job<'_>,
    cell: &ProfiledCell,
    profile: &Profile,
) -> anyhow::Result<Vec<String>> {
    let mut contents = vec![
        (format!("{stem}.folded"), (folded(profile).join("\n") + "\n").into_bytes()),
        (format!("{stem}.firefox.json"), firefox_json(profile, &cell.name, job.recorder.interval_ns()).into_bytes()),
    ];
    match flame_graph(profile, &cell.name, &notes(cell, profile, &job.source)) {
        Ok(svg) => contents.insert(0, (format!("{stem}.svg"), svg)),
        Err(error) => output::line(&format!("bench-host: {}: {error}", cell.name)),
    }
    let mut names = Vec::new();
    for (name, content) in contents {
        let path = directory.join(&name);
        own_files::replace(&path, &content).with_context(|| format!("cannot write {}", path.display()))?;
        names.push(name);
    }
    Ok(names)
}

/// What a flame graph states below the name of its cell: how much it shows, and where that comes from.
fn notes(cell: &ProfiledCell, profile: &Profile, source: &Source) -> [String; 2] {
    let shown = format!(
        "n {} samples, {} of processor time, {} operations; green: module, orange: kernel, yellow: host",
        profile.samples.len(),
        scale::nanoseconds(profile.total_ns() as f64),
        scale::count(cell.operations as f64)
    );
    [shown, source.line()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_engine::Repetition;
    use bench_model::{Arguments, Arm};

    #[test]
    fn files_of_different_cells_have_different_names() {
        let check = |names: &[&str], expect: &[&str]| {
            assert_eq!(stems(names.iter().map(|name| (*name).to_owned())), expect, "{names:?}");
        };
        check(&["m/s wasm n=1", "m/s native n=1"], &["m-s-wasm-n=1", "m-s-native-n=1"]);
        let calls = ["m/s a(1)", "m/s a[1]", "m/s a-1-"];
        check(&calls, &["m-s-a-1-", "m-s-a-1--2", "m-s-a-1--3"]);
        check(&["m/s x=a", "m/s x=A", "m/s x=a-2"], &["m-s-x=a", "m-s-x=A-2", "m-s-x=a-2-2"]);
        let long = stems([1, 2].map(|n| format!("m/{} n={n}", "s".repeat(300))).into_iter());
        assert!(long[0] != long[1] && long.iter().all(|stem| stem.len() < 210), "{long:?}");
    }

    fn cell(profile: Result<Profile, NoProfile>) -> ProfiledCell {
        let (name, scenario) = ("m/s wasm".to_owned(), "m/s".to_owned());
        let (arm, arguments) = (Arm::Wasm, Arguments::default());
        ProfiledCell { name, scenario, arm, arguments, profile, operations: 1, files: Vec::new() }
    }

    #[test]
    fn cell_that_failed_is_a_finding_and_one_that_is_not_seen_is_none() {
        let none = |status| {
            let report = Report::without_figures(Repetition { cell: 0, process: 0 }, status, "why");
            cell(Err(operations(&report).unwrap_err()))
        };
        let seen = || cell(Ok(Profile { samples: Vec::new() }));
        assert_eq!(exit(&[seen(), none(Status::Failed)]), Exit::Finding);
        assert_eq!(exit(&[none(Status::Failed)]), Exit::Finding);
        assert_eq!(exit(&[seen(), none(Status::Skipped), none(Status::Void), none(Status::Ok)]), Exit::Done);
        assert_eq!(exit(&[none(Status::Skipped)]), Exit::NotMeasured);
    }
}
