//! The driver `workload`: the host times calls of `iterate`. The timed series has the scenario's name; its clock starts before
//! `iterate` is called and stops when it has returned, and a sample is the time of a whole batch. A scenario that times itself records
//! that series itself.

mod account;
mod burdened;
mod conformance;
mod outliers;
mod paired;

pub use account::account;
pub use burdened::{BURDEN_PERMILLE, SESSIONS as BURDENED_SESSIONS, burdened};
pub use conformance::{RECORDED, UNRECORDED, conformance};
pub use paired::{CandidateCell, PairedTask, compare};

use crate::cell_failure::{self, CellFailure, bounded, check_record, passed};
use crate::{Dependency, Driver, Module, Recording, Task};
use bench_engine::worker::doing;
use bench_engine::{
    Clock, MeasureError, Measured, MonotonicClock, Repetition, Report, first, grows, measure, overhead, placement,
    possible, possible_by_own_clock, warm_up, warm_up_own_clock,
};
use bench_model::{Arguments, Capability, Check, Checksum, Direction, ModuleError, Scenario};
use bench_sink::runfile::{OutcomeRecord, Overhead, SeriesRecord};
use bench_sink::{Series, Sink};

/// The name of this driver.
pub const NAME: &str = "workload";

/// The driver `workload`. Modules specify its scenarios completely.
pub(crate) struct Workload;

impl Driver for Workload {
    fn name(&self) -> &'static str {
        NAME
    }

    fn run(&self, module: &mut dyn Module, _: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        drive(module, task)
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        _: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        conformance(module, scenario, arguments)
    }

    /// Repeating the operations of a database takes long, too.
    fn uncounted(&self, scenario: &Scenario) -> Option<&'static str> {
        let has_server = scenario.requirements.iter().any(|requirement| requirement.postgres_parameter().is_some());
        has_server.then_some("what a database server uses is not visible in the worker")
    }
}

/// Opens, verifies, measures, and verifies again. If a check fails, the report has its detail and no figure. Drivers of families use it
/// whose scenarios have sessions that the host makes.
pub fn drive(module: &mut dyn Module, task: &Task<'_>) -> Report {
    // Before this thread is bound to one of them.
    let processors = placement::allowed_cpus().len();
    let cpu = bound_cpu(task.scenario);
    Report { cpu, ..cell_failure::report(task.repetition, |checks| attempt(module, task, processors, checks)) }
}

/// Binds this worker to the last processor of the fastest kind that it may use, which is the least likely to serve interrupts, and
/// returns it. A scenario that needs several (`cpu:2`) places its threads itself.
fn bound_cpu(scenario: &Scenario) -> Option<u32> {
    let places_itself =
        scenario.requirements.iter().any(|requirement| matches!(requirement.capability, Capability::Cpu(_)));
    let last = placement::fastest_cpus().last().copied().filter(|_| !places_itself);
    last.filter(|cpu| placement::bind(*cpu))
}

