//! Executes one run: run directory, rooflines, cells, rooflines again, summary. If a run ends early, its results so far are kept and
//! shown.

use crate::Exit;
use crate::cli::Common;
use crate::compiling;
use crate::cost::{self, Cost};
use crate::derived;
use crate::effort::Effort;
use crate::families;
use crate::file_digests;
use crate::fingerprint::fingerprint;
use crate::history::{History, Remembered};
use crate::inputs;
use crate::kept_output::keep_output;
use crate::live::{self, Watcher};
use crate::modules::{Loader, Modules};
use crate::output;
use crate::paths;
use crate::resolve::{Resolved, in_run};
use crate::resume::PreviousRun;
use crate::scratch_budget;
use crate::secret::redact_report;
use crate::show::ShowArgs;
use crate::signals;
use crate::worker::{MeasureRequest, Reply, Request};
use anyhow::Context;
use bench_engine::worker::{Captured, WorkerError, draw_layout};
use bench_engine::{
    Cell, Done, Executor, Interrupt, Journal, Plan, Repetition, RepetitionEnd, Report, RunEnd, Shard, run,
};
use bench_report::{RunView, Section, run_document};
use bench_sink::digest;
use bench_sink::environment::{Reading, Witness, boot_id, warnings};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    AccountRecord, CalibrationRecord, EndRecord, LimitRecord, PartRecord, Planned, Record, RunRecord, RunWriter,
    Status, When, WriteError,
};
use pg_connection::{redact, redact_text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

static INTERRUPT: Interrupt = Interrupt::new();

/// Handles Ctrl-C and the other signals that ask for the end. The first stops the run and keeps its results; the second exits at once.
pub(crate) fn interrupt() -> anyhow::Result<&'static Interrupt> {
    signals::on_termination(|| {
        if INTERRUPT.raise() {
            live::leave();
            std::process::exit(130);
        }
    })
    .context("cannot handle Ctrl-C")?;
    Ok(&INTERRUPT)
}

/// A plan to execute, and how.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) loader: &'a Loader,
    pub(crate) modules: &'a Modules,
    pub(crate) plan: &'a Plan,
    pub(crate) effort: Effort,
    pub(crate) seed: u64,
    pub(crate) common: &'a Common,
}

impl Job<'_> {
    /// The numbers of the cells of the shard, if only one is measured.
    fn shard(&self) -> anyhow::Result<Option<BTreeSet<u32>>> {
        let Some(shard) = self.common.measured.shard else { return Ok(None) };
        let cells = self.plan.cells_of(shard);
        anyhow::ensure!(
            !cells.is_empty(),
            "shard {shard} is empty, because the plan has fewer groups of cells; give fewer shards"
        );
        Ok(Some(cells))
    }

    /// How long the same command took before.
    pub(crate) fn took_before(&self) -> Option<Duration> {
        cost::earlier(&self.common.shown.out, &command(), &planned(self))
    }

    /// The time after which the worker of a repetition of `cell` is killed.
    pub(crate) fn deadline_of(&self, cell: &Cell) -> Duration {
        let measured = self.effort.budget.warm_up_ns.saturating_add(self.effort.time_ns().unwrap_or_default());
        let operations = self.effort.iterations().unwrap_or_default();
        let spec = &self.modules.loaded[cell.offer].spec;
        self.loader.deadline_for(spec, cell, operations) + Duration::from_nanos(measured)
    }
}

