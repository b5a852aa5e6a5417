//! One cell, with the records of all its processes merged.

use crate::{ReportError, RunView, SeriesView, account};
use bench_model::{Arguments, Arm, Checksum, MachineLimit, Steadiness, Unit};
use bench_sink::environment::Witness;
use bench_sink::runfile::{
    AccountRecord, CellRecord, CheckRecord, LedgerRecord, ModuleRef, OutcomeRecord, Overhead, SeriesRecord, Status,
};
use std::collections::{BTreeMap, BTreeSet};

/// A scenario in an arm with concrete arguments, and what was found.
#[derive(Clone, Debug)]
pub struct CellView {
    /// Its number in the plan.
    pub cell: u32,
    /// `module/scenario`.
    pub scenario: String,
    /// Groups scenarios.
    pub family: String,
    /// How it was executed.
    pub arm: Arm,
    /// What is unlike the arm's default settings, where something is.
    pub variant: Option<String>,
    /// With what.
    pub arguments: Arguments,
    /// Failed where any process failed, otherwise ok where any is, otherwise void where any is.
    pub status: Status,
    /// Why it is not ok; or, of an ok cell, why fewer processes count than were planned.
    pub reason: Option<String>,
    /// Where the code came from.
    pub module: ModuleRef,
    /// What its operations are compared with.
    pub limit: Option<MachineLimit>,
    /// The processor that all processes were bound to, where it is one.
    pub cpu: Option<u32>,
    /// What else the figures depend on, as the driver found it; what differs between processes is of the first.
    pub conditions: Vec<(String, String)>,
    /// Processes that ended well.
    pub processes: u32,
    /// Operations that were timed in those.
    pub iterations: u64,
    /// Payload bytes of those operations.
    pub bytes: u64,
    /// Timed samples that were recorded.
    pub recorded: u64,
    /// Samples that were lost, late or failed, where the driver has such a notion.
    pub lost: Option<u64>,
    /// Of one operation's result; the same in every process.
    pub checksum: Option<Checksum>,
    /// What measuring cost: the mean over the processes.
    pub overhead: Option<Overhead>,
    /// How the timed samples of each process developed, of those that ended well and have enough of them.
    pub steadiness: Vec<Steadiness>,
    /// How many nanoseconds loading its modules took in each process that ended well, where it was timed.
    pub loads_ns: Vec<f64>,
    /// The bytes that its modules printed in the processes that ended well, where they were counted.
    pub printed_bytes: Option<u64>,
    /// What was looked at.
    pub checks: Vec<CheckView>,
    /// The figures; none where the cell is not ok.
    pub series: Vec<SeriesView>,
    /// What its operations used and did, of all processes together; none where the cell is not ok.
    pub account: Option<AccountRecord>,
    /// Where the time of its operations went, by process; none where the cell is not ok.
    pub(crate) ledgers: Vec<LedgerRecord>,
    /// What the machine did during each process, as far as it was looked at.
    pub(crate) witnesses: Vec<Witness>,
    /// The processes that ended well.
    pub(crate) ended_well: BTreeSet<u32>,
    /// The times of operations by process, in their order, where each was timed by itself; none where the cell is not ok.
    pub timed_processes: Vec<Vec<f64>>,
}

/// One thing that was looked at, over all processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// Unique in the cell.
    pub name: String,
    /// Whether it held in every process.
    pub passed: bool,
    /// Expected against found, of the first process in which it did not hold, or else of the first.
    pub detail: String,
}

impl CellView {
    /// The arm, and the variant where there is one: `wasm`, `wasm+fuel`.
    pub fn arm_label(&self) -> String {
        arm_label(self.arm, self.variant.as_deref())
    }

    /// The class of most of its processes, unless that is flat, and how many these are. A single process says nothing.
    pub fn unsteadiness(&self) -> Option<(Steadiness, usize)> {
        let count = |class: Steadiness| self.steadiness.iter().filter(|one| **one == class).count();
        let classes = Steadiness::ALL.into_iter().filter(|class| *class != Steadiness::Flat);
        let (class, count) = classes.map(|class| (class, count(class))).max_by_key(|(_, count)| *count)?;
        (count >= 2 && 2 * count > self.steadiness.len()).then_some((class, count))
    }

    /// The scenario's own name, after the slash.
    pub fn scenario_name(&self) -> &str {
        own_name(&self.scenario)
    }

    /// Whether this cell and `other` have the same values of all arguments that both have, except for those in `except`.
    pub fn agrees_with(&self, other: &Self, except: &[&str]) -> bool {
        let mut matter = self.arguments.iter().filter(|(name, _)| !except.contains(name));
        matter.all(|(name, value)| other.arguments.get(name).is_none_or(|found| found == value))
    }