fn attempt(
    module: &mut dyn Module,
    task: &Task<'_>,
    processors: usize,
    checks: &mut Vec<Check>,
) -> Result<Report, CellFailure> {
    doing("opening", None);
    // It begins with the session.
    let clock = MonotonicClock::new();
    let mut session = module.open(task.scenario, task.arguments)?;
    // What the module records once in a session, such as the size of what it has prepared. A time of an operation is cold.
    let opened = session.sink().clone().without(&task.scenario.name);
    // Find a wrong result before spending time on measuring.
    doing("doing the first operation", None);
    let checksum = first(session.as_mut())?;
    doing("verifying", None);
    verify(session.as_mut(), checks)?;
    // The warm-up included, so that the parent has long read it when the first sample is taken.
    doing("measuring", None);
    let overhead = overhead(session.as_mut(), &clock)?;
    let mut timed = timed_series(task.scenario);
    let own_clock = task.scenario.has_own_clock();
    let mut warm = if own_clock {
        warm_up_own_clock(session.as_mut(), &clock, &task.budget, checksum)?
    } else {
        warm_up(session.as_mut(), &clock, &task.budget, &overhead, checksum)?
    };
    // A sample of one operation is the time of one operation, whatever more of them would take.
    if !own_clock && warm.batch > 1 {
        warm = grows(session.as_mut(), &clock, &overhead, warm)?;
    }
    // Discard what the module recorded of the first operation and of the warm-up.
    session.sink().return_to(&opened);
    let measured = measure(session.as_mut(), &clock, &task.budget, warm, &mut timed)?;
    doing("verifying", None);
    verify(session.as_mut(), checks)?;
    let sink = std::mem::take(session.sink());
    let session_ns = clock.now_ns();
    drop(session);
    let held = if own_clock {
        timed = taken(task.scenario, &sink)?;
        possible_by_own_clock(&measured, &timed, session_ns, processors)
    } else {
        possible(&measured)
    };
    held.map_err(MeasureError::from)?;
    let outcome = outcome(task.repetition, &measured, &timed, overhead);
    let series = series_records(task, &timed, &sink);
    Ok(Report::ok(series, outcome))
}

/// The series that a scenario with its own clock has recorded.
fn taken(scenario: &Scenario, sink: &Sink) -> Result<Series, CellFailure> {
    let own = sink.series().iter().find(|series| is_timed(scenario, series) && series.count() > 0);
    own.cloned().ok_or_else(|| {
        CellFailure::failed(format!(
            "the scenario times itself (`clock:own`), but has recorded no samples of `{}`",
            scenario.name
        ))
    })
}

/// Whether the series is the timed one.
fn is_timed(scenario: &Scenario, series: &Series) -> bool {
    series.metric == scenario.name && series.labels.is_empty()
}

/// The series that the host records. It has the scenario's name.
fn timed_series(scenario: &Scenario) -> Series {
    Series::new(&scenario.name, bench_model::Unit::Nanoseconds, Direction::LowerIsBetter)
}

fn outcome(repetition: Repetition, measured: &Measured, timed: &Series, overhead: Overhead) -> OutcomeRecord {
    OutcomeRecord {
        iterations: measured.operations,
        bytes: measured.bytes,
        recorded: timed.count(),
        checksum: Some(Checksum(measured.checksum)),
        overhead: Some(overhead),
        ..OutcomeRecord::ok(repetition.cell, repetition.process)
    }
}

/// Replaces `checks` with the checks of the session now. An error if a check failed, or if there is none.
fn verify(session: &mut dyn Recording, checks: &mut Vec<Check>) -> Result<(), CellFailure> {
    let found = session.verify()?;
    bounded(&found)?;
    *checks = found;
    if checks.is_empty() {
        return Err(CellFailure::failed(
            "`verify` returned no checks, so the result may be wrong; return at least one",
        ));
    }
    passed(checks)
}

