//! Resolves the arguments of a cell for one worker: paths become paths that the module sees, names of servers become URLs, names of
//! other modules become those modules. Grants what the arguments need.

use crate::modules::{Loaded, Loader, Modules};
use crate::scratch::{Scratch, ScratchFolder};
use crate::worker::{DependencySpec, Kind, ModuleSpec};
use crate::{families, paths, requests};
use bench_drivers::{DirectoryGrant, ScratchGrant, workload};
use bench_engine::Cell;
use bench_model::{Arguments, Capability, MachineLimit, Scenario, Value};
use bench_sink::environment::{Cgroup, FileSystem, file_system};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A module and arguments as one worker sees them.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The module, with the grants that the paths and servers of the arguments need.
    pub(crate) module: ModuleSpec,
    pub(crate) arguments: Arguments,
    /// The modules that run in the same worker.
    pub(crate) companion: Option<Box<DependencySpec>>,
    /// Scratch folders. They are removed on drop, which must not happen before the worker has ended.
    pub(crate) scratch: Vec<ScratchFolder>,
}

/// The value of a path parameter that stands for the project's own sources.
pub(crate) const PROJECT: &str = "@project";

/// The value of a folder parameter that stands for the system's folder for temporary files.
pub(crate) const TEMPORARY: &str = "@temp";

/// The start of a path in the directory of the run.
pub(crate) const RUN: &str = "@run/";

/// The path that the value of a `read:` parameter stands for; `None` if that is the project's own sources and they are not found.
pub(crate) fn path_of(text: &str) -> Option<PathBuf> {
    match text {
        PROJECT => paths::project().map(|project| project.join("host")),
        text => Some(PathBuf::from(text)),
    }
}

/// The arguments with paths that begin with `@run/` in `directory`. The run file keeps them as they were given, whichever run it is.
pub(crate) fn in_run(mut arguments: Arguments, directory: &Path) -> Arguments {
    let path_of = |(name, value): (&str, &Value)| match value {
        Value::Text(text) => Some((name.to_owned(), directory.join(text.strip_prefix(RUN)?))),
        _ => None,
    };
    let paths: Vec<_> = arguments.iter().filter_map(path_of).collect();
    paths.into_iter().for_each(|(name, path)| arguments.set(name, path.display().to_string().as_str()));
    arguments
}

impl Loader {
    /// Resolves the paths, servers and other modules of a cell for one worker; or the reason why that fails and what to do.
    pub(crate) fn resolve(&self, modules: &Modules, loaded: &Loaded, cell: &Cell) -> Result<Resolved, String> {
        let driver = families::drivers().get(&cell.scenario.driver);
        let is_fresh = driver.is_some_and(|driver| driver.compiles_anew(&cell.arguments));
        let spec_of = |loaded: &Loaded| {
            let spec = loaded.spec.clone();
            if is_fresh { ModuleSpec { cache: None, ..spec } } else { spec }
        };
        let imports = &loaded.imports;
        let mut resolved = self.of_module(spec_of(loaded), imports, &cell.scenario, cell.arguments.clone())?;
        for requirement in &cell.scenario.requirements {
            let other = text_argument(requirement.module_parameter(), &cell.arguments);
            // An optional module may be left out.
            if let Some((name, text)) = other.filter(|(_, text)| !(requirement.optional && text.is_empty())) {
                let (other, scenario) = modules
                    .scenario(text, loaded.offer.arm)
                    .map_err(|reason| format!("parameter `{name}`: {reason}"))?;
                let arguments = shared_arguments(scenario, &cell.arguments);
                let beside = self.of_module(spec_of(other), &other.imports, scenario, arguments)?;
                resolved.scratch.extend(beside.scratch);
                let named = DependencySpec {
                    module: beside.module,
                    scenario: scenario.name.clone(),
                    arguments: beside.arguments,
                    further: Vec::new(),
                };
                match &mut resolved.companion {
                    Some(first) => first.further.push(named),
                    None => resolved.companion = Some(Box::new(named)),
                }
            }
        }
        Ok(resolved)
    }

