//! The trait of drivers, and the table of the drivers that a host has.

use crate::{Dependency, Module, Task, workload};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::Status;

/// Executes the scenarios that name it. The driver specifies their parameters and metrics; a module declares which of the scenarios
/// it implements, and what it overrides.
pub trait Driver: Sync {
    /// The name by which scenarios refer to it.
    fn name(&self) -> &'static str;

    /// The scenarios that it specifies; empty if modules specify their scenarios themselves.
    fn scenarios(&self) -> Vec<Scenario> {
        Vec::new()
    }

    /// Its specification of the scenario `name`, if it has one. A driver whose modules choose the names of their scenarios
    /// returns the same specification for all names.
    fn specification(&self, name: &str) -> Option<Scenario> {
        self.scenarios().into_iter().find(|scenario| scenario.name == name)
    }

    /// Executes one repetition on `module`, together with the other module that the scenario names, if it names one.
    fn run(&self, module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report;

    /// Runs the conformance tests of a scenario with `arguments`. An error of the environment means that it cannot run here; any other
    /// one is a broken rule.
    fn conformance(
        &self,
        module: &mut dyn Module,
        dependency: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError>;

    /// Whether each worker of the cell has to compile the code instead of using the cache.
    fn compiles_anew(&self, arguments: &Arguments) -> bool {
        let _ = arguments;
        false
    }

    /// In place of `module`, one whose sessions are those of this driver's scenarios: what is measured interleaved with others, and whose
    /// resource usage is counted. `None` if the sessions are the module's own.
    fn sessions(&self, module: &mut dyn Module) -> Result<Option<Box<dyn Module>>, ModuleError> {
        let _ = module;
        Ok(None)
    }

    /// Why the resource usage of a scenario cannot be counted in a session of its own; `None` if it can.
    fn uncounted(&self, scenario: &Scenario) -> Option<&'static str> {
        let _ = scenario;
        Some("its driver has no session in which operations alone could be counted")
    }
}

/// The drivers that a host has.
#[derive(Clone, Copy)]
pub struct Drivers<'a>(&'a [&'a dyn Driver]);

impl<'a> Drivers<'a> {
    /// The given drivers, and the driver `workload`, which every host has.
    pub fn new(drivers: &'a [&'a dyn Driver]) -> Self {
        Self(drivers)
    }

    /// The names of the drivers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(workload::NAME).chain(self.0.iter().map(|driver| driver.name()))
    }

    /// The driver `name`.
    pub fn get(self, name: &str) -> Option<&'a dyn Driver> {
        let workload: &dyn Driver = &workload::Workload;
        std::iter::once(workload).chain(self.0.iter().copied()).find(|driver| driver.name() == name)
    }

    /// Executes `task` with the scenario's driver.
    pub fn run(self, module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        match self.get(&task.scenario.driver) {
            Some(driver) => driver.run(module, dependency, task),
            None => Report::without_figures(task.repetition, Status::Skipped, self.unknown(&task.scenario.driver)),
        }
    }

    /// Runs the conformance tests with the scenario's driver.
    pub fn conformance(
        self,
        module: &mut dyn Module,
        dependency: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        let driver = self.get(&scenario.driver);
        let driver = driver.ok_or_else(|| ModuleError::Unavailable(self.unknown(&scenario.driver)))?;
        driver.conformance(module, dependency, scenario, arguments)
    }

    fn unknown(self, name: &str) -> String {
        let known: Vec<_> = self.names().collect();
        format!("needs the driver `{name}`, but this host has only {}; use a newer bench-host", known.join(", "))
    }
}
