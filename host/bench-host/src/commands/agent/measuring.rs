//! A spec that is being measured: each block is written to the agent's own run file, and then sent. Of what was measured, only the numbers of the
//! cells are held in memory; the rest is in the file.

use crate::cli::RunArgs;
use crate::commands::run::Prepared;
use crate::execute::{Job, WorkerExecutor, calibrate, planned, program_sha256, run_record};
use crate::fingerprint::fingerprint;
use anyhow::Context;
use bench_engine::{ComparisonGroup, Done, Finished, Interrupt, Journal, Observer, Plan, Repetition, RunEnd};
use bench_fleet::{Part, Spec, Uplink, own_blocks};
use bench_sink::runfile::{
    EndRecord, LockedRun, RawLine, RawLines, Record, ResumedRecord, RunRecord, RunWriter, When, WriteError, encode,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// A spec that is being measured.
pub(super) struct Measuring {
    arguments: RunArgs,
    prepared: Prepared,
    plan: Plan,
    seed: u64,
    groups: Vec<ComparisonGroup>,
    writer: RunWriter,
    earlier: Earlier,
    /// How many blocks that belong to no cell were sent.
    notes: u32,
}

/// What is in the run file of an agent that was started again, and what has been added since.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Whether there was anything.
    is_begun: bool,
    /// Whether the rooflines were measured.
    is_calibrated: bool,
    /// The cells of which there are repetitions.
    cells: BTreeSet<u32>,
}

/// How many records are compared with the plan at once.
const RECORDS: usize = 4_096;

impl Earlier {
    /// Opens the run file that this agent began before it was started again. Returns it with what it has.
    pub(super) fn go_on(directory: &Path, job: &Job<'_>, spec: &Spec) -> anyhow::Result<(RunWriter, Self)> {
        let mut earlier = Self::default();
        let mut waiting: Vec<Record> = Vec::new();
        let writer = LockedRun::resume_after(directory, |RawLine { record, .. }| {
            match record {
                Some(Record::Run(run)) if !earlier.is_begun => check_run(&run, directory, job, spec)?,
                Some(Record::Calibration(record)) => earlier.is_calibrated |= record.when == When::Before,
                Some(record @ (Record::Cell(_) | Record::Outcome(_))) => {
                    earlier.cells.extend(cell_of_repetition(&record));
                    waiting.push(record);
                }
                _ => {}
            }
            earlier.is_begun = true;
            if waiting.len() >= RECORDS {
                Done::of(job.plan, &waiting)?;
                waiting.clear();
            }
            anyhow::Ok(())
        })?;
        Done::of(job.plan, &waiting)?;
        Ok((writer, earlier))
    }
}

/// Checks that a run file was begun for this spec, by this program on this machine.
fn check_run(run: &RunRecord, directory: &Path, job: &Job<'_>, spec: &Spec) -> anyhow::Result<()> {
    let is_same_program = run.program_sha256.is_some() && run.program_sha256 == program_sha256();
    anyhow::ensure!(
        run.id == spec.id
            && is_same_program
            && run.planned == planned(job)
            && run.fingerprint.unlike(&fingerprint(directory)).is_empty(),
        "{}: this run file of the agent was begun on another machine, by another program or for another plan; move it away",
        directory.display()
    );
    Ok(())
}

/// The cell of a record that tells what was measured, as [`Done`] reads it.
fn cell_of_repetition(record: &Record) -> Option<u32> {
    match record {
        Record::Cell(record) => Some(record.cell),
        Record::Outcome(record) => Some(record.cell),
        _ => None,
    }
}

/// What a run file has of these cells.
fn records_of(directory: &Path, cells: &BTreeSet<u32>) -> anyhow::Result<Vec<Record>> {
    let mut found = Vec::new();
    for line in RawLines::open(directory)? {
        let is_wanted = |record: &Record| cell_of_repetition(record).is_some_and(|cell| cells.contains(&cell));
        found.extend(line?.record.filter(is_wanted));
    }
    Ok(found)
}

/// The time between two messages that is always allowed, for writing and sending.
const MARGIN: Duration = Duration::from_secs(15);

/// The longest time between two messages of an agent that measures `job`: the deadlines of the worker that measures and of the one that counts
/// resource usage.
pub(crate) fn longest_repetition(job: &Job<'_>) -> Duration {
    2 * job.plan.cells.iter().map(|cell| job.deadline_of(cell)).max().unwrap_or_default() + MARGIN
}

impl Measuring {
    /// Measures what `arguments` select of the modules, as `writer` goes on with it.
    pub(super) fn new(
        (arguments, prepared): (RunArgs, Prepared),
        (plan, seed): (Plan, u64),
        writer: RunWriter,
        earlier: Earlier,
    ) -> Self {
        let groups = plan.comparison_groups(|_| false);
        Self { arguments, prepared, plan, seed, groups, writer, earlier, notes: 0 }
    }

