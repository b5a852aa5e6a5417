//! Measures several arms of one scenario interleaved in one process: opens, verifies and warms up all, measures block by block, and
//! verifies all again. If one of them has no figure, there is no ratio.

use super::{CellFailure, bound_cpu, check_record, outcome, timed_series, verify};
use crate::{LedgerTask, Module, Recording};
use bench_engine::worker::doing;
use bench_engine::{
    Candidate, MeasureError, MonotonicClock, PairedBudget, PairedReport, Repetition, Report, first, grows,
    measure_interleaved, overhead, possible, warm_up_candidate,
};
use bench_model::{Arguments, Check, Checksum, Scenario, Session};
use bench_sink::Series;
use bench_sink::runfile::{LedgerRecord, Overhead, SeriesRecord, Status};

/// An arm of the comparison.
pub struct CandidateCell<'a> {
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

/// Why most scenarios that time themselves have no ratio: their schedule begins anew with every batch.
const NOT_INTERLEAVED: &str = "the scenario times itself, so arms cannot be interleaved; compare two runs instead (`compare RUN RUN`), \
                               or a scenario that the host times, such as `handle` of an HTTP handler";

/// Sessions of each arm. Two sessions of the same arm differ only by noise, which is the noise floor of the ratio.
const SESSIONS: usize = 2;

/// An arm while it is measured.
struct OpenArm {
    repetition: Repetition,
    label: String,
    sessions: Vec<Box<dyn Recording>>,
    checksum: u64,
    overhead: Overhead,
}

/// The reason why there is no figure, and the arm that caused it.
type Fault = (usize, CellFailure);

