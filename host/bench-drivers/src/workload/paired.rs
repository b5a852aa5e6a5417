//! Measures several arms of one scenario interleaved in one process: opens, verifies and warms up all, measures block by block, and
//! verifies all again. If one of them has no figure, there is no ratio.

use super::{CellFailure, bound_cpu, check_record, outcome, timed_series, verify};
use crate::{LedgerTask, Module, Recording};
use bench_engine::{
    Contender, MonotonicClock, PairedBudget, PairedReport, Repetition, Report, first, measure_in_turns, overhead,
    warm_up_contender,
};
use bench_model::{Arguments, Check, Checksum, Scenario, Session};
use bench_sink::Series;
use bench_sink::runfile::{LedgerRecord, Overhead, SeriesRecord, Status};

/// An arm of the comparison.
pub struct Entrant<'a> {
    /// The module.
    pub module: &'a mut dyn Module,
    /// The name in reports: `wasm`, `native`.
    pub label: String,
    /// The scenario as this module describes it. Another build of the module, or another module, may name it differently.
    pub scenario: &'a Scenario,
    /// The number of its cell.
    pub cell: u32,
    /// The arguments, with paths as the module sees them.
    pub arguments: &'a Arguments,
}

/// The common settings of all arms.
#[derive(Clone, Debug)]
pub struct PairedTask<'a> {
    /// The scenario that is reported: that of the baseline.
    pub scenario: &'a Scenario,
    /// The number of the repetition.
    pub process: u32,
    /// How much is measured.
    pub budget: PairedBudget,
    /// How long a component is observed afterwards for its cost breakdown; 0 for no breakdown.
    pub ledger_ns: u64,
    /// The seed of the random orders.
    pub seed: u64,
}

/// Sessions of each arm. Two sessions of the same arm differ only by noise, which is the noise floor of the ratio.
const SESSIONS: usize = 2;

/// An arm while it is measured.
struct Side {
    repetition: Repetition,
    sessions: Vec<Box<dyn Recording>>,
    checksum: u64,
    overhead: Overhead,
    checks: Vec<Check>,
}

/// The reason why there is no figure, and the arm that caused it.
type Fault = (usize, CellFailure);