    /// What tells this cell from others, in the order of reports.
    pub(crate) fn identity(&self) -> Identity<'_> {
        (&self.scenario, &self.arguments, self.arm, self.variant.as_deref())
    }

    /// The series that holds the time of the operation: the one with the scenario's own name.
    pub fn timed(&self) -> Option<&SeriesView> {
        self.series.iter().find(|series| self.is_timed(series))
    }

    /// Takes the figures of the repetitions that ended well.
    fn count(&mut self, repetitions: Vec<Repetition>) -> Result<(), ReportError> {
        let (mut series, mut accounts) = (Vec::new(), Vec::new());
        for repetition in repetitions {
            self.timed_processes.extend(timed_one_by_one(&repetition, own_name(&self.scenario)));
            series.extend(repetition.series);
            accounts.extend(repetition.account);
            self.ledgers.extend(repetition.ledger);
        }
        self.account = account::merge(accounts);
        let mut series = SeriesView::merge(series)?;
        series.sort_by_key(|series| !self.is_timed(series));
        self.series = series;
        Ok(())
    }

    pub(crate) fn is_timed(&self, series: &SeriesView) -> bool {
        series.metric == self.scenario_name() && series.labels.is_empty()
    }

    /// How many times the machine's limit the median operation takes. A limit per byte is multiplied by the bytes of one
    /// operation. Nothing where either is not known, or where too few samples support the median.
    pub fn ratio_to_limit(&self, run: &RunView) -> Option<f64> {
        let limit = self.limit?;
        let per_unit = run.limit_of(self.cell, limit)?;
        let timed = self.timed().filter(|series| series.unit == Unit::Nanoseconds)?;
        let units = match limit.is_per_byte() {
            true if self.iterations == 0 => return None,
            true => self.bytes as f64 / self.iterations as f64,
            false => 1.0,
        };
        let floor = per_unit * units;
        (floor > 0.0).then_some(timed.summary.p50? / floor)
    }
}

/// The times of operations that were timed one by one, few enough to be kept in their order.
fn timed_one_by_one(repetition: &Repetition, name: &str) -> Option<Vec<f64>> {
    let is_timed = |series: &&SeriesRecord| series.metric == name && series.labels.is_empty();
    let series = repetition.series.iter().find(is_timed)?;
    let raw = series.raw.as_ref().filter(|raw| series.batch == 1 && raw.len() <= ONE_BY_ONE_MAX)?;
    Some(raw.iter().map(|ns| *ns as f64).collect())
}

/// `wasm`, `wasm+fuel`: the arm, and the variant where there is one.
pub fn arm_label(arm: Arm, variant: Option<&str>) -> String {
    variant.map_or_else(|| arm.to_string(), |variant| format!("{arm}+{variant}"))
}

/// Scenario, arguments, arm and variant.
pub(crate) type Identity<'a> = (&'a str, &'a Arguments, Arm, Option<&'a str>);

/// The name of a scenario without that of its module; the timed series bears it.
pub(crate) fn own_name(scenario: &str) -> &str {
    scenario.split_once('/').map_or(scenario, |(_, name)| name)
}

/// The records of one cell, by process.
pub(crate) struct Block {
    identity: CellRecord,
    repetitions: BTreeMap<u32, Repetition>,
}

/// More operations of one process need not be kept one by one: an operation this short is compared interleaved.
const ONE_BY_ONE_MAX: usize = 10_000;

#[derive(Default)]
struct Repetition {
    cpu: Option<u32>,
    conditions: Vec<(String, String)>,
    series: Vec<SeriesRecord>,
    checks: Vec<CheckRecord>,
    outcome: Option<OutcomeRecord>,
    ledger: Option<LedgerRecord>,
    account: Option<AccountRecord>,
}

impl Block {
    pub(crate) fn new(identity: CellRecord) -> Self {
        Self { identity, repetitions: BTreeMap::new() }
    }

    pub(crate) fn begin(&mut self, record: &CellRecord) {
        let (cpu, conditions) = (record.cpu, record.conditions.clone());
        self.repetitions.insert(record.process, Repetition { cpu, conditions, ..Repetition::default() });
    }

    pub(crate) fn series(&mut self, record: SeriesRecord) {
        self.repetitions.entry(record.process).or_default().series.push(record);
    }

    pub(crate) fn check(&mut self, record: CheckRecord) {
        self.repetitions.entry(record.process).or_default().checks.push(record);
    }

    /// The last outcome of a process holds: a later cell may have contradicted an earlier one.
    pub(crate) fn outcome(&mut self, record: OutcomeRecord) {
        let repetition = self.repetitions.entry(record.process).or_default();
        repetition.outcome = Some(record);
    }

    pub(crate) fn ledger(&mut self, record: LedgerRecord) {
        let repetition = self.repetitions.entry(record.process).or_default();
        repetition.ledger = Some(record);
    }

    pub(crate) fn account(&mut self, record: AccountRecord) {
        let repetition = self.repetitions.entry(record.process).or_default();
        repetition.account = Some(record);
    }

