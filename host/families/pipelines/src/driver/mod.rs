//! The drivers `source`, `transform` and `destination`: connectors that read rows out of a database as batches, that change such
//! batches, and that write them into one. What a batch is made of is the connectors' business; the host carries it as bytes and looks at rows
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
use bench_sink::runfile::Status;

/// Why a scenario of the driver `transform` has no figures of its own.
const NOT_ALONE: &str =
    "it is a part of a transfer; run a destination with -p transform=MODULE/SCENARIO, such as pg-dest/load";

/// The drivers `source`, `transform` and `destination`, by name.
#[derive(Debug)]
pub(crate) struct ConnectorDriver(pub(crate) &'static str);

impl Driver for ConnectorDriver {
    fn name(&self) -> &'static str {
        self.0
    }

    /// Modules name their transfers as they like, and each driver has one kind of transfer.
    fn specification(&self, name: &str) -> Option<Scenario> {
        Some(match self.0 {
            spec::SOURCE => spec::source(name),
            spec::TRANSFORM => spec::transform(name),
            _ => spec::destination(name),
        })
    }

    fn run(&self, module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        match self.0 {
            spec::TRANSFORM => Report::without_figures(task.repetition, Status::Skipped, NOT_ALONE),
            _ => drive::drive(module, dependency, task),
        }
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        dependency: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        match self.0 {
            spec::TRANSFORM => Err(ModuleError::Unavailable(NOT_ALONE.to_owned())),
            _ => drive::conformance(module, dependency, scenario, arguments),
        }
    }

    fn compiles_anew(&self, arguments: &Arguments) -> bool {
        arguments.text(spec::CODE) == Ok(spec::COMPILED)
    }
}

#[cfg(test)]
mod tests;
