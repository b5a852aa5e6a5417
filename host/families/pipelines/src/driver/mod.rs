//! The drivers `source` and `destination`: connectors that read rows out of a database as batches, and connectors that write
//! such batches into one. What a batch is made of is the connectors' business; the host carries it as bytes and looks at rows
//! only in the database, where it compares what arrived with what was sent.

mod channel;
mod compression;
mod drive;
mod figures;
mod side;
mod tables;
mod transfer;

use crate::spec;
use bench_drivers::{Dependency, Driver, Module, Task};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};

/// The drivers `source` and `destination`, by name.
#[derive(Debug)]
pub(crate) struct ConnectorDriver(pub(crate) &'static str);

impl Driver for ConnectorDriver {
    fn name(&self) -> &'static str {
        self.0
    }

    /// Modules name their transfers as they like, and each driver has one kind of transfer.
    fn specification(&self, name: &str) -> Option<Scenario> {
        Some(if self.0 == spec::SOURCE { spec::source(name) } else { spec::destination(name) })
    }

    fn run(&self, module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        drive::drive(module, dependency, task)
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        dependency: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        drive::conformance(module, dependency, scenario, arguments)
    }

    fn compiles_anew(&self, arguments: &Arguments) -> bool {
        arguments.text(spec::CODE) == Ok(spec::COMPILED)
    }
}

#[cfg(test)]
mod tests;