    /// The view, where at least one process came to an end.
    pub(crate) fn view(self, planned_processes: u32) -> Result<Option<CellView>, ReportError> {
        let Self { identity, repetitions } = self;
        // What has no outcome was cut off in the middle of its block.
        let whole: Vec<_> = repetitions
            .into_values()
            .filter_map(|mut repetition| repetition.outcome.take().map(|outcome| (outcome, repetition)))
            .collect();
        let Some(end) = whole.iter().map(|(outcome, _)| outcome).min_by_key(|outcome| rank(outcome.status)) else {
            return Ok(None);
        };
        let is_ok = |outcome: &OutcomeRecord| outcome.status == Status::Ok;
        let ok: Vec<&OutcomeRecord> =
            whole.iter().map(|(outcome, _)| outcome).filter(|outcome| is_ok(outcome)).collect();
        let unmeasured = whole.iter().map(|(outcome, _)| outcome).find(|outcome| !is_ok(outcome));
        let reason = match end.status {
            Status::Ok => {
                partial(ok.len() as u32, planned_processes, unmeasured.and_then(|outcome| outcome.reason.as_deref()))
            }
            Status::Failed | Status::Skipped | Status::Void => end.reason.clone(),
        };
        let mut view = CellView {
            cell: identity.cell,
            scenario: identity.scenario,
            family: identity.family,
            arm: identity.arm,
            variant: identity.variant,
            arguments: identity.arguments,
            status: end.status,
            reason,
            module: identity.module,
            // A limit that a later version added is not one this version can compare with.
            limit: identity.limit.and_then(|limit| limit.known()),
            cpu: same(whole.iter().map(|(_, repetition)| repetition.cpu)),
            conditions: whole.first().map(|(_, repetition)| repetition.conditions.clone()).unwrap_or_default(),
            processes: ok.len() as u32,
            iterations: ok.iter().map(|outcome| outcome.iterations).fold(0, u64::saturating_add),
            bytes: ok.iter().map(|outcome| outcome.bytes).fold(0, u64::saturating_add),
            recorded: ok.iter().map(|outcome| outcome.recorded).fold(0, u64::saturating_add),
            lost: ok.iter().filter_map(|outcome| outcome.lost).reduce(u64::saturating_add),
            checksum: ok.iter().find_map(|outcome| outcome.checksum),
            overhead: mean_overhead(ok.iter().filter_map(|outcome| outcome.overhead)),
            steadiness: ok.iter().filter_map(|outcome| outcome.steadiness).collect(),
            loads_ns: ok.iter().filter_map(|outcome| outcome.load_ns).map(|ns| ns as f64).collect(),
            printed_bytes: ok.iter().filter_map(|outcome| outcome.printed_bytes).reduce(u64::saturating_add),
            checks: checks(whole.iter().flat_map(|(_, repetition)| &repetition.checks)),
            series: Vec::new(),
            account: None,
            ledgers: Vec::new(),
            witnesses: whole.iter().filter_map(|(outcome, _)| outcome.witness).collect(),
            ended_well: ok.iter().map(|outcome| outcome.process).collect(),
            timed_processes: Vec::new(),
        };
        if view.status == Status::Ok {
            let counted = whole.into_iter().filter(|(outcome, _)| is_ok(outcome)).map(|(_, repetition)| repetition);
            view.count(counted.collect())?;
        }
        Ok(Some(view))
    }
}

/// What decides the status of a cell comes first.
fn rank(status: Status) -> u8 {
    match status {
        Status::Failed => 0,
        Status::Ok => 1,
        Status::Void => 2,
        Status::Skipped => 3,
    }
}

fn partial(finished: u32, planned: u32, unmeasured: Option<&str>) -> Option<String> {
    let text = format!("{finished} of {planned} processes finished");
    (finished < planned).then(|| unmeasured.map_or_else(|| text.clone(), |why| format!("{text}: {why}")))
}

/// The value that all of them have, if they are equal.
fn same<T: PartialEq>(mut values: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = values.next()??;
    values.all(|value| value.as_ref() == Some(&first)).then_some(first)
}

fn mean_overhead(overheads: impl Iterator<Item = Overhead>) -> Option<Overhead> {
    let all: Vec<_> = overheads.collect();
    let mean = |of: fn(&Overhead) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
    (!all.is_empty()).then(|| Overhead { clock_ns: mean(|one| one.clock_ns), call_ns: mean(|one| one.call_ns) })
}

fn checks<'a>(records: impl Iterator<Item = &'a CheckRecord>) -> Vec<CheckView> {
    let mut views: Vec<CheckView> = Vec::new();
    for record in records {
        let view = CheckView { name: record.name.clone(), passed: record.passed, detail: record.detail.clone() };
        match views.iter_mut().find(|known| known.name == view.name) {
            Some(known) if known.passed && !view.passed => *known = view,
            Some(_) => {}
            None => views.push(view),
        }
    }
    views
}
