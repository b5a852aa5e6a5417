//! What every driver of scenarios offers to the host, and the drivers that a host has. It must not know any one of them but the
//! open driver `workload`.

use crate::{Companion, Module, Task, workload};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::Status;

/// Executes the scenarios that name it. What it records and which parameters it reads is said here, once; a module says which of
/// its scenarios it implements, and what it overrides.
pub trait Driver: Sync {
    /// What a scenario calls it.
    fn name(&self) -> &'static str;

    /// The scenarios that it specifies. None where a module says everything itself.
    fn scenarios(&self) -> Vec<Scenario> {
        Vec::new()
    }

    /// What it specifies of the scenario `name`, where it does. A driver whose modules name their scenarios as they like gives
    /// every one of them the same.
    fn specification(&self, name: &str) -> Option<Scenario> {
        self.scenarios().into_iter().find(|scenario| scenario.name == name)
    }

    /// Executes one repetition on `module`, with the module beside it that the scenario has named, where it has.
    fn run(&self, module: &mut dyn Module, companion: Option<&mut Companion>, task: &Task<'_>) -> Report;

    /// Tries a scenario with `arguments`, without timing anything. An error is the environment's.
    fn conformance(
        &self,
        module: &mut dyn Module,
        companion: Option<&mut Companion>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError>;

    /// Whether the cell's code has to be compiled for each of its workers, rather than taken out of the cache.
    fn compiles_anew(&self, arguments: &Arguments) -> bool {
        let _ = arguments;
        false
    }

    /// Whether what operations of a scenario use and do can be counted on sessions of their own.
    fn has_account(&self, scenario: &Scenario) -> bool {
        let _ = scenario;
        false
    }
}

/// The drivers that a host has.
#[derive(Clone, Copy)]
pub struct Drivers<'a>(&'a [&'a dyn Driver]);

impl<'a> Drivers<'a> {
    /// These drivers, and the open driver `workload`, which every host has.
    pub fn new(drivers: &'a [&'a dyn Driver]) -> Self {
        Self(drivers)
    }

    /// The driver `name`.
    pub fn get(self, name: &str) -> Option<&'a dyn Driver> {
        let workload: &dyn Driver = &workload::Workload;
        std::iter::once(workload).chain(self.0.iter().copied()).find(|driver| driver.name() == name)
    }

    /// Has the scenario's driver execute `task`.
    pub fn run(self, module: &mut dyn Module, companion: Option<&mut Companion>, task: &Task<'_>) -> Report {
        match self.get(&task.scenario.driver) {
            Some(driver) => driver.run(module, companion, task),
            None => Report::without_figures(task.unit, Status::Skipped, self.unknown(&task.scenario.driver)),
        }
    }

    /// Has the scenario's driver try it.
    pub fn conformance(
        self,
        module: &mut dyn Module,
        companion: Option<&mut Companion>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        let driver = self.get(&scenario.driver);
        let driver = driver.ok_or_else(|| ModuleError::Unavailable(self.unknown(&scenario.driver)))?;
        driver.conformance(module, companion, scenario, arguments)
    }

    fn unknown(self, name: &str) -> String {
        let known: Vec<_> = std::iter::once(workload::NAME).chain(self.0.iter().map(|driver| driver.name())).collect();
        format!("needs the driver `{name}`; this host has {}: use a newer bench-host", known.join(", "))
    }
}