/// Measures all `entrants` interleaved.
pub fn compare(entrants: &mut [Entrant<'_>], task: &PairedTask<'_>) -> PairedReport {
    let cpu = bound_cpu(task.scenario);
    let mut sides = Vec::new();
    if entrants.iter().any(|entrant| entrant.scenario.has_own_clock()) {
        let reason =
            "the scenario times itself, so arms cannot be interleaved; compare two runs instead (`compare RUN RUN`)";
        let failure = CellFailure { status: Status::Skipped, reason: reason.to_owned() };
        let reports = without_figures(entrants, task, &sides, &(0, failure));
        return PairedReport { reports, sessions: SESSIONS as u32, ledgers: Vec::new() };
    }
    let measured = open_all(entrants, task, &mut sides).and_then(|()| measure(&mut sides, task));
    let (mut reports, ledgers) = match measured {
        Ok((reports, batches)) => {
            drop(std::mem::take(&mut sides));
            let ledgers = ledgers(entrants, task, &batches);
            (reports, ledgers)
        }
        Err(fault) => (without_figures(entrants, task, &sides, &fault), Vec::new()),
    };
    reports.iter_mut().for_each(|report| report.cpu = cpu);
    PairedReport { reports, sessions: SESSIONS as u32, ledgers }
}

fn open_all(entrants: &mut [Entrant<'_>], task: &PairedTask<'_>, sides: &mut Vec<Side>) -> Result<(), Fault> {
    for (index, entrant) in entrants.iter_mut().enumerate() {
        let side = open(entrant, task.process).map_err(|failure| (index, failure))?;
        let first = sides.first().map_or(side.checksum, |first: &Side| first.checksum);
        let found = side.checksum;
        sides.push(side);
        if found != first {
            let reason = format!(
                "the arms disagree, so there is no ratio: the checksum of {} is {}, that of {} is {}; equal arguments must yield equal results",
                entrants[0].label,
                Checksum(first),
                entrants[index].label,
                Checksum(found),
            );
            return Err((index, CellFailure { status: Status::Failed, reason }));
        }
    }
    Ok(())
}

fn open(entrant: &mut Entrant<'_>, process: u32) -> Result<Side, CellFailure> {
    let mut sessions = Vec::with_capacity(SESSIONS);
    let mut checks = Vec::new();
    let mut checksum = 0;
    for _ in 0..SESSIONS {
        let mut session = entrant.module.open(entrant.scenario, entrant.arguments)?;
        checksum = first(session.as_mut())?;
        verify(session.as_mut(), &mut checks)?;
        sessions.push(session);
    }
    let overhead = overhead(sessions[0].as_mut(), &MonotonicClock::new())?;
    Ok(Side { repetition: Repetition { cell: entrant.cell, process }, sessions, checksum, overhead, checks })
}

/// The reports, each with the number of operations per call.
fn measure(sides: &mut [Side], task: &PairedTask<'_>) -> Result<(Vec<Report>, Vec<u64>), Fault> {
    let clock = MonotonicClock::new();
    let sample_ns = task.budget.sample_ns(sides.len() * SESSIONS, sides.iter().map(|side| &side.overhead));
    let mut contenders = Vec::with_capacity(sides.len());
    for (index, side) in sides.iter_mut().enumerate() {
        let checksum = side.checksum;
        let mut sessions: Vec<&mut dyn Session> =
            side.sessions.iter_mut().map(|session| session.as_mut() as _).collect();
        let warm = warm_up_contender(&mut sessions, &clock, &task.budget, sample_ns, checksum);
        contenders.push(Contender { sessions, warm: warm.map_err(|error| (index, error.into()))? });
    }
    let mut series: Vec<Series> = contenders.iter().map(|_| timed_series(task.scenario)).collect();
    let measured = measure_in_turns(&mut contenders, &clock, &task.budget, task.seed, &mut series);
    let measured = measured.map_err(|(index, error)| (index, error.into()))?;
    let batches = contenders.iter().map(|contender| contender.warm.batch).collect();
    drop(contenders);
    for (index, side) in sides.iter_mut().enumerate() {
        for session in &mut side.sessions {
            verify(session.as_mut(), &mut side.checks).map_err(|failure| (index, failure))?;
        }
    }
    let report = |(side, (measured, series)): (&Side, (_, &Series))| {
        let record = SeriesRecord::new(side.repetition.cell, side.repetition.process, series);
        let checks = side.checks.iter().map(|check| check_record(side.repetition, check)).collect();
        Report { checks, ..Report::ok(vec![record], outcome(side.repetition, &measured, series, side.overhead)) }
    };
    Ok((sides.iter().zip(measured.into_iter().zip(&series)).map(report).collect(), batches))
}

/// If one arm fails, no arm has figures; the reports of the others name the one that failed.
fn without_figures(entrants: &[Entrant<'_>], task: &PairedTask<'_>, sides: &[Side], fault: &Fault) -> Vec<Report> {
    let (at_fault, failure) = fault;
    let report = |(index, entrant): (usize, &Entrant<'_>)| {
        let repetition = Repetition { cell: entrant.cell, process: task.process };
        let mut report = if index == *at_fault {
            Report::without_figures(repetition, failure.status, &failure.reason)
        } else {
            let reason = match failure.status {
                // What the environment lacks, all arms lack: one reason, which reports say once.
                Status::Skipped => failure.reason.clone(),
                _ => format!("not measured, because {} has no figure: {}", entrants[*at_fault].label, failure.reason),
            };
            Report::without_figures(repetition, Status::Skipped, reason)
        };
        let checks = sides.get(index).map_or(&[][..], |side| &side.checks);
        report.checks = checks.iter().map(|check| check_record(repetition, check)).collect();
        report
    };
    entrants.iter().enumerate().map(report).collect()
}

/// The cost breakdowns of the components. A component that cannot be observed keeps its figure.
fn ledgers(entrants: &mut [Entrant<'_>], task: &PairedTask<'_>, batches: &[u64]) -> Vec<LedgerRecord> {
    let mut ledgers = Vec::new();
    for (entrant, batch) in entrants.iter_mut().zip(batches).filter(|_| task.ledger_ns > 0) {
        let wanted = LedgerTask {
            scenario: entrant.scenario,
            arguments: entrant.arguments,
            batch: *batch,
            time_ns: task.ledger_ns,
            seed: task.seed,
        };
        match entrant.module.ledger(&wanted) {
            Ok(ledger) => ledgers.extend(ledger.map(|ledger| LedgerRecord {
                cell: entrant.cell,
                process: task.process,
                total_ns: ledger.total_ns,
                terms: ledger.terms,
                once: ledger.once,
                observed_ns: ledger.observed_ns,
                event_ns: ledger.event_ns,
                events: ledger.events,
                batch: ledger.batch,
                operations: ledger.operations,
                boundary: ledger.boundary,
            })),
            Err(error) => {
                tracing::warn!(%error, arm = entrant.label, scenario = task.scenario.name, "cannot make a cost breakdown")
            }
        }
    }
    ledgers
}
