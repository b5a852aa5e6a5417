//! The interface between loaders and families. Every loader returns a [`Module`]; a family's [`Driver`] executes scenarios of it, and
//! cannot distinguish a component from a probe or a mock. The driver `workload` is here.

mod cell_failure;
mod direct;
mod driver;
mod grants;
mod module;
mod specification;
pub mod workload;

pub use cell_failure::{CellFailure, passed, record, report, series_records};
pub use direct::Direct;
pub use driver::{Driver, Drivers};
pub use grants::{DirectoryGrant, Grants, ScratchGrant};
pub use module::{Corruption, Counts, Ledger, LedgerTask, Module, Recording};
pub use specification::merged;

pub use bench_engine::BatchNs;
pub use bench_engine::worker::layout_variable;

use bench_engine::{Budget, Repetition};
use bench_model::{Arguments, Scenario};

/// One repetition of a cell, to be executed by a driver.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The cell and the number of the repetition.
    pub repetition: Repetition,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The arguments.
    pub arguments: &'a Arguments,
    /// How much is measured.
    pub budget: Budget,
    /// Returns free memory of this process from its allocator to the system.
    pub reclaim: fn(),
}

/// Another module in the same arm, which a scenario names and runs with.
pub struct Dependency {
    /// The module.
    pub module: Box<dyn Module>,
    /// Its scenario that is named.
    pub scenario: Scenario,
    /// The arguments of that scenario.
    pub arguments: Arguments,
    /// Further modules that the scenario names, in the order of its requirements.
    pub further: Vec<Dependency>,
}
