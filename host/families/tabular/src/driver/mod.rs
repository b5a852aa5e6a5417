//! The driver `stage`: a stage of a module takes and gives tables through the boundary, and every cell of what it gives is compared. It is
//! measured as the driver `workload` measures: an operation is one call with its input and its result.

mod job;
mod session;

use crate::spec;
use crate::stages::{self, Stages};
use bench_drivers::{Dependency, Driver, Module, Recording, Task, report, workload};
use bench_engine::Report;
use bench_model::{Arguments, Check, Descriptor, ModuleError, Scenario};
use session::StageSession;

/// The driver.
#[derive(Debug)]
pub(crate) struct StageDriver;

impl Driver for StageDriver {
    fn name(&self) -> &'static str {
        spec::DRIVER
    }

    fn scenarios(&self) -> Vec<Scenario> {
        spec::scenarios()
    }

    fn run(&self, module: &mut dyn Module, _: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        match StagedModule::of(module) {
            Ok(mut module) => workload::drive(&mut module, task),
            Err(error) => report(task.repetition, |_| Err(error.into())),
        }
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        _: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        let checks = workload::conformance(&mut StagedModule::of(module)?, scenario, arguments)?;
        let name = |check: Check| Check { name: format!("{}: {}", scenario.name, check.name), ..check };
        Ok(checks.into_iter().map(name).collect())
    }

    fn sessions(&self, module: &mut dyn Module) -> Result<Option<Box<dyn Module>>, ModuleError> {
        Ok(Some(Box::new(StagedModule::of(module)?)))
    }

    fn uncounted(&self, _: &Scenario) -> Option<&'static str> {
        None
    }
}

/// The stages of a module as sessions.
struct StagedModule {
    descriptor: Descriptor,
    stages: Box<dyn Stages>,
}

impl StagedModule {
    fn of(module: &mut dyn Module) -> Result<Self, ModuleError> {
        let descriptor = module.descriptor().clone();
        Ok(Self { descriptor, stages: stages::of_module(module)? })
    }
}

impl Module for StagedModule {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Those of the module itself are known to the host before.
    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        Ok(Box::new(StageSession::open(self.stages.as_ref(), scenario, arguments)?))
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        body(self);
        Vec::new()
    }
}
