//! The driver `function`: a handler of requests that the host starts and calls. What is started, and how, is the module's
//! business; the driver times it, and compares every answer byte for byte with the one that is known.

mod client;
mod cold_start;
mod http;
mod pace;
mod request;
mod search;
mod server;

use crate::stop::{Stop, check_record, passed};
use crate::{Module, Task};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::{OutcomeRecord, SeriesRecord, Status};
use bench_sink::{Sink, digest};
use function_core::{REQUEST, expected_response};
use std::net::SocketAddr;

/// What a module offers to this driver.
pub trait Functions {
    /// Gets everything ready that may be there before a start is asked for.
    fn prepare(&mut self, start: Start<'_>, initialisation: Initialisation) -> Result<Box<dyn Starter>, ModuleError>;

    /// A server of the module's own, running, where it has one; without one the host's server calls the function.
    fn serve(&mut self, initialisation: Initialisation) -> Result<Option<Box<dyn Server>>, ModuleError> {
        let _ = initialisation;
        Ok(None)
    }
}

/// How a function is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// As the scenario's argument `start` says.
    Kind(&'a str),
    /// In whichever way a start takes least, however long that is to prepare.
    Quickest,
}

/// What a function does before its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initialisation {
    /// Bytes that it fills.
    pub heap_bytes: u64,
    /// Milliseconds for which it works.
    pub init_ms: u64,
}

/// Makes functions out of what was prepared.
pub trait Starter {
    /// One fresh start, up to where a request can be handed over.
    fn start(&mut self) -> Result<Started, ModuleError>;
}

/// A function that was started.
pub struct Started {
    /// What requests are handed to.
    pub function: Box<dyn Function>,
    /// What the start consisted of, in order: names, and nanoseconds.
    pub stages: Vec<(&'static str, u64)>,
}

/// Something that answers requests.
pub trait Function {
    /// Answers a `POST` of `body` to `/`.
    fn call(&mut self, body: &[u8]) -> Result<Answer, ModuleError>;
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// A server that speaks HTTP/1.1, for as long as this lives.
pub trait Server {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
}

impl Initialisation {
    fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let number = |name| arguments.size(name).map(|value| value as u64);
        Ok(Self { heap_bytes: number("heap_bytes")?, init_ms: number("init_ms")? })
    }

    /// The environment that tells the function so: names and values.
    pub fn environment(self) -> [(&'static str, String); 2] {
        [(function_core::HEAP_BYTES, self.heap_bytes.to_string()), (function_core::INIT_MS, self.init_ms.to_string())]
    }
}

/// What a measurement came to.
struct Findings {
    sink: Sink,
    /// Operations that were timed.
    iterations: u64,
    /// Requests that were lost, late or failed, where there is such a notion.
    lost: Option<u64>,
}

/// The scenarios this driver knows.
const SCENARIOS: &str = "cold-start, request";

/// Measures a scenario and checks what it was answered. A check that fails leaves its detail and no figure.
pub(crate) fn drive(module: &mut dyn Module, task: &Task<'_>) -> Report {
    let mut checks = Vec::new();
    let mut report = match attempt(module, task, &mut checks) {
        Ok(findings) => report(task, &findings),
        Err(stop) => Report::without_figures(task.unit, stop.status, stop.reason),
    };
    report.checks = checks.iter().map(|check| check_record(task.unit, check)).collect();
    report
}

fn attempt(module: &mut dyn Module, task: &Task<'_>, checks: &mut Vec<Check>) -> Result<Findings, Stop> {
    let initialisation = Initialisation::of(task.arguments)?;
    let functions = functions(module)?;
    let findings = match task.scenario.name.as_str() {
        "cold-start" => cold_start::measure(functions, task, initialisation, checks)?,
        "request" => request::measure(functions, task, initialisation, checks)?,
        other => {
            let reason = format!("the driver `function` knows no scenario `{other}`; it knows {SCENARIOS}");
            return Err(ModuleError::Unavailable(reason).into());
        }
    };
    passed(checks)?;
    Ok(findings)
}

fn functions(module: &mut dyn Module) -> Result<&mut dyn Functions, ModuleError> {
    module.functions().ok_or_else(|| {
        ModuleError::Unavailable("this arm has no function to start or to call; choose another with --arm".to_owned())
    })
}

fn report(task: &Task<'_>, findings: &Findings) -> Report {
    let series = findings.sink.series().iter().filter(|series| series.count() > 0);
    let timed = series.clone().find(|series| series.metric == task.scenario.name);
    let payload = (REQUEST.len() + expected_response().len()) as u64;
    let outcome = OutcomeRecord {
        iterations: findings.iterations,
        bytes: findings.iterations * payload,
        recorded: timed.map_or(0, bench_sink::Series::count),
        lost: findings.lost,
        checksum: Some(digest::of_bytes(&expected_response()).chars().take(16).collect()),
        ..OutcomeRecord::without_figures(task.unit.cell, task.unit.process, Status::Ok)
    };
    let series = series.map(|series| SeriesRecord::new(task.unit.cell, task.unit.process, series)).collect();
    Report { series, outcome, ..Report::without_figures(task.unit, Status::Ok, "") }
}

/// Tries one scenario with `arguments`, without timing anything: one start, the known request, and one that is wrong.
pub fn conformance(
    module: &mut dyn Module,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
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

/// Whether an answer is the known one.
fn answers(name: impl Into<String>, answer: &Answer) -> Check {
    let shown = |status: u16, body: &[u8]| format!("{status} {}", String::from_utf8_lossy(body));
    Check::equal(name, &shown(200, &expected_response()), &shown(answer.status, &answer.body))
}

#[cfg(test)]
mod tests;
