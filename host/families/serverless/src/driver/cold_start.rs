//! The scenario `cold-start`: from a start being asked for to the whole first answer. Nothing that was started is kept, and
//! getting rid of it is not timed.

use super::Findings;
use crate::exchange::Exchange;
use crate::functions::{Functions, Initialisation, Start, Starter};
use bench_drivers::{CellFailure, Task, record};
use bench_engine::{Clock, MonotonicClock};
use bench_model::{Check, ModuleError};
use bench_sink::Sink;

/// The stage that comes after those of the start: the first request, with what the function does before it answers one.
const ANSWER: &str = "answer";

/// Starts for as long as `task` says, and records each into the series `cold-start` and its parts into `stage`.
pub(super) fn measure(
    functions: &mut dyn Functions,
    task: &Task<'_>,
    initialisation: Initialisation,
    exchange: &Exchange,
    checks: &mut Vec<Check>,
) -> Result<Findings, CellFailure> {
    let mut starter = functions.prepare(Start::Kind(task.arguments.text("start")?), initialisation)?;
    let clock = MonotonicClock::new();
    let mut sink = Sink::new(&task.scenario.metrics);
    let begin = clock.now_ns();
    loop {
        let sample = Sample::take(starter.as_mut(), exchange, &clock)?;
        *checks = vec![sample.check];
        if !checks[0].passed {
            return Ok(Findings { sink, iterations: 0, lost: None });
        }
        if clock.now_ns() - begin >= task.budget.warm_up_ns {
            break;
        }
    }
    let (mut iterations, begin) = (0, clock.now_ns());
    loop {
        let sample = Sample::take(starter.as_mut(), exchange, &clock)?;
        sample.record(&mut sink, &task.scenario.name)?;
        *checks = vec![sample.check];
        iterations += 1;
        if task.budget.amount.is_done(clock.now_ns() - begin, iterations) || !checks[0].passed {
            return Ok(Findings { sink, iterations, lost: None });
        }
    }
}

/// One start.
struct Sample {
    total_ns: u64,
    stages: Vec<(&'static str, u64)>,
    check: Check,
}

impl Sample {
    fn take(starter: &mut dyn Starter, exchange: &Exchange, clock: &MonotonicClock) -> Result<Self, ModuleError> {
        let asked = clock.now_ns();
        let mut started = starter.start()?;
        let called = clock.now_ns();
        let answer = started.function.call(&exchange.request)?;
        let answered = clock.now_ns();
        let mut stages = started.stages;
        stages.push((ANSWER, answered - called));
        Ok(Self { total_ns: answered - asked, stages, check: exchange.check("first-answer", &answer) })
    }

    fn record(&self, sink: &mut Sink, name: &str) -> Result<(), CellFailure> {
        record(sink, name, &[], &[self.total_ns])?;
        self.stages.iter().try_for_each(|(stage, ns)| record(sink, "stage", &[("name", stage)], &[*ns]))
    }
}