/// Measures all `arms` interleaved.
pub fn compare(arms: &mut [CandidateCell<'_>], task: &PairedTask<'_>) -> PairedReport {
    let cpu = bound_cpu(task.scenario);
    let mut open_arms = Vec::new();
    // Of each arm, also of one that cannot be opened: what its verification found last.
    let mut checks = vec![Vec::new(); arms.len()];
    if arms.iter().any(|arm| arm.scenario.has_own_clock() && arm.scenario.driver != super::NAME) {
        let failure = CellFailure { status: Status::Skipped, reason: NOT_INTERLEAVED.to_owned() };
        let reports = without_figures(arms, task, &checks, &(0, failure));
        return PairedReport { reports, sessions: SESSIONS as u32, ledgers: Vec::new() };
    }
    let opened = open_all(arms, task, &mut open_arms, &mut checks);
    let measured = opened.and_then(|()| measure(&mut open_arms, task, &mut checks));
    let (mut reports, ledgers) = match measured {
        Ok((reports, batches)) => {
            drop(std::mem::take(&mut open_arms));
            let ledgers = ledgers(arms, task, &batches);
            (reports, ledgers)
        }
        Err(fault) => (without_figures(arms, task, &checks, &fault), Vec::new()),
    };
    reports.iter_mut().for_each(|report| report.cpu = cpu);
    PairedReport { reports, sessions: SESSIONS as u32, ledgers }
}

fn open_all(
    arms: &mut [CandidateCell<'_>],
    task: &PairedTask<'_>,
    open_arms: &mut Vec<OpenArm>,
    checks: &mut [Vec<Check>],
) -> Result<(), Fault> {
    for (index, arm) in arms.iter_mut().enumerate() {
        let open_arm = open(arm, task.process, &mut checks[index]).map_err(|failure| (index, failure))?;
        let first = open_arms.first().map_or(open_arm.checksum, |first: &OpenArm| first.checksum);
        let found = open_arm.checksum;
        open_arms.push(open_arm);
        if found != first {
            let reason = format!(
                "the arms disagree, so there is no ratio: the checksum of {} is {}, that of {} is {}; equal arguments must yield equal results",
                arms[0].label,
                Checksum(first),
                arms[index].label,
                Checksum(found),
            );
            return Err((index, CellFailure { status: Status::Failed, reason }));
        }
    }
    Ok(())
}

fn open(arm: &mut CandidateCell<'_>, process: u32, checks: &mut Vec<Check>) -> Result<OpenArm, CellFailure> {
    let mut sessions = Vec::with_capacity(SESSIONS);
    let mut checksum = 0;
    for _ in 0..SESSIONS {
        doing("opening", Some(&arm.label));
        let mut session = arm.module.open(arm.scenario, arm.arguments)?;
        if arm.scenario.has_own_clock() && session.own_ns().is_none() {
            return Err(CellFailure { status: Status::Skipped, reason: NOT_INTERLEAVED.to_owned() });
        }
        doing("doing the first operation of", Some(&arm.label));
        checksum = first(session.as_mut())?;
        doing("verifying", Some(&arm.label));
        verify(session.as_mut(), checks)?;
        sessions.push(session);
    }
    let overhead = overhead(sessions[0].as_mut(), &MonotonicClock::new())?;
    let (repetition, label) = (Repetition { cell: arm.cell, process }, arm.label.clone());
    Ok(OpenArm { repetition, label, sessions, checksum, overhead })
}

/// The reports, each with the number of operations per call.
fn measure(
    open_arms: &mut [OpenArm],
    task: &PairedTask<'_>,
    checks: &mut [Vec<Check>],
) -> Result<(Vec<Report>, Vec<u64>), Fault> {
    let clock = MonotonicClock::new();
    let sample_ns =
        task.budget.sample_ns(open_arms.len() * SESSIONS, open_arms.iter().map(|open_arm| &open_arm.overhead));
    let mut candidates = Vec::with_capacity(open_arms.len());
    for (index, open_arm) in open_arms.iter_mut().enumerate() {
        doing("warming up", Some(&open_arm.label));
        let checksum = open_arm.checksum;
        let own_ns: Vec<_> = open_arm.sessions.iter().filter_map(|session| session.own_ns()).collect();
        // By its own clock, a sample is not better for being longer.
        let sample_ns = if own_ns.is_empty() { sample_ns } else { 0.0 };
        let mut sessions: Vec<&mut dyn Session> =
            open_arm.sessions.iter_mut().map(|session| session.as_mut() as _).collect();
        let warm = warm_up_candidate(&mut sessions, &clock, &task.budget, sample_ns, checksum);
        let mut warm = warm.map_err(|error| (index, error.into()))?;
        // Both sessions, because they are to differ by noise alone. A sample of one operation is the time of one.
        let found = warm;
        for session in sessions.iter_mut().filter(|_| found.batch > 1) {
            let grown = grows(&mut **session, &clock, &open_arm.overhead, found);
            warm.batch = warm.batch.max(grown.map_err(|error| (index, error.into()))?.batch);
        }
        candidates.push(Candidate { sessions, warm, own_ns });
    }
    let mut series: Vec<Series> = candidates.iter().map(|_| timed_series(task.scenario)).collect();
    doing("measuring", None);
    let measured = measure_interleaved(&mut candidates, &clock, &task.budget, task.seed, &mut series);
    let measured = measured.map_err(|(index, error)| (index, error.into()))?;
    for (index, one) in measured.iter().enumerate() {
        possible(one).map_err(|implausible| (index, MeasureError::from(implausible).into()))?;
    }
    let batches = candidates.iter().map(|candidate| candidate.warm.batch).collect();
    drop(candidates);
    for (index, open_arm) in open_arms.iter_mut().enumerate() {
        doing("verifying", Some(&open_arm.label));
        for session in &mut open_arm.sessions {
            verify(session.as_mut(), &mut checks[index]).map_err(|failure| (index, failure))?;
        }
    }
    let report = |((open_arm, checks), (measured, series)): ((&OpenArm, &Vec<Check>), (_, &Series))| {
        let record = SeriesRecord::new(open_arm.repetition.cell, open_arm.repetition.process, series);
        let checks = checks.iter().map(|check| check_record(open_arm.repetition, check)).collect();
        Report {
            checks,
            ..Report::ok(vec![record], outcome(open_arm.repetition, &measured, series, open_arm.overhead))
        }
    };
    Ok((open_arms.iter().zip(&*checks).zip(measured.into_iter().zip(&series)).map(report).collect(), batches))
}

/// If one arm fails, no arm has figures; the reports of the others name the one that failed.
fn without_figures(
    arms: &[CandidateCell<'_>],
    task: &PairedTask<'_>,
    checks: &[Vec<Check>],
    fault: &Fault,
) -> Vec<Report> {
    let (at_fault, failure) = fault;
    let report = |(index, arm): (usize, &CandidateCell<'_>)| {
        let repetition = Repetition { cell: arm.cell, process: task.process };
        let mut report = if index == *at_fault {
            Report::without_figures(repetition, failure.status, &failure.reason)
        } else {
            let reason = match failure.status {
                // What the environment lacks, all arms lack: one reason, which reports say once.
                Status::Skipped => failure.reason.clone(),
                _ => format!("not measured, because {} has no figure: {}", arms[*at_fault].label, failure.reason),
            };
            Report::without_figures(repetition, Status::Skipped, reason)
        };
        report.checks = checks[index].iter().map(|check| check_record(repetition, check)).collect();
        report
    };
    arms.iter().enumerate().map(report).collect()
}

/// The cost breakdowns of the components. A component that cannot be observed keeps its figure.
fn ledgers(arms: &mut [CandidateCell<'_>], task: &PairedTask<'_>, batches: &[u64]) -> Vec<LedgerRecord> {
    let mut ledgers = Vec::new();
    for (arm, batch) in arms.iter_mut().zip(batches).filter(|_| task.ledger_ns > 0) {
        doing("observing", Some(&arm.label));
        let wanted = LedgerTask {
            scenario: arm.scenario,
            arguments: arm.arguments,
            batch: *batch,
            time_ns: task.ledger_ns,
            seed: task.seed,
        };
        match arm.module.ledger(&wanted) {
            Ok(ledger) => ledgers.extend(ledger.map(|ledger| LedgerRecord {
                cell: arm.cell,
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
                tracing::warn!(%error, arm = arm.label, scenario = task.scenario.name, "cannot make a cost breakdown")
            }
        }
    }
    ledgers
}
