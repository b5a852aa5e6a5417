//! Repetitions of one transfer: the target is cleared, both sides run, and what arrived is compared with what was sent. A
//! comparison that fails leaves its detail and no figure.

use super::compression::Compression;
use super::figures::{Figures, code_name, transfer_checks};
use super::side::Which;
use super::tables::{Database, Tables};
use super::transfer::{ChannelOptions, Endpoint, Transferred, drained, piped, transformed};
use crate::connectors::{Connector, Loading, connectors};
use crate::{retry, spec};
use bench_drivers::{CellFailure, Dependency, Module, Task, passed, series_records};
use bench_engine::usage::Usage;
use bench_engine::{Clock, MonotonicClock, Report};
use bench_model::{Arguments, Check, ModuleError, Scenario};
use bench_sink::runfile::{OutcomeRecord, Status};

/// A connector, what it is called with, and what loading its module took.
pub(super) struct Prepared {
    name: String,
    connector: Box<dyn Connector>,
    arguments: Arguments,
    loading: Loading,
}

/// The two sides of a transfer; without a destination, what the source reads goes nowhere.
pub(super) struct Sides {
    source: Prepared,
    /// What changes batches on their way.
    transform: Option<Prepared>,
    destination: Option<(Prepared, ChannelOptions)>,
    /// How often a transfer is tried again whose server cannot be reached.
    retries_max: u32,
}

/// Measures a scenario of either driver.
pub(super) fn drive(module: &mut dyn Module, dependency: Option<&mut Dependency>, task: &Task<'_>) -> Report {
    let mut conditions = Vec::new();
    let report = bench_drivers::report(task.repetition, |checks| {
        let parameter = database_parameter(task.scenario)?;
        let mut tables = Database::open(parameter, task.arguments, oracle(dependency.as_deref()))?;
        let mut sides = Sides::prepare(module, dependency, task.scenario, task.arguments)?;
        conditions = sides.conditions(&tables);
        Ok(report(task, &measure(&mut sides, &mut tables, task, checks)?))
    });
    Report { conditions, ..report }
}

/// Tries a scenario with `arguments`, without keeping a time: one whole transfer, and one by a scenario that is not there.
pub(super) fn conformance(
    module: &mut dyn Module,
    mut dependency: Option<&mut Dependency>,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    let rule = |name: &str| format!("{}: {name}", scenario.name);
    let mut tables = Database::open(database_parameter(scenario)?, arguments, oracle(dependency.as_deref()))?;
    let mut checks = Vec::new();
    let mut sides = Sides::prepare(module, dependency.as_deref_mut(), scenario, arguments)?;
    let moved = repetition(&mut sides, &mut tables, &mut checks).map_err(|failure| failure.reason);
    let detail = moved.as_ref().err().cloned().unwrap_or_else(|| format!("{} rows", tables.source().1.rows));
    checks.push(Check::that(rule("moves all rows"), moved.is_ok(), detail));
    tables.clear()?;
    let unknown = Scenario { name: "no-such-scenario".to_owned(), ..scenario.clone() };
    let (from, into) = (tables.source().0.to_owned(), tables.target().to_owned());
    let tried = Sides::prepare(module, dependency, &unknown, arguments);
    let answer = tried.and_then(|mut sides| sides.transfer(&from, &into)).err();
    let refused = matches!(answer, Some(ModuleError::UnknownScenario(_)));
    let detail = answer.map_or_else(|| "rows were moved".to_owned(), |error| error.to_string());
    checks.push(Check::that(rule("an unknown scenario is refused as such"), refused, detail));
    tables.clear()?;
    Ok(checks)
}

/// The arguments of the transform, one of which is the query whose rows must arrive.
fn oracle(dependency: Option<&Dependency>) -> Option<&Arguments> {
    dependency?.further.first().map(|transform| &transform.arguments)
}

