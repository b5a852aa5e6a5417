//! Executes a plan: one repetition after the other, in the order of the plan. The result of each is written before the next one starts;
//! a contradiction between results is written too.

use crate::{Cell, Done, Finished, Interrupt, Plan, Repetition, void};
use bench_model::{Checksum, Steadiness, Unit};
use bench_sink::runfile::{
    AccountRecord, CellRecord, CheckRecord, ModuleRef, OutcomeRecord, Record, RunWriter, SeriesRecord, Status,
    WriteError,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Instant;

/// The result of one repetition of a cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The processor that the worker was bound to, if it was.
    pub cpu: Option<u32>,
    /// Other conditions that the figures depend on, as names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<(String, String)>,
    /// The samples; none if the outcome is not ok.
    pub series: Vec<SeriesRecord>,
    /// The checks of the results.
    pub checks: Vec<CheckRecord>,
    /// The outcome.
    pub outcome: OutcomeRecord,
    /// The resource usage of its operations, if it was counted.
    pub account: Option<AccountRecord>,
}

impl Report {
    /// The report of a successful repetition. The caller adds processor, conditions and checks.
    pub fn ok(series: Vec<SeriesRecord>, outcome: OutcomeRecord) -> Self {
        Self { cpu: None, conditions: Vec::new(), series, checks: Vec::new(), outcome, account: None }
    }

    /// The report of a repetition without figures: its status and the reason.
    pub fn without_figures(repetition: Repetition, status: Status, reason: impl Into<String>) -> Self {
        let outcome = OutcomeRecord {
            reason: Some(reason.into()),
            ..OutcomeRecord::without_figures(repetition.cell, repetition.process, status)
        };
        Self { cpu: None, conditions: Vec::new(), series: Vec::new(), checks: Vec::new(), outcome, account: None }
    }
}

impl Report {
    /// How the times of operations developed: those of the series that has the name of the scenario.
    fn steadiness(&self, scenario: &str) -> Option<Steadiness> {
        let is_timed = |series: &&SeriesRecord| series.metric == scenario && series.labels.is_empty();
        let series = self.series.iter().find(is_timed).filter(|series| series.unit == Unit::Nanoseconds)?;
        let samples: Vec<f64> = series.raw.as_ref()?.iter().map(|sample| *sample as f64).collect();
        bench_stats::steadiness(&samples)
    }
}

/// How the execution of a repetition ended.
#[derive(Debug)]
pub enum RepetitionEnd {
    /// With a report, which may be of a failure.
    Done(Box<Report>),
    /// Interrupted; the repetition does not count.
    Interrupted,
}

/// Executes repetitions.
pub trait Executor {
    /// Executes one repetition of a cell, and always returns.
    fn execute(&mut self, plan: &Plan, repetition: Repetition) -> RepetitionEnd;

    /// Counts the resource usage of the cell of `repetition`, which is the first that the run keeps. `None` if it is not meant to be counted.
    fn count_usage(&mut self, plan: &Plan, repetition: Repetition) -> Option<AccountRecord> {
        let _ = (plan, repetition);
        None
    }
}

/// Stores records.
pub trait Journal {
    /// Stores `records` durably as one block.
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError>;
}

impl Journal for RunWriter {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        RunWriter::append(self, records)
    }
}

/// Observes the progress of a run.
pub trait Observer {
    /// Called before `repetition`, which has the number `index` in the order, is executed.
    fn started(&mut self, plan: &Plan, repetition: Repetition, index: usize);
    /// Called after a repetition was executed and its records were written.
    fn finished(&mut self, plan: &Plan, finished: &Finished);
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// Every repetition was executed, or its cell was abandoned.
    Complete,
    /// The run was interrupted.
    Interrupted,
}

