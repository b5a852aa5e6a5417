//! The driver `operator`: many operators in one worker, each watching a namespace of a control plane and writing into the next.
//! How an operator is made is the module's business; the driver delivers events, unloads what is idle, and accounts for both.
//!
//! The scenario `chain` starts operator *i* (from 0) with the arguments `watch` = `chain-i`, `apply` = `chain-(i+1)`, and with
//! those of the cell that are for nobody else. An operator watches objects of the kind [`KIND`] in the one namespace and applies an object of the same name in the other, whose
//! spec is `{"nonce":N,"count":C}`: the nonce it was given, and how many nonces it has handled so far, itself. So the count at
//! the end of the chain tells whether state was lost. Its parameters are `count`, `rate` (nonces a second, 0 is one after the
//! other), `idle_ms`, `deadline_ms`, and, where it leaves the choice, `suspend` (own, memory), `control_plane` (embedded, kube)
//! and one that names another module, whose operators take every second place. Its metrics are those of [`metrics`].

mod chain;
mod figures;
mod host;
mod memory;
mod nonces;
mod plane;
mod settings;
mod slot;

use crate::stop::{Stop, check_record, passed};
use crate::{Companion, Driver, Module, Task};
use bench_engine::Report;
use bench_model::{Arguments, Check, Direction, Metric, ModuleError, Scenario, Unit};
use bench_sink::Sink;
use bench_sink::runfile::{OutcomeRecord, SeriesRecord};
use control_plane::{ControlPlane, Embedded, Kube};
pub use control_plane::{Event, Key, Object, PlaneError, Scope};
pub use settings::Suspension;
use settings::{PlaneKind, Settings};
use std::sync::Arc;

/// The kind of objects that go along the chain.
pub const KIND: &str = "TestResource";

/// The scenario that this driver knows.
const CHAIN: &str = "chain";

/// What the driver records.
pub fn metrics() -> Vec<Metric> {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let bytes = |name, summary| Metric::new(name, Unit::Bytes, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    vec![
        ns(
            "chain",
            "from a nonce being meant to be written to it being seen behind the last operator, all of them loaded",
        ),
        ns("hop", "the time of a chain, divided by its operators"),
        ns("load", "one operator made, started and watching"),
        ns("load_all", "all operators made, started and watching"),
        ns("unload", "one operator suspended and dropped"),
        ns("wake", "from an event being taken to it being reconciled by an operator that was unloaded"),
        ns("chain_cold", "from a nonce being written to it being seen behind the last operator, all of them unloaded"),
        bytes("state", "what one operator keeps while it is unloaded"),
        bytes("memory_pss", "proportional set size of the worker and of its operators' processes").label("phase"),
        bytes("memory_private", "private memory of the worker and of its operators' processes").label("phase"),
        ns("memory_at", "when memory was looked at, since the first operator was made").label("phase"),
        count("sent", "nonces written into the first namespace"),
        count("seen", "nonces seen behind the last operator in time"),
        count("late", "nonces seen behind the last operator after the deadline"),
        count("failed", "nonces not seen behind the last operator"),
        count("retried", "times that an event was tried again"),
    ]
}

/// The driver `operator`.
#[derive(Debug)]
pub struct OperatorDriver;

impl Driver for OperatorDriver {
    fn name(&self) -> &'static str {
        "operator"
    }

    fn run(&self, module: &mut dyn Module, companion: Option<&mut Companion>, task: &Task<'_>) -> Report {
        drive(module, companion, task)
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        companion: Option<&mut Companion>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        conformance(module, companion, scenario, arguments)
    }
}

/// What a module offers to this driver.
pub trait Operators {
    /// Gets everything ready that operators share, such as code. Not part of any operator's load. Their states are as
    /// `suspension` says; [`ModuleError::Unavailable`] where they cannot be.
    fn prepare(&mut self, suspension: Suspension) -> Result<Box<dyn Maker>, ModuleError>;
}

/// Makes operators out of what was prepared.
pub trait Maker {
    /// A fresh one, which sees the control plane through `plane` and was not started.
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError>;
}

/// One operator. Dropping it unloads it: it gives back what it holds.
pub trait Operator {
    /// Starts it with names and values; what it wants to watch.
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError>;

    /// Acts on one event. It may be called again with an event for which it has failed; after [`ModuleError::Crashed`] it is
    /// dropped, and a fresh one started in its place.
    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError>;

    /// What it has to keep while it is unloaded, its arguments included. It is dropped afterwards.
    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError>;

    /// Takes up, in place of [`start`](Self::start), what one before it has kept.
    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError>;