/// Executes `job`, or what an `earlier` part has left of it, and prints the summary of the whole. Returns the exit status and the run
/// directory, of which there is none for `--dry-run`.
pub(crate) fn execute(
    job: &Job<'_>,
    earlier: Option<PreviousRun>,
    interrupt: &Interrupt,
) -> anyhow::Result<(Exit, Option<PathBuf>)> {
    live::ensure_terminal(&job.common.shown)?;
    let done = earlier.as_ref().map(|earlier| earlier.done(job)).transpose()?.unwrap_or_default();
    let shard = job.shard()?;
    let done = done.without(job.plan, |cell| shard.as_ref().is_some_and(|cells| !cells.contains(&cell)));
    let repetitions: Vec<Repetition> =
        job.plan.order.iter().copied().filter(|repetition| done.is_left(*repetition)).collect();
    let cells = shard.map_or(job.plan.cells.len(), |cells| cells.len());
    let took = (repetitions.len() == job.plan.order.len()).then(|| job.took_before()).flatten();
    let cost = Cost::of_cells(cells, &job.effort).known(took, &repetitions);
    if job.common.shown.dry_run {
        say_cost(&cost.line(&repetitions), job.common);
        output::print(&plan_text(job.plan, &done))?;
        return Ok((Exit::Done, None));
    }
    let writer = match earlier {
        Some(earlier) => earlier.go_on(job, &done)?,
        None => begin(job)?,
    };
    say_cost(&cost.line(&repetitions), job.common);
    let begun = Instant::now();
    let (directory, ended) = record(job, writer, interrupt, |writer, directory| {
        // Until now, the rooflines were measured.
        let expected = cost.expected_after(begun.elapsed());
        let cells_of = |repetition: Repetition| vec![repetition.cell];
        let mut watcher = Watcher::new(job.plan, &repetitions, cells_of, expected, &job.common.shown)?;
        let history = History::new(directory, job.common.shown.bench_json);
        let live = watcher.live();
        let mut journal = live::Shown { journal: &mut Remembered { writer, history }, live };
        let mut bench = WorkerExecutor { job, interrupt, directory };
        Ok(run(job.plan, done, &mut bench, &mut journal, &mut watcher, interrupt)?)
    })?;
    let exit = show(&directory, &job.common.shown.show)?;
    Ok((if ended == RunEnd::Complete { exit } else { Exit::NotMeasured }, Some(directory)))
}

/// Prints the estimated duration before a run, and for `--dry-run`.
pub(crate) fn say_cost(line: &str, common: &Common) {
    if !common.shown.quiet {
        output::line(line);
    }
}

/// Writes the derived files of the run in `directory`, and prints its summary. Returns the exit status unless it was interrupted.
pub(crate) fn show(directory: &Path, show: &ShowArgs) -> anyhow::Result<Exit> {
    let (view, derived) = derived::write(directory)?;
    print_view(&view, show)?;
    derived.absent.iter().for_each(|absent| output::line(&format!("bench-host: {absent}")));
    let findings = families::findings(&view);
    findings.iter().for_each(|finding| output::line(&format!("bench-host: {finding}")));
    Ok(if findings.is_empty() { exit(&view) } else { Exit::Finding })
}

/// Creates a run directory, and in it the head of a run file.
pub(crate) fn begin(job: &Job<'_>) -> anyhow::Result<RunWriter> {
    let now = jiff::Timestamp::now();
    let id = run_id(now);
    let directory = job.common.shown.out.join(&id);
    let mut writer = RunWriter::create(&directory).map_err(|error| {
        let source = error.source.to_string();
        anyhow::anyhow!("{error}: {source}; give another folder with --out DIR")
    })?;
    let run = run_record(job, &id, now, command());
    let part = job.common.measured.shard.map(|shard| Record::Part(part_record(shard, &run)));
    let mut head: Vec<Record> = std::iter::once(Record::Run(run)).chain(part).collect();
    head.extend(job.modules.records().into_iter().map(Record::Module));
    writer.append(&head)?;
    Ok(writer)
}

/// Measures the rooflines before and after `body`. On an error, prints it and keeps the results so far.
pub(crate) fn record(
    job: &Job<'_>,
    mut writer: RunWriter,
    interrupt: &Interrupt,
    body: impl FnOnce(&mut RunWriter, &Path) -> anyhow::Result<RunEnd>,
) -> anyhow::Result<(PathBuf, RunEnd)> {
    let ended = measure(job, &mut writer, interrupt, body).unwrap_or_else(|error| {
        let next = if error.is::<WriteError>() { ": make room, or give another folder with --out DIR" } else { "" };
        output::line(&format!("bench-host: {error:#}; the run so far is kept{next}"));
        RunEnd::Interrupted
    });
    Ok((writer.directory().to_owned(), ended))
}