    fn job(&self) -> Job<'_> {
        let Prepared { loader, modules, effort, .. } = &self.prepared;
        Job { loader, modules, plan: &self.plan, effort: *effort, seed: self.seed, common: &self.arguments.common }
    }

    /// The longest time between two messages.
    pub(super) fn longest_repetition(&self) -> Duration {
        longest_repetition(&self.job())
    }

    /// Writes and sends the head of the run file, and the rooflines; or sends what the file has, if the agent was started again.
    pub(super) fn begin(&mut self, spec: &Spec, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        if self.earlier.is_begun {
            self.send_again(spec, uplink, interrupt)?;
        } else {
            let job = self.job();
            let run = run_record(&job, &spec.id, jiff::Timestamp::now(), spec.command.clone());
            let mut head = vec![Record::Run(run)];
            head.extend(job.modules.records().into_iter().map(Record::Module));
            self.publish(uplink, interrupt, |_, journal| Ok(journal.append(&head)?))?;
        }
        if self.earlier.is_calibrated {
            return Ok(());
        }
        self.calibrate(When::Before, uplink, interrupt)
    }

    /// Sends every block of the run file. Those that the coordinator has count for nothing.
    fn send_again(&mut self, spec: &Spec, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        let directory = self.writer.directory().to_owned();
        for block in own_blocks(&directory)? {
            let (part, block) = block?;
            self.notes += u32::from(matches!(part, Part::Note(_)));
            uplink.block(part, &block)?;
        }
        let (started, command) = (jiff::Timestamp::now().to_string(), spec.command.clone());
        let resumed = Record::Resumed(ResumedRecord { started, command, fingerprint: fingerprint(&directory) });
        self.publish(uplink, interrupt, |_, journal| Ok(journal.append(&[resumed])?))
    }

    /// Measures whole groups of cells, in the order of the plan. Returns whether it was not interrupted.
    pub(super) fn measure(
        &mut self,
        groups: &[u32],
        uplink: &mut Uplink,
        interrupt: &Interrupt,
    ) -> anyhow::Result<bool> {
        let mut cells = BTreeSet::new();
        for group in groups {
            let group = self.groups.get(*group as usize).with_context(|| format!("the plan has no group {group}"))?;
            cells.extend(group.cells.iter().copied());
        }
        let directory = self.writer.directory().to_owned();
        // A group comes a second time to an agent that was started again, or was silent for too long.
        let is_known = !self.earlier.cells.is_disjoint(&cells);
        let known = if is_known { records_of(&directory, &cells)? } else { Vec::new() };
        self.earlier.cells.extend(&cells);
        let done = Done::of(&self.plan, &known)?;
        let ended = self.publish(uplink, interrupt, |job, journal| {
            let done = done.without(job.plan, |cell| !cells.contains(&cell));
            let mut executor = WorkerExecutor { job, interrupt, directory: &directory };
            Ok(bench_engine::run(job.plan, done, &mut executor, journal, &mut Unwatched, interrupt)?)
        })?;
        Ok(ended == RunEnd::Complete && !interrupt.is_raised())
    }

    /// Measures the rooflines again, and ends the run file.
    pub(super) fn finish(&mut self, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        self.calibrate(When::After, uplink, interrupt)?;
        let stopped = Some("this agent measured a part of the run of a fleet".to_owned());
        let end = Record::End(EndRecord { finished: jiff::Timestamp::now().to_string(), stopped });
        self.publish(uplink, interrupt, |_, journal| Ok(journal.append(&[end])?))
    }

    fn calibrate(&mut self, when: When, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        let directory = self.writer.directory().to_owned();
        self.publish(uplink, interrupt, |job, journal| calibrate(job, journal, when, &directory, interrupt))
    }

    /// Calls `body` with a journal that writes each block to the agent's own run file, and then sends it.
    fn publish<T>(
        &mut self,
        uplink: &mut Uplink,
        interrupt: &Interrupt,
        body: impl FnOnce(&Job<'_>, &mut dyn Journal) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let Self { arguments, prepared, plan, seed, writer, notes, .. } = self;
        let Prepared { loader, modules, effort, .. } = &*prepared;
        let job = Job { loader, modules, plan, effort: *effort, seed: *seed, common: &arguments.common };
        body(&job, &mut Published { writer, uplink, interrupt, notes })
    }
}

/// A run file whose blocks are also sent to the coordinator after they were written.
struct Published<'a> {
    writer: &'a mut RunWriter,
    uplink: &'a mut Uplink,
    interrupt: &'a Interrupt,
    notes: &'a mut u32,
}

impl Journal for Published<'_> {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        let block = encode(records);
        self.writer.append_raw(&block)?;
        let part = match records.last() {
            Some(Record::Outcome(outcome)) => Part::Repetition { cell: outcome.cell, process: outcome.process },
            _ => {
                *self.notes += 1;
                Part::Note(*self.notes - 1)
            }
        };
        // Without a coordinator nothing more is asked for; what was measured is in the file.
        if self.uplink.block(part, &block).is_err() {
            self.interrupt.raise();
        }
        Ok(())
    }
}

/// Shows nothing: the coordinator shows the progress of the fleet.
struct Unwatched;

impl Observer for Unwatched {
    fn started(&mut self, _: &Plan, _: Repetition, _: usize) {}
    fn finished(&mut self, _: &Plan, _: &Finished) {}
}