    /// Resolves the `arguments` of `scenario` for `module`, which has these `imports`.
    fn of_module(
        &self,
        module: ModuleSpec,
        imports: &[String],
        scenario: &Scenario,
        arguments: Arguments,
    ) -> Result<Resolved, String> {
        enough_processors(scenario, &arguments, Cgroup::of_self().cpu_quota())?;
        requests::ensure_granted(&module, imports, scenario)?;
        let mut resolved = Resolved { module, arguments: arguments.clone(), companion: None, scratch: Vec::new() };
        for requirement in &scenario.requirements {
            if let Some((name, text)) = text_argument(requirement.read_parameter(), &arguments) {
                resolved.read(name, text, &self.scratch)?;
            } else if let Some((name, text)) = text_argument(requirement.postgres_parameter(), &arguments) {
                let servers =
                    self.servers.as_ref().ok_or("this bench-host was built without the family that has servers");
                let server =
                    servers.map_err(str::to_owned).and_then(|servers| servers.server(name, self.secrets.whole(text)));
                let server = server.map_err(|reason| format!("parameter `{name}`: {reason}"))?;
                // Other drivers run connectors.
                let is_direct = scenario.driver == workload::NAME;
                resolved.arguments.set(name, Value::Text(if is_direct { server.direct_url } else { server.url }));
                resolved.arguments.set("schema", Value::Text(server.schema));
                resolved.module.grants.connections.extend(server.addresses);
            } else if let Some((name, text)) = text_argument(requirement.scratch_parameter(), &arguments) {
                let parent = if text == TEMPORARY { std::env::temp_dir() } else { PathBuf::from(text) };
                if promises_durability(scenario, &arguments) {
                    on_disk(name, &parent, file_system(&parent).as_ref())?;
                }
                let folder = self.scratch.folder(&parent).map_err(|error| {
                    let parent = parent.display();
                    format!("parameter `{name}`: cannot create a folder in {parent}: {error}; give -p {name}=FOLDER")
                })?;
                resolved.write(name, folder);
            }
        }
        Ok(resolved)
    }
}

/// An error if the scenario keeps several processors busy at a time and the control group's `quota` is less: what would be measured is
/// the throttling. One that can do with less keeps them busy with `placement=cross` only.
fn enough_processors(scenario: &Scenario, arguments: &Arguments, quota: Option<f64>) -> Result<(), String> {
    let is_cross = matches!(arguments.get("placement"), Some(Value::Text(placement)) if placement == "cross");
    let needed = scenario.requirements.iter().filter(|requirement| !requirement.optional || is_cross);
    let needed = needed.filter_map(|requirement| match requirement.capability {
        Capability::Cpu(cpus) => Some(cpus),
        _ => None,
    });
    match (needed.max(), quota) {
        (Some(cpus), Some(quota)) if quota < f64::from(cpus) => {
            let other = if is_cross { ", or give -p placement=same" } else { "" };
            Err(format!(
                "it keeps {cpus} processors busy, and the control group's quota allows {quota:.2}, so its figures would be those of \
                 throttling; raise the quota (`cpu.max`, `--cpus`){other}"
            ))
        }
        _ => Ok(()),
    }
}

/// Values of the parameter `durability` under which what is written survives a crash of the machine, at once or after an interval.
const DURABLE: [&str; 3] = ["each", "group", "interval"];

/// Whether the scenario says that what it writes survives a crash of the machine: by its argument `durability`, or by the roofline
/// that it is compared with.
fn promises_durability(scenario: &Scenario, arguments: &Arguments) -> bool {
    match arguments.get("durability") {
        Some(Value::Text(durability)) => DURABLE.contains(&durability.as_str()),
        _ => scenario.limit == Some(MachineLimit::Fdatasync),
    }
}

/// An error if files in the folder `parent` of the parameter `name` never reach a disk: a figure would be that of memory.
fn on_disk(name: &str, parent: &Path, found: Option<&FileSystem>) -> Result<(), String> {
    let what = match found {
        Some(found) if found.is_memory() => format!("is on {}, which is in memory", found.kind),
        Some(found) if found.is_volatile => format!("is on a volatile {}", found.kind),
        _ => return Ok(()),
    };
    let parent = parent.display();
    Err(format!(
        "parameter `{name}`: {parent} {what}, where a sync does nothing; give a folder on a disk: -p {name}=PATH"
    ))
}

/// The arguments of `scenario`: the values that `arguments` have for its parameters, and the first default of the others.
fn shared_arguments(scenario: &Scenario, arguments: &Arguments) -> Arguments {
    let value = |parameter: &bench_model::Parameter| {
        let shared = arguments.get(&parameter.name).filter(|value| value.kind() == parameter.kind());
        Some((parameter.name.clone(), shared.or(parameter.defaults.first())?.clone()))
    };
    scenario.parameters.iter().filter_map(value).collect()
}

impl Resolved {
    /// Grants the module reading of the file or folder at `text`.
    fn read(&mut self, parameter: &str, text: &str, scratch: &Scratch) -> Result<(), String> {
        let next = format!("give -p {parameter}=PATH");
        let path = path_of(text).ok_or_else(|| format!("the project's own sources were not found; {next}"))?;
        let path = path
            .canonicalize()
            .map_err(|error| format!("parameter `{parameter}`: {}: {error}; {next}", path.display()))?;
        match path.file_name() {
            Some(name) if path.is_file() && self.module.kind == Kind::Component => {
                let fails = |error| format!("parameter `{parameter}`: {}: {error}; {next}", path.display());
                let folder = alone(&path, name, scratch).map_err(fails)?;
                let seen = format!("/{parameter}/{}", name.to_string_lossy());
                self.grant(parameter, folder.path(), true);
                self.arguments.set(parameter, Value::Text(seen));
                self.scratch.push(folder);
            }
            _ => self.grant(parameter, &path, true),
        }
        Ok(())
    }

