//! The driver `function`: a handler of requests that the host starts and calls. What is started, and how, is the module's
//! business; the driver times it, and compares every answer byte for byte with the one that is known. The driver `handler` does the
//! same with components that were not written for bench-host, whose first answer is the known one.

mod arrival_rate;
mod breakdown;
mod client;
mod cold_start;
mod http;
mod request;
mod search;
mod server;

use crate::exchange::Exchange;
use crate::functions::{Functions, HttpRequest, Initialisation, Start, functions};
use crate::spec;
use bench_drivers::{CellFailure, Dependency, Driver, Module, Task, passed, series_records};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::{OutcomeRecord, Status};
use bench_sink::{Sink, digest};
use bench_wasm::Denied;

/// The result of a measurement.
struct Findings {
    sink: Sink,
    /// Operations that were timed.
    iterations: u64,
    /// Requests that were lost, late or failed, where there is such a notion.
    lost: Option<u64>,
}

/// The driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionDriver {
    /// Of the known function: one that computes the same in every arm.
    Known,
    /// Of any component that handles requests.
    Handler,
}

impl Driver for FunctionDriver {
    fn name(&self) -> &'static str {
        match self {
            Self::Known => spec::DRIVER,
            Self::Handler => spec::HANDLER_DRIVER,
        }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        match self {
            Self::Known => vec![spec::cold_start(), spec::request()],
            Self::Handler => vec![spec::handler_cold_start(), spec::handler_request()],
        }
    }

    fn run(&self, module: &mut dyn Module, _: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        drive(*self, module, task)
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        _: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        conformance(*self, module, scenario, arguments)
    }
}

impl FunctionDriver {
    /// What the function does before its first request, the exchange, and the check of an exchange that is not known before.
    fn exchange(
        self,
        functions: &mut dyn Functions,
        arguments: &Arguments,
    ) -> Result<(Initialisation, Exchange, Option<Check>), ModuleError> {
        match self {
            Self::Known => Ok((Initialisation::of(arguments)?, Exchange::known(), None)),
            Self::Handler => {
                let tried = Exchange::tried(arguments, |request| {
                    let mut starter = functions.prepare(Start::Quickest, Initialisation::default())?;
                    starter.start()?.function.call(request)
                });
                let denied = self.denied(functions);
                let (exchange, check) = tried.map_err(|error| denied.error(error))?;
                Ok((Initialisation::default(), exchange, Some(denied.check(check))))
            }
        }
    }

    /// What the functions were not granted. The known function says itself what it lacks.
    fn denied(self, functions: &dyn Functions) -> Denied {
        if self == Self::Handler { functions.denied() } else { Denied::default() }
    }
}

/// Measures a scenario and checks what it was answered. A check that fails leaves its detail and no figure.
fn drive(driver: FunctionDriver, module: &mut dyn Module, task: &Task<'_>) -> Report {
    bench_drivers::report(task.repetition, |checks| {
        let (exchange, findings) = attempt(driver, module, task, checks)?;
        Ok(report(task, &exchange, &findings))
    })
}

fn attempt(
    driver: FunctionDriver,
    module: &mut dyn Module,
    task: &Task<'_>,
    checks: &mut Vec<Check>,
) -> Result<(Exchange, Findings), CellFailure> {
    let functions = functions(module)?;
    let (initialisation, exchange, first) = driver.exchange(functions, task.arguments)?;
    checks.extend(first.clone());
    passed(checks)?;
    checks.clear();
    let denied = driver.denied(functions);
    let findings = match task.scenario.name.as_str() {
        spec::COLD_START => cold_start::measure(functions, task, initialisation, &exchange, checks),
        spec::REQUEST => request::measure(functions, task, initialisation, &exchange, checks),
        other => {
            let reason = format!(
                "the driver `function` knows no scenario `{other}`; it knows {}, {}",
                spec::COLD_START,
                spec::REQUEST
            );
            return Err(ModuleError::Unavailable(reason).into());
        }
    };
    checks.extend(first);
    let findings = findings.and_then(|findings| passed(checks).map(|()| findings));
    let findings = findings.map_err(|failure| match failure.status {
        Status::Failed => CellFailure { reason: denied.reason(failure.reason), ..failure },
        _ => failure,
    })?;
    Ok((exchange, findings))
}

fn report(task: &Task<'_>, exchange: &Exchange, findings: &Findings) -> Report {
    let timed = findings.sink.series().iter().find(|series| series.metric == task.scenario.name);
    let outcome = OutcomeRecord {
        iterations: findings.iterations,
        bytes: findings.iterations * exchange.payload_bytes(),
        recorded: timed.map_or(0, bench_sink::Series::count),
        lost: findings.lost,
        checksum: Some(digest::checksum(&exchange.expected.body)),
        ..OutcomeRecord::ok(task.repetition.cell, task.repetition.process)
    };
    Report::ok(series_records(task.repetition, &findings.sink), outcome)
}

/// Tries one scenario with `arguments`, without timing anything: one start, the known request, and one that is wrong.
fn conformance(
    driver: FunctionDriver,
    module: &mut dyn Module,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    let name = |rule: &str| format!("{}: {rule}", scenario.name);
    let functions = functions(module)?;
    let (initialisation, exchange, first) = driver.exchange(functions, arguments)?;
    let start = arguments.text("start").map_or(Start::Quickest, Start::Kind);
    if let Some(server) = functions.serve(initialisation)? {
        let answer = client::ask_once(server.address(), &exchange.request);
        let answer = answer.map_err(|error| ModuleError::Other(error.to_string()))?;
        return Ok(vec![exchange.check(name("answers the known request"), &answer)]);
    }
    let mut started = functions.prepare(start, initialisation)?.start()?;
    if let Some(first) = first {
        let again = started.function.call(&exchange.request)?;
        let first = Check { name: name(spec::FIRST_RESPONSE), ..first };
        return Ok(vec![first, exchange.check(name("answers the same again"), &again)]);
    }
    let no_order = HttpRequest { body: b"no order".to_vec(), ..exchange.request.clone() };
    let refused = started.function.call(&no_order)?.status;
    Ok(vec![
        Check::equal(name("refuses a malformed order with status 400"), &400, &refused),
        exchange.check(name("answers the known request"), &started.function.call(&exchange.request)?),
    ])
}

#[cfg(test)]
mod tests;