/// The parameter that names the server of `scenario`.
fn database_parameter(scenario: &Scenario) -> Result<&str, ModuleError> {
    scenario.requirements.iter().find_map(|requirement| requirement.postgres_parameter()).ok_or_else(|| {
        let reason =
            "the scenario does not say which of its parameters names the server; it must require `postgres:PARAMETER`";
        ModuleError::Other(reason.to_owned())
    })
}

impl Sides {
    pub(super) fn prepare(
        module: &mut dyn Module,
        dependency: Option<&mut Dependency>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Self, ModuleError> {
        let own = Prepared::of(module, scenario, arguments)?;
        let retries_max = match arguments.get(spec::RETRIES) {
            Some(_) => u32::try_from(arguments.size(spec::RETRIES)?).unwrap_or(u32::MAX),
            None => 0,
        };
        if scenario.driver == spec::SOURCE {
            return Ok(Self { source: own, transform: None, destination: None, retries_max });
        }
        let dependency = dependency.ok_or_else(|| {
            let reason = "nothing is there to read from; the scenario must require `module:PARAMETER` for its source";
            ModuleError::Other(reason.to_owned())
        })?;
        let Dependency { module, scenario, arguments: of_source, further } = dependency;
        if scenario.driver != spec::SOURCE {
            let reason = format!("`{}` has the driver `{}`, and is not a source", scenario.name, scenario.driver);
            return Err(ModuleError::InvalidArgument(reason));
        }
        let between = ChannelOptions {
            inflight_max: arguments.size(spec::INFLIGHT)?,
            compression: Compression::parse(arguments.text(spec::COMPRESSION)?)?,
        };
        let source = Prepared::of(module.as_mut(), scenario, of_source)?;
        let transform = further.first_mut().map(transform).transpose()?;
        Ok(Self { source, transform, destination: Some((own, between)), retries_max })
    }

    /// Conditions that the figures depend on, besides the arguments.
    fn conditions(&self, tables: &dyn Tables) -> Vec<(String, String)> {
        let code =
            |which: Which, of: &Prepared| (format!("{}_code", which.name()), code_name(of.loading.code).to_owned());
        let mut conditions = tables.conditions().to_vec();
        conditions.push(code(Which::Source, &self.source));
        conditions.extend(self.transform.iter().map(|of| code(Which::Transform, of)));
        conditions.extend(self.destination.iter().map(|(of, _)| code(Which::Destination, of)));
        conditions
    }

    fn loadings(&self) -> Vec<(Which, Loading)> {
        let source = (Which::Source, self.source.loading);
        let destination = self.destination.iter().map(|(prepared, _)| (Which::Destination, prepared.loading));
        let transform = self.transform.iter().map(|prepared| (Which::Transform, prepared.loading));
        std::iter::once(source).chain(transform).chain(destination).collect()
    }

    fn transfer(&mut self, from: &str, into: &str) -> Result<Transferred, ModuleError> {
        self.source.arguments.set(spec::FROM_TABLE, from);
        match &mut self.destination {
            None => drained(&mut self.source.party()),
            Some((destination, between)) => {
                destination.arguments.set(spec::INTO_TABLE, into);
                let (source, destination) = (&mut self.source.party(), &mut destination.party());
                match &mut self.transform {
                    None => piped(source, destination, *between),
                    Some(transform) => transformed(source, &mut transform.party(), destination, *between),
                }
            }
        }
    }
}

/// A transform that a destination names.
fn transform(dependency: &mut Dependency) -> Result<Prepared, ModuleError> {
    let Dependency { module, scenario, arguments, .. } = dependency;
    if scenario.driver != spec::TRANSFORM {
        let reason = format!("`{}` has the driver `{}`, and is not a transform", scenario.name, scenario.driver);
        return Err(ModuleError::InvalidArgument(reason));
    }
    Prepared::of(module.as_mut(), scenario, arguments)
}

impl Prepared {
    fn of(module: &mut dyn Module, scenario: &Scenario, arguments: &Arguments) -> Result<Self, ModuleError> {
        let name = format!("{}/{}", module.descriptor().name, scenario.name);
        let connectors = connectors(module)?;
        let loading = connectors.loading();
        Ok(Self { name, connector: connectors.connector(scenario)?, arguments: arguments.clone(), loading })
    }