/// The series that the host timed, followed by those that the module recorded.
fn series_records(task: &Task<'_>, timed: &Series, sink: &Sink) -> Vec<SeriesRecord> {
    let own = sink.series().iter().filter(|series| series.count() > 0 && !is_timed(task.scenario, series));
    std::iter::once(timed)
        .chain(own)
        .map(|series| SeriesRecord::new(task.repetition.cell, task.repetition.process, series))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Module;
    use bench_engine::{Amount, Budget};
    use bench_model::{Arguments, Descriptor, Metric, ModuleError, Outcome, Session};
    use bench_sink::runfile::Status;

    /// A module whose scenario declares that it times itself.
    struct Timer {
        descriptor: Descriptor,
        says: Says,
    }

    struct TimerSession {
        sink: Sink,
        says: Says,
    }

    /// What it records of each operation, if anything, and how many bytes it says that all of them have.
    #[derive(Clone, Copy)]
    struct Says {
        sample: Option<u64>,
        bytes: u64,
    }

    impl Timer {
        fn new(says: Says) -> Self {
            let scenario = Scenario::new("nap", "f", "")
                .times_itself(bench_model::Unit::Nanoseconds, "a fixed figure")
                .metric(Metric::new("size", bench_model::Unit::Bytes, "once in a session"))
                .metric(Metric::new("depth", bench_model::Unit::Count, "of each operation"));
            Self { descriptor: Descriptor::new("timer", "1", "").scenario(scenario), says }
        }
    }

    impl Module for Timer {
        fn descriptor(&self) -> &Descriptor {
            &self.descriptor
        }

        fn imports(&self) -> Vec<String> {
            Vec::new()
        }

        fn open(&mut self, scenario: &Scenario, _: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
            let mut session = TimerSession { sink: Sink::new(&scenario.metrics), says: self.says };
            session.record("size", 4_096)?;
            session.record("nap", 1_000_000)?;
            Ok(Box::new(session))
        }

        fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
            body(self);
            Vec::new()
        }
    }

    impl TimerSession {
        fn record(&mut self, metric: &str, sample: u64) -> Result<(), ModuleError> {
            let recorded = self.sink.open(metric, &[]).and_then(|series| self.sink.append(series, &[sample]));
            recorded.map_err(|error| ModuleError::Other(error.to_string()))
        }
    }

    impl Session for TimerSession {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            // None are recorded if the module says so.
            let sample = self.says.sample;
            for sample in (0..times).filter_map(|_| sample) {
                self.record("nap", sample)?;
                self.record("depth", 3)?;
            }
            Ok(Outcome { operations: times, bytes: self.says.bytes, checksum: 0 })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(vec![Check::that("there", true, "")])
        }
    }

    impl Recording for TimerSession {
        fn sink(&mut self) -> &mut Sink {
            &mut self.sink
        }
    }

    fn driven(sample: Option<u64>, bytes: u64) -> Report {
        let mut module = Timer::new(Says { sample, bytes });
        let scenario = module.descriptor.scenarios[0].clone();
        let budget = Budget { warm_up_ns: 0, amount: Amount::Operations(40) };
        let repetition = Repetition { cell: 0, process: 0 };
        drive(
            &mut module,
            &Task { repetition, scenario: &scenario, arguments: &Arguments::default(), budget, reclaim: || () },
        )
    }

    #[test]
    fn scenario_that_times_itself_has_only_its_own_figures() {
        let report = driven(Some(7), 0);
        assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
        assert_eq!((report.outcome.iterations, report.outcome.recorded), (40, 40));
        let timed = &report.series[0];
        assert_eq!((timed.metric.as_str(), timed.raw.as_deref()), ("nap", Some(&[7; 40][..])));
    }

    #[test]
    fn sample_of_open_is_kept_once_and_those_of_the_warm_up_are_not() {
        let report = driven(Some(7), 0);
        let series: Vec<_> = report.series.iter().map(|series| (series.metric.as_str(), series.count)).collect();
        assert_eq!(series, [("nap", 40), ("size", 1), ("depth", 40)]);
        assert_eq!(report.series[1].raw.as_deref(), Some(&[4_096][..]));
    }

    #[test]
    fn scenario_that_times_itself_without_samples_fails() {
        let report = driven(None, 0);
        assert_eq!(report.outcome.status, Status::Failed);
        assert!(report.outcome.reason.unwrap().contains("has recorded no samples of `nap`"));
        assert!(report.series.is_empty());
    }

    #[test]
    fn scenario_that_times_itself_is_held_to_what_can_be() {
        let check = |sample: u64, bytes: u64, expect: &str| {
            let report = driven(Some(sample), bytes);
            let reason = report.outcome.reason.unwrap_or_default();
            assert!(report.outcome.status == Status::Failed && reason.contains(expect), "{reason}");
            assert!(report.series.is_empty());
        };
        // A century.
        check(3_000_000_000_000_000_000, 0, "it recorded a time of 3000000000000000000 ns in a session of");
        check(0, 0, "which no processor can do");
        check(7, u64::MAX / 100, "as fast as this processor reads its cache");
    }
}