/// Rooflines, what `body` measures, rooflines again, end.
fn measure(
    job: &Job<'_>,
    writer: &mut RunWriter,
    interrupt: &Interrupt,
    body: impl FnOnce(&mut RunWriter, &Path) -> anyhow::Result<RunEnd>,
) -> anyhow::Result<RunEnd> {
    let directory = writer.directory().to_owned();
    calibrate(job, writer, When::Before, &directory, interrupt)?;
    let ended = body(writer, &directory)?;
    if ended == RunEnd::Complete {
        calibrate(job, writer, When::After, &directory, interrupt)?;
    }
    let stopped = (ended == RunEnd::Interrupted).then(|| "interrupted".to_owned());
    writer.append(&[Record::End(EndRecord { finished: jiff::Timestamp::now().to_string(), stopped })])?;
    Ok(ended)
}

/// Measures the rooflines into `journal`, unless interrupted.
pub(crate) fn calibrate(
    job: &Job<'_>,
    journal: &mut dyn Journal,
    when: When,
    directory: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    if let Some(limits) = limits(job.loader, job.effort.calibration, directory, interrupt)? {
        journal.append(&[Record::Calibration(CalibrationRecord { when, limits })])?;
    }
    Ok(())
}

/// Long enough for the slowest roofline on a slow disk, whatever `--deadline` is.
const CALIBRATION_DEADLINE: Duration = Duration::from_secs(60);

/// Measures the rooflines in a worker; `None` if interrupted.
pub(crate) fn limits(
    loader: &Loader,
    effort: bench_engine::calibration::Effort,
    directory: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Vec<LimitRecord>>> {
    let request = Request::Calibrate {
        samples: effort.samples,
        slow_samples: effort.slow_samples,
        directory: directory.to_owned(),
        cache: loader.cache.clone(),
    };
    match loader.workers.call(&request, loader.deadline().max(CALIBRATION_DEADLINE), interrupt).result {
        Ok(Reply::Calibrated(limits)) => Ok(Some(limits)),
        Ok(_) => anyhow::bail!("unexpected reply of the worker"),
        Err(WorkerError::Interrupted) => Ok(None),
        Err(error) => Err(error).context("cannot measure the rooflines"),
    }
}

/// Executes repetitions in worker processes.
pub(crate) struct WorkerExecutor<'a> {
    pub(crate) job: &'a Job<'a>,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) directory: &'a Path,
}

impl Executor for WorkerExecutor<'_> {
    fn execute(&mut self, plan: &Plan, repetition: Repetition) -> RepetitionEnd {
        let done = |report| RepetitionEnd::Done(Box::new(report));
        let cell = plan.cell(repetition.cell);
        let loader = self.job.loader;
        let modules = self.job.modules;
        let resolved = loader.resolve(modules, &modules.loaded[cell.offer], cell);
        let Resolved { module, arguments, companion, scratch } = match resolved {
            Ok(resolved) => resolved,
            Err(reason) => return done(Report::without_figures(repetition, Status::Skipped, reason)),
        };
        let budget = self.job.effort.budget;
        let request = Request::Measure(Box::new(MeasureRequest {
            module,
            companion,
            cell: repetition.cell,
            process: repetition.process,
            scenario: cell.scenario.name.clone(),
            driver: cell.scenario.driver.clone(),
            arguments: in_run(arguments, self.directory),
            warm_up_ns: budget.warm_up_ns,
            time_ns: self.job.effort.time_ns(),
            iterations: self.job.effort.iterations(),
        }));
        // Earlier messages of the server belong to other cells.
        let complaint = || loader.servers.as_ref().and_then(|servers| servers.last_error());
        complaint();
        let before = Reading::now();
        let layout = draw_layout(self.job.seed, repetition.cell, repetition.process);
        let deadline = self.job.deadline_of(cell);
        let end = scratch_budget::within(&scratch, loader.limits.scratch, self.interrupt, |interrupt| {
            compiling::notify(self.job.common.shown.quiet, |observe| {
                loader.workers.call_observed(Some(&layout), &request, deadline, interrupt, observe)
            })
        });
        drop(scratch);
        let name = format!("cell-{:04}-process-{}", repetition.cell, repetition.process);
        keep_output(self.directory, &name, &end.stdout, &end.stderr);
        match end.result {
            Ok(Reply::Measured(mut report)) => {
                report.outcome.layout = Some(layout);
                report.outcome.printed_bytes = Some(end.stdout.total + end.stderr.total);
                note_stop(&mut report, end.stopped);
                explain_by_output(&mut report, &end.stderr);
                explain_by(&mut report, "the server said", complaint());
                redact_report(&mut report);
                RepetitionEnd::Done(report)
            }
            Ok(Reply::Refused(reason)) => {
                done(Report::without_figures(repetition, Status::Failed, redact_text(&reason)))
            }
            Ok(_) => done(Report::without_figures(repetition, Status::Failed, "unexpected reply of the worker")),
            Err(WorkerError::Interrupted) => RepetitionEnd::Interrupted,
            Err(error) => done(without_reply(repetition, &error, &before, end.stopped)),
        }
    }

    fn count_usage(&mut self, plan: &Plan, repetition: Repetition) -> Option<AccountRecord> {
        let scenario = &plan.cell(repetition.cell).scenario;
        let driver = families::drivers().get(&scenario.driver);
        Some(match driver.and_then(|driver| driver.uncounted(scenario)) {
            Some(why) => AccountRecord::without_counts(repetition.cell, repetition.process, why),
            None => account(self.job, plan, repetition, self.interrupt),
        })
    }
}