    /// Grants the module writing to `folder`, and keeps the folder.
    fn write(&mut self, parameter: &str, folder: ScratchFolder) {
        self.grant(parameter, folder.path(), false);
        if let Some(Value::Text(guest)) = self.arguments.get(parameter) {
            let scratch = ScratchGrant { guest: guest.clone(), beside: folder.beside().to_owned() };
            self.module.grants.scratch.push(scratch);
        }
        self.scratch.push(folder);
    }

    /// Sets `parameter` to the path at which the module sees `path`.
    fn grant(&mut self, parameter: &str, path: &Path, read_only: bool) {
        let seen = if self.module.kind == Kind::Component {
            let guest = format!("/{parameter}");
            let grant = DirectoryGrant { host: path.to_owned(), guest: guest.clone(), read_only };
            self.module.grants.directories.push(grant);
            guest
        } else {
            path.to_string_lossy().into_owned()
        };
        self.arguments.set(parameter, Value::Text(seen));
    }
}

/// A folder with the file `path` in it as `name` and nothing else, because only folders can be granted. It is a copy only where the file
/// system of neither folder has links.
fn alone(path: &Path, name: &OsStr, scratch: &Scratch) -> std::io::Result<ScratchFolder> {
    let temporary = scratch.folder(&std::env::temp_dir())?;
    if std::fs::hard_link(path, temporary.path().join(name)).is_ok() {
        return Ok(temporary);
    }
    // In the file's own file system, unless it cannot be written to.
    let beside = path.parent().and_then(|parent| scratch.folder(parent).ok());
    if let Some(beside) = beside.filter(|beside| std::fs::hard_link(path, beside.path().join(name)).is_ok()) {
        return Ok(beside);
    }
    std::fs::copy(path, temporary.path().join(name))?;
    Ok(temporary)
}

/// The parameter that a requirement names, and its value.
fn text_argument<'a>(parameter: Option<&'a str>, arguments: &'a Arguments) -> Option<(&'a str, &'a str)> {
    let parameter = parameter?;
    match arguments.get(parameter)? {
        Value::Text(text) => Some((parameter, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_that_spins_needs_its_quota() {
        let check = |scenario: Scenario, placement: Option<&str>, quota: Option<f64>, expect: bool| {
            let mut arguments = Arguments::default();
            placement.into_iter().for_each(|text| arguments.set("placement", text));
            let found = enough_processors(&scenario, &arguments, quota);
            assert_eq!(found.is_ok(), expect, "{found:?}");
        };
        let needs = || Scenario::new("s", "f", "").requires("cpu:2", "");
        let can_use = || Scenario::new("s", "f", "").can_use("cpu:2", "");
        check(needs(), None, None, true);
        check(needs(), None, Some(2.0), true);
        check(needs(), None, Some(0.3), false);
        check(can_use(), Some("same"), Some(0.3), true);
        check(can_use(), None, Some(0.3), true);
        check(can_use(), Some("cross"), Some(1.5), false);
    }

    #[test]
    fn paths_in_the_run_are_in_its_directory() {
        let arguments: Arguments =
            [("keep", "@run/fetched"), ("mine", "@local"), ("at", "x@run/y")].into_iter().collect();
        let expect: Arguments =
            [("keep", "results/7/fetched"), ("mine", "@local"), ("at", "x@run/y")].into_iter().collect();
        assert_eq!(in_run(arguments, Path::new("results/7")), expect);
    }

    #[test]
    fn durable_scenario_needs_a_disk() {
        let scenario = |limit| Scenario { limit, ..Scenario::new("s", "f", "") };
        let check = |limit, durability: Option<&str>, expect: bool| {
            let mut arguments = Arguments::default();
            durability.into_iter().for_each(|text| arguments.set("durability", text));
            assert_eq!(promises_durability(&scenario(limit), &arguments), expect, "{durability:?}");
        };
        DURABLE.into_iter().for_each(|durability| check(None, Some(durability), true));
        check(Some(MachineLimit::Fdatasync), Some("process-crash"), false);
        check(Some(MachineLimit::Fdatasync), None, true);
        check(Some(MachineLimit::Clock), None, false);
        let on = |kind: &str, is_volatile| {
            let found = FileSystem { kind: kind.to_owned(), is_volatile };
            on_disk("directory", Path::new("/d"), Some(&found)).err().unwrap_or_default()
        };
        assert_eq!((on("ext4", false), on("overlay", false)), Default::default());
        let next = "where a sync does nothing; give a folder on a disk: -p directory=PATH";
        assert_eq!(on("tmpfs", false), format!("parameter `directory`: /d is on tmpfs, which is in memory, {next}"));
        assert_eq!(on("overlay", true), format!("parameter `directory`: /d is on a volatile overlay, {next}"));
    }
}
