//! The table of the families that this host is built with, and what they offer together. Only the table names a family.

use bench_drivers::{Driver, Drivers, Grants, Module};
use bench_family::{Family, FormerNames, Program, Servers};
use bench_model::{Arguments, Descriptor, Scenario};
use bench_report::{FamilyReport, RunView};
use bench_wasm::{Adapter, Adapters, Capabilities, Capability};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// The families, each behind a cargo feature of its name.
pub(crate) const FAMILIES: &[&dyn Family] = &[
    #[cfg(feature = "components")]
    &family_components::Components,
    #[cfg(feature = "serverless")]
    &family_serverless::Serverless,
    #[cfg(feature = "operators")]
    &family_operators::OperatorFamily,
    #[cfg(feature = "pipelines")]
    &family_pipelines::Pipelines,
    #[cfg(feature = "tabular")]
    &family_tabular::Tabular,
    #[cfg(feature = "ipc")]
    &family_ipc::Ipc,
    #[cfg(feature = "wal")]
    &family_wal::Wal,
];

/// The drivers of all families.
pub(crate) fn drivers() -> Drivers<'static> {
    static DRIVERS: LazyLock<Vec<&dyn Driver>> = LazyLock::new(|| all(|family| family.drivers()));
    Drivers::new(&DRIVERS)
}

/// In place of `module`, the one whose sessions the driver of `scenario` measures, if that makes them.
pub(crate) fn sessions(module: &mut dyn Module, scenario: &Scenario) -> Result<Option<Box<dyn Module>>, String> {
    let driver = drivers().get(&scenario.driver);
    driver.map_or(Ok(None), |driver| driver.sessions(module)).map_err(|error| error.to_string())
}

/// The interfaces that components can import from families.
pub(crate) fn capabilities() -> Capabilities {
    static CAPABILITIES: LazyLock<Vec<&dyn Capability>> = LazyLock::new(|| all(|family| family.capabilities()));
    &CAPABILITIES
}

/// The adapters for components that were not written for this host.
pub(crate) fn adapters() -> Adapters {
    static ADAPTERS: LazyLock<Vec<&dyn Adapter>> = LazyLock::new(|| all(|family| family.adapters()));
    &ADAPTERS
}

/// What families add to reports.
pub(crate) fn reports() -> &'static [&'static dyn FamilyReport] {
    static REPORTS: LazyLock<Vec<&dyn FamilyReport>> =
        LazyLock::new(|| FAMILIES.iter().filter_map(|family| family.report()).collect());
    &REPORTS
}

/// What contradicts itself in the run as a whole, as families see it.
pub(crate) fn findings(view: &RunView) -> Vec<String> {
    reports().iter().flat_map(|family| family.findings(view)).collect()
}

fn all<T: ?Sized>(of: impl Fn(&'static dyn Family) -> &'static [&'static T]) -> Vec<&'static T> {
    FAMILIES.iter().flat_map(|family| of(*family)).copied().collect()
}

/// The programs that exist next to `component`.
pub(crate) fn programs_beside(component: &Path) -> impl Iterator<Item = PathBuf> {
    let programs = FAMILIES.iter().flat_map(|family| family.programs());
    let beside = programs.map(|program| (program, program.beside(component)));
    beside.filter(|(program, path)| path.is_file() && program.is(path)).map(|(_, path)| path)
}

/// The programs that exist next to `probe` and belong to it.
pub(crate) fn programs_of_probe(probe: &Path) -> impl Iterator<Item = PathBuf> {
    let programs = FAMILIES.iter().flat_map(|family| family.programs()).filter(|program| program.of_probe);
    let beside = programs.map(|program| (program, program.beside(probe)));
    beside.filter(|(program, path)| path.is_file() && program.is(path)).map(|(_, path)| path)
}

/// The family to whose programs the file at `path` belongs, if it belongs to any.
pub(crate) fn of_program(path: &Path) -> Option<&'static str> {
    FAMILIES.iter().find(|family| program(**family, path).is_some()).map(|family| family.name())
}

/// Loads the program at `path` of the family `name`.
pub(crate) fn load_program(name: &str, path: &Path) -> Result<Box<dyn Module>, String> {
    let family = FAMILIES.iter().find(|family| family.name() == name);
    let program = family.and_then(|family| program(*family, path));
    let program = program.ok_or_else(|| format!("{}: not a program of the family `{name}`", path.display()))?;
    (program.load)(path)
}

/// The program at `path` as the arm `process` of the component that `descriptor` describes.
pub(crate) fn native_program(
    path: &Path,
    descriptor: Option<&Descriptor>,
    grants: &Grants,
) -> Result<Box<dyn Module>, String> {
    let made = descriptor
        .and_then(|descriptor| FAMILIES.iter().find_map(|family| family.native_program(path, descriptor, grants)));
    made.ok_or_else(|| format!("{}: no component that was given has an arm `process`", path.display()))?
}

fn program(family: &'static dyn Family, path: &Path) -> Option<&'static Program> {
    family.programs().iter().find(|program| program.is(path))
}

/// Whether the program at `path` describes itself.
pub(crate) fn describes_itself(path: &Path) -> bool {
    FAMILIES.iter().find_map(|family| program(*family, path)).is_some_and(|program| program.describes_itself)
}

/// The time that a worker may take in addition to its measured time.
pub(crate) fn extra_deadline(scenario: &Scenario, arguments: &Arguments, repetitions: u64) -> Duration {
    FAMILIES.iter().map(|family| family.extra_deadline(scenario, arguments, repetitions)).sum()
}

/// What the families use of the machine for a scenario with these `arguments`, beyond what it requires.
#[cfg(feature = "fleet")]
pub(crate) fn reaches(scenario: &Scenario, arguments: &Arguments) -> Vec<bench_family::Reach> {
    FAMILIES.iter().flat_map(|family| family.reaches(scenario, arguments)).collect()
}

/// The servers of a new run, if any family has some.
pub(crate) fn servers() -> Option<Arc<dyn Servers>> {
    FAMILIES.iter().find_map(|family| family.servers())
}

/// If repetitions of scenarios of the family `name` are written to the history of runs: the parameters with other names there.
pub(crate) fn history(name: &str) -> Option<FormerNames> {
    FAMILIES.iter().find(|family| family.name() == name).and_then(|family| family.history())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let drivers: Vec<_> = all(|family| family.drivers()).iter().map(|driver| driver.name()).collect();
        let families: Vec<_> = FAMILIES.iter().map(|family| family.name()).collect();
        for names in [drivers, families] {
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn specifications_are_valid_descriptors() {
        for driver in all(|family| family.drivers()) {
            for scenario in driver.scenarios() {
                assert_eq!(scenario.driver, driver.name());
                bench_model::Descriptor::new("module", "1", "").scenario(scenario).validate().unwrap();
            }
        }
    }
}
