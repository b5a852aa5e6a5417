//! The driver `operator`: many operators in one worker, each of which watches a namespace of a control plane and writes into the
//! next. The driver delivers events, unloads idle operators, and checks that no event is lost.

mod chain;
mod figures;
mod host;
mod memory;
mod operator_entry;
mod plane;
mod settings;
mod tokens;

use self::settings::{PlaneKind, Settings};
use crate::operators::{Factory, operators};
use crate::spec;
use bench_drivers::{CellFailure, Dependency, Driver, Module, Task, passed, series_records};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::Sink;
use bench_sink::runfile::OutcomeRecord;
use control_plane::{ControlPlane, Embedded, Kube};
use std::sync::Arc;

/// The kind of objects that go along the chain.
const KIND: &str = "TestResource";

/// The driver `operator`.
pub(crate) struct OperatorDriver;

impl Driver for OperatorDriver {
    fn name(&self) -> &'static str {
        spec::DRIVER
    }

    fn scenarios(&self) -> Vec<Scenario> {
        vec![spec::chain()]
    }

    fn run(&self, module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report {
        drive(module, dependency, task)
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        dependency: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        conformance(module, dependency, scenario, arguments)
    }
}

/// Executes one repetition. A failed check leaves its detail and no figure.
fn drive(module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report {
    bench_drivers::report(task.repetition, |checks| {
        let (sink, sent) = attempt(module, dependency, task, checks)?;
        Ok(report(task, &sink, sent))
    })
}

fn attempt(
    module: &mut dyn Module,
    dependency: Option<&mut Dependency>,
    task: &Task<'_>,
    checks: &mut Vec<Check>,
) -> Result<(Sink, u64), CellFailure> {
    if task.scenario.name != spec::CHAIN {
        let name = &task.scenario.name;
        let reason = format!("the driver `operator` has no scenario `{name}`; it has {}", spec::CHAIN);
        return Err(ModuleError::Unavailable(reason).into());
    }
    let settings = Settings::of(task.scenario, task.arguments)?;
    let factories = factories(module, dependency, &settings)?;
    let mut sink = Sink::new(&spec::chain().metrics);
    let sent = chain::measure(factories, plane(settings.plane)?, &settings, task, &mut sink, checks)?;
    passed(checks)?;
    Ok((sink, sent))
}

/// The factories of the operators, used in rotation.
fn factories(
    module: &mut dyn Module,
    dependency: Option<&mut Dependency>,
    settings: &Settings,
) -> Result<Vec<Box<dyn Factory>>, ModuleError> {
    // Modules that run in one engine share its pool, so each gets the number of all operators.
    let (suspension, count) = (settings.suspension, settings.count);
    let mut factories = vec![operators(module)?.prepare(suspension, count)?];
    if let Some(dependency) = dependency {
        factories.push(operators(dependency.module.as_mut())?.prepare(suspension, count)?);
    }
    Ok(factories)
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
    let find = |name: &str| sink.series().iter().find(|series| series.metric == name && series.count() > 0);
    let count = |name: &str| find(name).map_or(0, bench_sink::Series::count);
    let only = |name: &str| {
        let raw = find(name).and_then(bench_sink::Series::raw);
        raw.map_or(0, |samples| samples.iter().sum())
    };
    let outcome = OutcomeRecord {
        iterations: sent,
        recorded: count(spec::CHAIN),
        lost: Some(only(spec::metric::LATE) + only(spec::metric::FAILED)),
        ..OutcomeRecord::ok(task.repetition.cell, task.repetition.process)
    };
    Report::ok(series_records(task.repetition, sink), outcome)
}

/// Runs the conformance tests on a chain with `arguments`: two tokens with all operators loaded, and two with none. Nothing is timed.
fn conformance(
    module: &mut dyn Module,
    dependency: Option<&mut Dependency>,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    let settings = Settings::of(scenario, arguments)?;
    let factories = factories(module, dependency, &settings)?;
    let checks = chain::try_out(factories, plane(settings.plane)?, settings)?;
    Ok(checks.into_iter().map(|check| Check { name: format!("{}: {}", scenario.name, check.name), ..check }).collect())
}

#[cfg(test)]
mod tests;
