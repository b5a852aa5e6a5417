//! The seam between loaders and families: a module that was loaded, by whichever loader, is a [`Module`]; a family's [`Driver`]
//! asks it for the interface it drives and cannot tell a component from a probe or a mock. The driver `workload` is here.

mod direct;
mod driver;
mod grants;
mod module;
pub mod operators;
pub mod pipelines;
mod specification;
mod stop;
pub mod workload;

pub use direct::Direct;
pub use driver::{Driver, Drivers};
pub use grants::{DirectoryGrant, Grants, ScratchGrant};
pub use module::{Counts, Ledger, LedgerTask, Module, Recording};
pub use specification::merged;
pub use stop::{Stop, check_record, passed, record};

use bench_engine::{Budget, Unit};
use bench_model::{Arguments, Scenario};

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