/// Adds to the disturbances of a repetition that this process was stopped while it waited for the worker.
pub(crate) fn note_stop(report: &mut Report, stopped: Duration) {
    if let Some(ns) = nanoseconds(stopped) {
        report.outcome.witness.get_or_insert_default().stopped_ns = Some(ns);
    }
}

fn nanoseconds(stopped: Duration) -> Option<u64> {
    u64::try_from(stopped.as_nanos()).ok().filter(|ns| *ns > 0)
}

/// The report of a worker that has not replied. If the machine was suspended or its processors were taken away, a missed deadline
/// makes the repetition void instead of failed. What the threads of a dead worker waited for is unknown.
pub(crate) fn without_reply(
    repetition: Repetition,
    error: &WorkerError,
    before: &Reading,
    stopped: Duration,
) -> Report {
    let since = Witness::since(before);
    let witness = Witness { run_queue_ns: None, switches_involuntary: None, stopped_ns: nanoseconds(stopped), ..since };
    let is_void = matches!(error, WorkerError::Deadline { .. }) && witness.stood_still();
    let status = if is_void { Status::Void } else { Status::Failed };
    // What the worker printed last is part of it.
    let mut report = Report::without_figures(repetition, status, redact_text(&error.to_string()));
    report.outcome.witness = Some(witness);
    report
}

/// Counts the resource usage of a cell in a worker of its own. If that fails, the cell keeps its figures, and the record is the reason.
pub(crate) fn account(job: &Job<'_>, plan: &Plan, repetition: Repetition, interrupt: &Interrupt) -> AccountRecord {
    let cell = plan.cell(repetition.cell);
    count_usage(job, cell, repetition, interrupt).unwrap_or_else(|reason| {
        let reason = redact_text(&reason);
        if !interrupt.is_raised() {
            tracing::info!(scenario = plan.full_name(cell), %reason, "resource usage is not counted");
        }
        AccountRecord::without_counts(repetition.cell, repetition.process, reason)
    })
}