    /// The process it has for itself, where it has one; its memory counts.
    fn process(&self) -> Option<u32> {
        None
    }
}

/// The control plane as one operator sees it: what it writes is written in its name.
pub trait Plane: Send + Sync {
    /// The object.
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError>;
    /// Sets the fields of `spec`, a JSON object; makes the object where there is none.
    fn apply(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError>;
    /// Makes the object; a conflict where it is there.
    fn create(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError>;
    /// Replaces the object; a conflict unless `object` has the version that is there.
    fn update(&self, object: &Object) -> Result<Arc<Object>, PlaneError>;
    /// Removes the object.
    fn delete(&self, key: &Key) -> Result<(), PlaneError>;
}

/// Takes a chain of operators through its phases, and accounts for every event. A check that fails leaves its detail and no
/// figure.
pub(crate) fn drive(module: &mut dyn Module, companion: Option<&mut Companion>, task: &Task<'_>) -> Report {
    let mut checks = Vec::new();
    let mut report = match attempt(module, companion, task, &mut checks) {
        Ok((sink, sent)) => report(task, &sink, sent),
        Err(stop) => Report::without_figures(task.unit, stop.status, stop.reason),
    };
    report.checks = checks.iter().map(|check| check_record(task.unit, check)).collect();
    report
}

fn attempt(
    module: &mut dyn Module,
    companion: Option<&mut Companion>,
    task: &Task<'_>,
    checks: &mut Vec<Check>,
) -> Result<(Sink, u64), Stop> {
    if task.scenario.name != CHAIN {
        let name = &task.scenario.name;
        let reason = format!("the driver `operator` knows no scenario `{name}`; it knows {CHAIN}");
        return Err(ModuleError::Unavailable(reason).into());
    }
    let settings = Settings::of(task.scenario, task.arguments)?;
    let makers = makers(module, companion, settings.suspension)?;
    let mut sink = Sink::new(&metrics());
    let sent = chain::measure(makers, plane(settings.plane)?, &settings, task, &mut sink, checks)?;
    passed(checks)?;
    Ok((sink, sent))
}

/// What makes the operators, in turns.
fn makers(
    module: &mut dyn Module,
    companion: Option<&mut Companion>,
    suspension: Suspension,
) -> Result<Vec<Box<dyn Maker>>, ModuleError> {
    let mut makers = vec![operators(module)?.prepare(suspension)?];
    if let Some(companion) = companion {
        makers.push(operators(companion.module.as_mut())?.prepare(suspension)?);
    }
    Ok(makers)
}

fn operators(module: &mut dyn Module) -> Result<&mut dyn Operators, ModuleError> {
    let name = module.descriptor().name.clone();
    module.operators().ok_or_else(|| {
        ModuleError::Unavailable(format!("`{name}` has no operators to load in this arm; choose another with --arm"))
    })
}

/// Where the objects of one cell are kept.
fn plane(kind: PlaneKind) -> Result<Arc<dyn ControlPlane>, ModuleError> {
    match kind {
        PlaneKind::Embedded => Ok(Arc::new(Embedded::new())),
        PlaneKind::Kube => match Kube::connect(&[KIND]) {
            Ok(plane) => Ok(Arc::new(plane)),
            Err(error) => Err(ModuleError::Unavailable(error.to_string())),
        },
    }
}

fn report(task: &Task<'_>, sink: &Sink, sent: u64) -> Report {
    let series = sink.series().iter().filter(|series| series.count() > 0);
    let count = |name: &str| series.clone().find(|series| series.metric == name).map_or(0, bench_sink::Series::count);
    let only = |name: &str| {
        let raw = series.clone().find(|series| series.metric == name).and_then(bench_sink::Series::raw);
        raw.map_or(0, |samples| samples.iter().sum())
    };
    let outcome = OutcomeRecord {
        iterations: sent,
        recorded: count("chain"),
        lost: Some(only("late") + only("failed")),
        ..OutcomeRecord::ok(task.unit.cell, task.unit.process)
    };
    let record = |series| SeriesRecord::new(task.unit.cell, task.unit.process, series);
    Report::ok(series.map(record).collect(), outcome)
}

/// Tries a chain with `arguments`, without timing anything: two nonces with all operators loaded, and two with none.
pub fn conformance(
    module: &mut dyn Module,
    companion: Option<&mut Companion>,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    let settings = Settings::of(scenario, arguments)?;
    let makers = makers(module, companion, settings.suspension)?;
    let checks = chain::try_out(makers, plane(settings.plane)?, settings)?;
    Ok(checks.into_iter().map(|check| Check { name: format!("{}: {}", scenario.name, check.name), ..check }).collect())
}

#[cfg(test)]
mod tests;