/// Executes the repetitions of `plan` that are not `done`. A cell that failed or was skipped is not tried again in later rounds; a void one
/// is.
pub fn run(
    plan: &Plan,
    mut done: Done,
    executor: &mut dyn Executor,
    journal: &mut dyn Journal,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<RunEnd, WriteError> {
    for (index, repetition) in plan.order.iter().copied().enumerate() {
        if interrupt.is_raised() {
            return Ok(RunEnd::Interrupted);
        }
        if !done.is_left(repetition) {
            continue;
        }
        observer.started(plan, repetition, index);
        let begun = Instant::now();
        let mut report = match executor.execute(plan, repetition) {
            RepetitionEnd::Done(report) => report.checked(plan, repetition, begun.elapsed()),
            RepetitionEnd::Interrupted => return Ok(RunEnd::Interrupted),
        };
        void::apply_witness(&mut report);
        let contradicted = done.results.contradicted_by(plan, repetition, &mut report);
        // Not before it is known that the repetition is kept: a cell whose first one is void has another.
        let is_first_kept = report.outcome.status == Status::Ok && done.begins_to_count(repetition.cell);
        let usage = is_first_kept.then(|| executor.count_usage(plan, repetition)).flatten();
        report.account = usage.map(|usage| usage_of(repetition, usage));
        let finished = Finished::of(plan, repetition, &report);
        let mut block = block(plan, repetition, report);
        // Before the outcome, which ends the block: if the outcome exists, the block is complete.
        let end = block.len() - 1;
        block.splice(end..end, contradicted.iter().map(|report| Record::Outcome(report.outcome.clone())));
        journal.append(&block)?;
        done.take(&finished.outcome);
        contradicted.iter().for_each(|report| done.take(&report.outcome));
        observer.finished(plan, &finished);
    }
    Ok(RunEnd::Complete)
}

/// What a worker counted for `repetition`, whatever cell its reply names.
pub(crate) fn usage_of(repetition: Repetition, usage: AccountRecord) -> AccountRecord {
    AccountRecord { cell: repetition.cell, process: repetition.process, ..usage }
}

/// The records of one repetition, in order.
pub(crate) fn block(plan: &Plan, repetition: Repetition, mut report: Report) -> Vec<Record> {
    report.outcome.steadiness = report.steadiness(&plan.cell(repetition.cell).scenario.name);
    let mut block = vec![Record::Cell(cell_record(plan, repetition, report.cpu, report.conditions))];
    block.extend(report.series.into_iter().map(Record::Series));
    block.extend(report.checks.into_iter().map(Record::Check));
    block.extend(report.account.map(Record::Account));
    block.push(Record::Outcome(report.outcome));
    block
}

pub(crate) fn cell_record(
    plan: &Plan,
    repetition: Repetition,
    cpu: Option<u32>,
    conditions: Vec<(String, String)>,
) -> CellRecord {
    let cell = plan.cell(repetition.cell);
    let offer = plan.offer(cell);
    CellRecord {
        cell: repetition.cell,
        process: repetition.process,
        scenario: plan.full_name(cell),
        family: cell.scenario.family.clone(),
        arm: offer.arm,
        variant: offer.variant.clone(),
        arguments: cell.arguments.clone(),
        module: ModuleRef { file: offer.file.display().to_string(), sha256: offer.sha256.clone() },
        limit: cell.scenario.limit.map(Into::into),
        cpu,
        conditions,
    }
}

/// The checksums so far, by scenario and arguments, with the repetition that had each first.
#[derive(Default)]
pub(crate) struct Results(HashMap<String, (Checksum, Repetition)>);

impl Results {
    /// Adds the checksum of an earlier repetition.
    pub(crate) fn note(&mut self, plan: &Plan, repetition: Repetition, checksum: Checksum) {
        self.0.entry(key(plan.cell(repetition.cell), plan)).or_insert((checksum, repetition));
    }

    /// Compares the checksum of `report` with the earlier one of the same scenario and arguments. If they differ, neither can be
    /// trusted: fails `report`, and returns the failure of the other cell, if it is a different cell.
    pub(crate) fn contradicted_by(
        &mut self,
        plan: &Plan,
        repetition: Repetition,
        report: &mut Report,
    ) -> Option<Report> {
        let checksum = report.outcome.checksum.filter(|_| report.outcome.status == Status::Ok)?;
        let cell = plan.cell(repetition.cell);
        let (first, by) = *self.0.entry(key(cell, plan)).or_insert((checksum, repetition));
        if first == checksum {
            return None;
        }
        let describe = |repetition: Repetition, cell: &Cell| {
            let offer = plan.offer(cell);
            let variant = offer.variant.as_ref().map_or_else(String::new, |variant| format!("+{variant}"));
            format!("arm {}{variant} (process {})", offer.arm, repetition.process)
        };
        let reads = cell.scenario.requirements.iter().any(|requirement| requirement.read_parameter().is_some());
        let hint = if reads { "; if the input has changed in the meantime, run it again" } else { "" };
        let reason = format!(
            "checksum {checksum} of {} differs from {first} of {}: equal arguments must yield equal results{hint}",
            describe(repetition, cell),
            describe(by, plan.cell(by.cell)),
        );
        *report = Report {
            checks: std::mem::take(&mut report.checks),
            ..Report::without_figures(repetition, Status::Failed, &reason)
        };
        (by.cell != repetition.cell).then(|| Report::without_figures(by, Status::Failed, reason))
    }
}

/// Identifies the cells that must have equal results.
fn key(cell: &Cell, plan: &Plan) -> String {
    format!("{} {:?}", plan.full_name(cell), cell.arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::{Memory, Nobody};
    use crate::plan::tests::{loaded, plan_of};
    use bench_model::{Arm, Descriptor, Scenario};
    use bench_sink::environment::Witness;

    /// An executor that answers from a table and notes its calls. What it counts is named as that of another cell.
    struct Mock<'a> {
        answer: Box<dyn Fn(Arm, Repetition) -> RepetitionEnd + 'a>,
        executed: Vec<Repetition>,
    }

    impl Executor for Mock<'_> {
        fn execute(&mut self, plan: &Plan, repetition: Repetition) -> RepetitionEnd {
            self.executed.push(repetition);
            (self.answer)(plan.offer(plan.cell(repetition.cell)).arm, repetition)
        }

        fn count_usage(&mut self, _: &Plan, _: Repetition) -> Option<AccountRecord> {
            Some(AccountRecord { cell: 77, process: 78, ..AccountRecord::default() })
        }
    }

    /// Cell 0 is the scenario in the arm wasm, cell 1 in native.
    fn plan() -> Plan {
        let descriptor = Descriptor::new("m", "1", "").scenario(Scenario::new("s", "f", ""));
        plan_of(vec![loaded(Arm::Wasm, &descriptor), loaded(Arm::Native, &descriptor)], 3, 7)
    }

    fn ok(repetition: Repetition, checksum: u64) -> RepetitionEnd {
        let checksum = Some(Checksum(checksum));
        let outcome = OutcomeRecord { checksum, ..OutcomeRecord::ok(repetition.cell, repetition.process) };
        RepetitionEnd::Done(Box::new(Report::ok(Vec::new(), outcome)))
    }

    fn check(answer: impl Fn(Arm, Repetition) -> RepetitionEnd, executed: usize, outcomes: &[(u32, u32, Status)]) {
        let plan = plan();
        let mut mock = Mock { answer: Box::new(answer), executed: Vec::new() };
        let mut memory = Memory::default();
        run(&plan, Done::default(), &mut mock, &mut memory, &mut Nobody, &Interrupt::new()).unwrap();
        assert_eq!(mock.executed.len(), executed);
        let mut found: Vec<_> = memory
            .blocks
            .iter()
            .flatten()
            .filter_map(
                |record| if let Record::Outcome(o) = record { Some((o.cell, o.process, o.status)) } else { None },
            )
            .collect();
        found.sort_by_key(|(cell, process, _)| (*cell, *process));
        assert_eq!(found, outcomes);
    }

    #[test]
    fn every_repetition_is_executed_and_written() {
        let all: Vec<_> = (0..2).flat_map(|cell| (0..3).map(move |process| (cell, process, Status::Ok))).collect();
        check(|_, repetition| ok(repetition, 1), 6, &all);
    }

    #[test]
    fn void_cell_is_tried_again() {
        let answer = |arm, repetition: Repetition| match (arm, repetition.process) {
            (Arm::Wasm, 0) => {
                RepetitionEnd::Done(Box::new(Report::without_figures(repetition, Status::Void, "too slow")))
            }
            _ => ok(repetition, 1),
        };
        let others = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)].map(|(cell, process)| (cell, process, Status::Ok));
        let all: Vec<_> = std::iter::once((0, 0, Status::Void)).chain(others).collect();
        check(answer, 6, &all);
    }

    /// Expects that resource usage is counted of these repetitions alone.
    fn check_usage(answer: impl Fn(Arm, Repetition) -> RepetitionEnd, expect: &[(u32, u32)]) {
        let mut mock = Mock { answer: Box::new(answer), executed: Vec::new() };
        let mut memory = Memory::default();
        run(&plan(), Done::default(), &mut mock, &mut memory, &mut Nobody, &Interrupt::new()).unwrap();
        let of_account =
            |record: &Record| if let Record::Account(a) = record { Some((a.cell, a.process)) } else { None };
        let mut counted: Vec<_> = memory.blocks.iter().flatten().filter_map(of_account).collect();
        counted.sort_unstable();
        assert_eq!(counted, expect);
    }

    #[test]
    fn usage_is_counted_once_with_the_first_repetition_that_is_kept() {
        let void =
            |repetition| RepetitionEnd::Done(Box::new(Report::without_figures(repetition, Status::Void, "too slow")));
        // Said to be good by the worker, and made void because the machine stood still.
        let stood_still = |repetition: Repetition| {
            let suspended_ns = Some(1_000_000_000);
            let witness = Some(Witness { wall_ns: 1, suspended_ns, ..Witness::default() });
            let outcome = OutcomeRecord { witness, ..OutcomeRecord::ok(repetition.cell, repetition.process) };
            RepetitionEnd::Done(Box::new(Report::ok(Vec::new(), outcome)))
        };
        check_usage(|_, repetition| ok(repetition, 1), &[(0, 0), (1, 0)]);
        let first_is_void = |arm, repetition: Repetition| match (arm, repetition.process) {
            (Arm::Wasm, 0) => void(repetition),
            (Arm::Native, 0 | 1) => stood_still(repetition),
            _ => ok(repetition, 1),
        };
        check_usage(first_is_void, &[(0, 1), (1, 2)]);
        check_usage(|_, repetition| void(repetition), &[]);
        let forged = |_, repetition: Repetition| {
            let usage = usage_of(repetition, AccountRecord::default());
            let report = Report::without_figures(repetition, Status::Failed, "why");
            RepetitionEnd::Done(Box::new(Report { account: Some(usage), ..report }))
        };
        check_usage(forged, &[]);
    }

    #[test]
    fn failed_or_skipped_cell_is_not_tried_again() {
        for status in [Status::Failed, Status::Skipped] {
            let answer = |arm, repetition| match arm {
                Arm::Wasm => RepetitionEnd::Done(Box::new(Report::without_figures(repetition, status, "why"))),
                _ => ok(repetition, 1),
            };
            check(answer, 4, &[(0, 0, status), (1, 0, Status::Ok), (1, 1, Status::Ok), (1, 2, Status::Ok)]);
        }
    }

    #[test]
    fn arms_that_disagree_both_fail() {
        let answer = |arm, repetition| ok(repetition, u64::from(arm == Arm::Native));
        // The first one is ok until the second one contradicts it.
        let plan = plan();
        let mut mock = Mock { answer: Box::new(answer), executed: Vec::new() };
        let mut memory = Memory::default();
        run(&plan, Done::default(), &mut mock, &mut memory, &mut Nobody, &Interrupt::new()).unwrap();
        let last: HashMap<u32, OutcomeRecord> = memory
            .blocks
            .iter()
            .flatten()
            .filter_map(|record| if let Record::Outcome(o) = record { Some((o.cell, o.clone())) } else { None })
            .collect();
        assert_eq!(mock.executed.len(), 2);
        for cell in [0, 1] {
            assert_eq!(last[&cell].status, Status::Failed);
            assert!(last[&cell].reason.as_ref().unwrap().contains("equal arguments must yield equal results"));
        }
    }

    #[test]
    fn process_that_disagrees_with_an_earlier_one_fails_the_cell() {
        let answer = |arm, repetition: Repetition| match arm {
            Arm::Wasm => RepetitionEnd::Done(Box::new(Report::without_figures(repetition, Status::Skipped, "why"))),
            _ => ok(repetition, u64::from(repetition.process)),
        };
        check(answer, 3, &[(0, 0, Status::Skipped), (1, 0, Status::Ok), (1, 1, Status::Failed)]);
    }

    #[test]
    fn reply_about_another_cell_fails_only_its_own() {
        let forged = |cell, process| Report::ok(Vec::new(), OutcomeRecord::ok(cell, process));
        for named in [(1, 0), (0, 1), (4_000_000, 0)] {
            let answer = |arm, repetition| match arm {
                Arm::Wasm => RepetitionEnd::Done(Box::new(forged(named.0, named.1))),
                _ => ok(repetition, 1),
            };
            check(answer, 4, &[(0, 0, Status::Failed), (1, 0, Status::Ok), (1, 1, Status::Ok), (1, 2, Status::Ok)]);
        }
    }

    #[test]
    fn interrupt_ends_the_run_and_the_unit_does_not_count() {
        let interrupt = Interrupt::new();
        let answer = |_, repetition: Repetition| match repetition.process {
            0 => ok(repetition, 1),
            _ => RepetitionEnd::Interrupted,
        };
        let mut mock = Mock { answer: Box::new(answer), executed: Vec::new() };
        let mut memory = Memory::default();
        let ended = run(&plan(), Done::default(), &mut mock, &mut memory, &mut Nobody, &interrupt).unwrap();
        assert_eq!((ended, mock.executed.len(), memory.blocks.len()), (RunEnd::Interrupted, 3, 2));
        interrupt.raise();
        let ended = run(&plan(), Done::default(), &mut mock, &mut memory, &mut Nobody, &interrupt).unwrap();
        assert_eq!((ended, mock.executed.len()), (RunEnd::Interrupted, 3), "no further repetition is executed");
    }

    #[test]
    fn full_journal_ends_the_run() {
        let mut mock = Mock { answer: Box::new(|_, repetition| ok(repetition, 1)), executed: Vec::new() };
        let mut memory = Memory { room: Some(2), ..Memory::default() };
        let error = run(&plan(), Done::default(), &mut mock, &mut memory, &mut Nobody, &Interrupt::new()).unwrap_err();
        assert_eq!(error.source.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(mock.executed.len(), 3);
    }
}