/// What a worker counted of `cell`, or why it did not.
fn count_usage(
    job: &Job<'_>,
    cell: &Cell,
    repetition: Repetition,
    interrupt: &Interrupt,
) -> Result<AccountRecord, String> {
    let loaded = &job.modules.loaded[cell.offer];
    let Resolved { module, arguments, scratch, .. } = job.loader.resolve(job.modules, loaded, cell)?;
    let scenario = loaded.own_scenario(&cell.scenario.name).to_owned();
    let request = Request::Account { module, cell: repetition.cell, process: repetition.process, scenario, arguments };
    let deadline = job.loader.deadline_for(&loaded.spec, cell, 0);
    let end = scratch_budget::within(&scratch, job.loader.limits.scratch, interrupt, |interrupt| {
        // Instructions are counted by an engine of their own.
        compiling::notify(job.common.shown.quiet, |observe| {
            job.loader.workers.call_observed(None, &request, deadline, interrupt, observe)
        })
    });
    match end.result {
        Ok(Reply::Accounted(counted)) => counted.map(|account| *account),
        Ok(Reply::Refused(reason)) => Err(reason),
        Ok(_) => Err("unexpected reply of the worker".to_owned()),
        Err(WorkerError::Interrupted) => Err("the run was interrupted meanwhile".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A failed module has often printed the reason just before.
pub(crate) fn explain_by_output(report: &mut Report, stderr: &Captured) {
    explain_by(report, "it printed", stderr.telling_line());
}

/// Appends `line`, if there is one, to the reason of a missing figure.
fn explain_by(report: &mut Report, who: &str, line: Option<String>) {
    let outcome = &mut report.outcome;
    if outcome.status == Status::Failed
        && let (Some(reason), Some(line)) = (&mut outcome.reason, line)
        && !reason.contains(&line)
    {
        reason.push_str(&format!(" ({who}: {line})"));
    }
}

/// The first record of a run that `command` began.
pub(crate) fn run_record(job: &Job<'_>, id: &str, now: jiff::Timestamp, command: Vec<String>) -> RunRecord {
    let isolation = Some(job.loader.workers.isolation.describe());
    let fingerprint = Fingerprint { isolation, ..fingerprint(&job.common.shown.out) };
    RunRecord {
        id: id.to_owned(),
        started: now.to_string(),
        seed: job.seed,
        command,
        planned: planned(job),
        warnings: warnings(&fingerprint).iter().map(Into::into).collect(),
        fingerprint,
        program_sha256: program_sha256(),
        inputs: inputs::of_plan(job.plan),
    }
}

fn part_record(shard: Shard, run: &RunRecord) -> PartRecord {
    PartRecord {
        number: shard.number,
        of: shard.of,
        run: run.id.clone(),
        started: run.started.clone(),
        fingerprint: run.fingerprint.clone(),
        boot_id: boot_id(),
        clock: Vec::new(),
    }
}

/// A seed that is the same for every shard of `plan`.
pub(crate) fn seed_of(plan: &Plan) -> u64 {
    digest::checksum(plan_text(plan, &Done::default()).as_bytes()).0
}

/// The arguments that this program was started with.
pub(crate) fn command() -> Vec<String> {
    std::env::args().map(|word| redact(&word)).collect()
}

/// The amount of work.
pub(crate) fn planned(job: &Job<'_>) -> Planned {
    Planned {
        cells: job.plan.cells.len() as u32,
        processes: job.effort.processes,
        time_ns: job.effort.time_ns(),
        iterations: job.effort.iterations(),
        within_ns: job.effort.within_ns,
        order_sha256: Some(digest::of_bytes(plan_text(job.plan, &Done::default()).as_bytes())),
    }
}

/// The digest of this program, because two builds may have the same version; `None` if its file cannot be read.
pub(crate) fn program_sha256() -> Option<String> {
    file_digests::of_this_program(paths::description_cache().as_deref())
}

/// The time in UTC, and six digits that distinguish two runs of the same second.
pub(crate) fn run_id(now: jiff::Timestamp) -> String {
    let unique = digest::of_bytes(format!("{} {}", now.as_nanosecond(), std::process::id()).as_bytes());
    format!("{}-{}", now.strftime("%Y-%m-%dT%H-%M-%SZ"), &unique[..6])
}

/// The repetitions of the plan that are left to do, in their order, one line each.
fn plan_text(plan: &Plan, done: &Done) -> String {
    let mut text = String::new();
    for repetition in plan.order.iter().filter(|repetition| done.is_left(**repetition)) {
        let cell = plan.cell(repetition.cell);
        let (name, arm) = (plan.full_name(cell), plan.offer(cell).arm);
        let line = format!("{name}  {arm}  process {}  {}", repetition.process, cell.arguments);
        text.push_str(&bench_report::escape(&line));
        text.push('\n');
    }
    text
}

/// Prints the report of a run and where it lies.
pub(crate) fn print_view(view: &RunView, show: &ShowArgs) -> anyhow::Result<()> {
    let mut document = run_document(view, families::reports(), show.detail());
    document.sections.push(Section::footer(vec![format!("run directory: {}", view.directory.display())]));
    show.print(&document)
}

/// A finding if a cell failed or a module was refused; not measured if no cell has a figure. A void cell is not a finding.
pub(crate) fn exit(view: &RunView) -> Exit {
    if view.findings() > 0 {
        Exit::Finding
    } else if view.cells.iter().any(|cell| cell.status == Status::Ok) {
        Exit::Done
    } else {
        Exit::NotMeasured
    }
}