    fn party(&mut self) -> Endpoint<'_> {
        Endpoint { name: &self.name, connector: self.connector.as_mut(), arguments: &self.arguments }
    }
}

/// Transfers for as long as `task` says; those that only warm up are compared too.
pub(super) fn measure(
    sides: &mut Sides,
    tables: &mut dyn Tables,
    task: &Task<'_>,
    checks: &mut Vec<Check>,
) -> Result<Figures, CellFailure> {
    let clock = MonotonicClock::new();
    if task.budget.warm_up_ns > 0 {
        let begin = clock.now_ns();
        while {
            repetition(sides, tables, checks)?;
            clock.now_ns() - begin < task.budget.warm_up_ns
        } {}
    }
    let mut figures = Figures::new(task.scenario);
    let begin = clock.now_ns();
    loop {
        figures.add(repetition(sides, tables, checks)?)?;
        if task.budget.amount.is_done(clock.now_ns() - begin, figures.transfers()) {
            break;
        }
    }
    tables.clear()?;
    let parts = figures.parts_checks();
    checks.extend(parts);
    passed(checks)?;
    figures.once(&sides.loadings(), Usage::now().memory_bytes_max)?;
    Ok(figures)
}

/// One transfer and what it is checked by, in place of the checks of the one before.
fn repetition(sides: &mut Sides, tables: &mut dyn Tables, checks: &mut Vec<Check>) -> Result<Transferred, CellFailure> {
    tables.clear()?;
    let (from, into) = (tables.source().0.to_owned(), tables.target().to_owned());
    let mut retries = 0;
    let transferred = loop {
        match sides.transfer(&from, &into) {
            Ok(transferred) => break Transferred { retries, ..transferred },
            Err(ModuleError::Unavailable(reason)) if retries < sides.retries_max => {
                tracing::debug!(reason, "the transfer is tried again");
                retry::pause(retries);
                retries += 1;
                tables.clear()?;
            }
            Err(error) => {
                *checks = nothing_left(sides, tables).into_iter().collect();
                return Err(error.into());
            }
        }
    };
    let expected = tables.expected().clone();
    *checks = transfer_checks(&transferred, tables.source().1, &expected);
    if sides.destination.is_some() {
        let loaded = tables.loaded()?;
        let loaded = loaded
            .ok_or_else(|| CellFailure::failed(format!("the destination said that it was done, and made no {into}")))?;
        checks.extend(expected.checks(&loaded));
    }
    match passed(checks) {
        Ok(()) => Ok(transferred),
        Err(_) if tables.has_source_changed()? => {
            checks.clear();
            let reason = format!("{from} changed while it was moved; give a table that is not written to meanwhile");
            Err(CellFailure { status: Status::Void, reason })
        }
        Err(failure) => Err(failure),
    }
}

/// Whether a transfer that failed has left no rows. Nothing is known where the server cannot be asked, which the transfer's own
/// failure says.
fn nothing_left(sides: &Sides, tables: &mut dyn Tables) -> Option<Check> {
    sides.destination.as_ref()?;
    let rows = tables.loaded().ok()?.map_or(0, |held| held.rows);
    Some(Check::that("rolled back", rows == 0, format!("{rows} rows are left of the transfer that failed")))
}

fn report(task: &Task<'_>, figures: &Figures) -> Report {
    let outcome = OutcomeRecord {
        iterations: figures.transfers(),
        bytes: figures.bytes,
        recorded: figures.transfers(),
        ..OutcomeRecord::ok(task.repetition.cell, task.repetition.process)
    };
    Report::ok(series_records(task.repetition, figures.sink()), outcome)
}
