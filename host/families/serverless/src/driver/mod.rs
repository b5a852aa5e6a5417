//! The driver `function`: a handler of requests that the host starts and calls. What is started, and how, is the module's
//! business; the driver times it, and compares every answer byte for byte with the one that is known.

mod arrival_rate;
mod client;
mod cold_start;
mod http;
mod request;
mod search;
mod server;

use crate::functions::{Answer, Initialisation, Start, functions};
use crate::spec;
use bench_drivers::{CellFailure, Dependency, Driver, Module, Task, passed, series_records};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::OutcomeRecord;
use bench_sink::{Sink, digest};
use function_core::{EXPECTED_RESPONSE, REQUEST};

/// What a measurement came to.
struct Findings {
    sink: Sink,
    /// Operations that were timed.
    iterations: u64,
    /// Requests that were lost, late or failed, where there is such a notion.
    lost: Option<u64>,
}

/// The driver.
pub(crate) struct FunctionDriver;

impl Driver for FunctionDriver {
    fn name(&self) -> &'static str {
        spec::DRIVER
    }

    fn scenarios(&self) -> Vec<Scenario> {
        vec![spec::cold_start(), spec::request()]
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
}

/// Measures a scenario and checks what it was answered. A check that fails leaves its detail and no figure.
fn drive(module: &mut dyn Module, task: &Task<'_>) -> Report {
    bench_drivers::report(task.repetition, |checks| {
        let findings = attempt(module, task, checks)?;
        Ok(report(task, &findings))
    })
}

fn attempt(module: &mut dyn Module, task: &Task<'_>, checks: &mut Vec<Check>) -> Result<Findings, CellFailure> {
    let initialisation = Initialisation::of(task.arguments)?;
    let functions = functions(module)?;
    let findings = match task.scenario.name.as_str() {
        spec::COLD_START => cold_start::measure(functions, task, initialisation, checks)?,
        spec::REQUEST => request::measure(functions, task, initialisation, checks)?,
        other => {
            let reason = format!(
                "the driver `function` knows no scenario `{other}`; it knows {}, {}",
                spec::COLD_START,
                spec::REQUEST
            );
            return Err(ModuleError::Unavailable(reason).into());
        }
    };
    passed(checks)?;
    Ok(findings)
}

fn report(task: &Task<'_>, findings: &Findings) -> Report {
    let timed = findings.sink.series().iter().find(|series| series.count() > 0 && series.metric == task.scenario.name);
    let payload = (REQUEST.len() + EXPECTED_RESPONSE.len()) as u64;
    let outcome = OutcomeRecord {
        iterations: findings.iterations,
        bytes: findings.iterations * payload,
        recorded: timed.map_or(0, bench_sink::Series::count),
        lost: findings.lost,
        checksum: Some(digest::checksum(EXPECTED_RESPONSE)),
        ..OutcomeRecord::ok(task.repetition.cell, task.repetition.process)
    };
    Report::ok(series_records(task.repetition, &findings.sink), outcome)
}

/// Tries one scenario with `arguments`, without timing anything: one start, the known request, and one that is wrong.
fn conformance(module: &mut dyn Module, scenario: &Scenario, arguments: &Arguments) -> Result<Vec<Check>, ModuleError> {
    let name = |rule: &str| format!("{}: {rule}", scenario.name);
    let initialisation = Initialisation::of(arguments)?;
    let functions = functions(module)?;
    let start = arguments.text("start").map_or(Start::Quickest, Start::Kind);
    if let Some(server) = functions.serve(initialisation)? {
        let answer = client::ask_once(server.address(), REQUEST);
        let answer = answer.map_err(|error| ModuleError::Other(error.to_string()))?;
        return Ok(vec![answers(name("answers the known request"), &answer)]);
    }
    let mut started = functions.prepare(start, initialisation)?.start()?;
    let refused = started.function.call(b"no order")?.status;
    Ok(vec![
        Check::equal(name("refuses what is no order with status 400"), &400, &refused),
        answers(name("answers the known request"), &started.function.call(REQUEST)?),
    ])
}

/// Whether an answer is the known one, without a word.
fn is_known(answer: &Answer) -> bool {
    answer.status == 200 && answer.body == EXPECTED_RESPONSE
}

/// Whether an answer is the known one.
fn answers(name: impl Into<String>, answer: &Answer) -> Check {
    let shown = |status: u16, body: &[u8]| format!("{status} {}", String::from_utf8_lossy(body));
    Check::equal(name, &shown(200, EXPECTED_RESPONSE), &shown(answer.status, &answer.body))
}

#[cfg(test)]
mod tests;
