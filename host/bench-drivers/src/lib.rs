//! How modules are driven. A module that was loaded, by whichever loader, is a [`Module`]; a driver asks it for the
//! interface it drives and cannot tell a component from a probe or a mock. One folder a driver.

pub mod function;
mod grants;
mod module;
pub mod operators;
pub mod pipelines;
mod stop;
pub mod workload;

pub use grants::{DirectoryGrant, Grants, ScratchGrant};
pub use module::{Counts, Ledger, LedgerTask, Module, Recording};

use bench_engine::{Budget, Report, Unit};
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::Status;

/// One repetition of a cell, as a driver is asked for it.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// Which repetition of which cell.
    pub unit: Unit,
    /// What to run.
    pub scenario: &'a Scenario,
    /// With what.
    pub arguments: &'a Arguments,
    /// For how long.
    pub budget: Budget,
    /// Gives memory that is free in this process back to the system, where its allocator would keep it.
    pub reclaim: fn(),
}

/// Another module of the same arm, which a scenario has named and is run with.
pub struct Companion {
    /// The module.
    pub module: Box<dyn Module>,
    /// The scenario of it that was named.
    pub scenario: Scenario,
    /// What it is called with.
    pub arguments: Arguments,
}

/// The drivers this host has.
pub const DRIVERS: &[&str] = &["workload", "function", "operator", "source", "destination"];

/// Has the scenario's driver execute `task` on `module`, with the module beside it that the scenario has named, where it has.
pub fn drive(module: &mut dyn Module, companion: Option<&mut Companion>, task: &Task<'_>) -> Report {
    match task.scenario.driver.as_str() {
        "workload" => workload::drive(module, task),
        "function" => function::drive(module, task),
        "source" | "destination" => pipelines::drive(module, companion, task),
        "operator" => operators::drive(module, companion, task),
        other => {
            let known = DRIVERS.join(", ");
            let reason = format!("needs the driver `{other}`; this host has {known}: use a newer bench-host");
            Report::without_figures(task.unit, Status::Skipped, reason)
        }
    }
}

/// Has the scenario's driver try it with `arguments`, without timing anything. An error is the environment's.
pub fn conformance(
    module: &mut dyn Module,
    companion: Option<&mut Companion>,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    match scenario.driver.as_str() {
        "function" => function::conformance(module, scenario, arguments),
        "source" | "destination" => pipelines::conformance(module, companion, scenario, arguments),
        "operator" => operators::conformance(module, companion, scenario, arguments),
        _ => workload::conformance(module, scenario, arguments),
    }
}
