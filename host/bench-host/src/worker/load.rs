//! Loads modules in a worker.

use super::engines::Engines;
use super::{DependencySpec, Kind, ModuleSpec, scenario};
use crate::{builtin, families};
use bench_drivers::{Dependency, Module};
use bench_wasm::{Component, Limits, LoadError, Settings};

pub(super) fn load_dependency(spec: &DependencySpec, engines: &mut Engines) -> Result<Dependency, String> {
    let module = load(&spec.module, engines)?;
    let found = scenario(module.as_ref(), &spec.scenario);
    let scenario =
        found.ok_or_else(|| format!("the other module no longer describes a scenario `{}`", spec.scenario))?;
    let further = spec.further.iter().map(|further| load_dependency(further, engines)).collect::<Result<_, _>>()?;
    Ok(Dependency { module, scenario, arguments: spec.arguments.clone(), further })
}

/// An error if native code is no longer that of the digest which its figures are recorded with. Components are checked where their bytes
/// are read.
pub(super) fn unchanged(spec: &ModuleSpec) -> Result<(), String> {
    if matches!(spec.kind, Kind::Builtin | Kind::Component) {
        return Ok(());
    }
    let file = spec.file.display();
    let found = bench_sink::digest::of_file(&spec.file).map_err(|error| format!("{file}: cannot be read: {error}"))?;
    if found == spec.sha256 { Ok(()) } else { Err(LoadError::Changed(spec.file.clone()).to_string()) }
}

pub(super) fn load(spec: &ModuleSpec, engines: &mut Engines) -> Result<Box<dyn Module>, String> {
    match &spec.kind {
        Kind::Component => {
            let limits = Limits { memory_bytes_max: spec.memory_bytes_max, ..Limits::default() };
            let settings: Settings = spec.engine.as_deref().unwrap_or_default().parse()?;
            let runtime = engines.get(spec.cache.clone(), limits, settings)?;
            let component = Component::load(&runtime, &spec.file, &spec.sha256, spec.grants.clone());
            Ok(Box::new(component.map_err(|error| error.to_string())?))
        }
        Kind::Probe => Ok(Box::new(bench_native::Probe::load(&spec.file).map_err(|error| error.to_string())?)),
        Kind::Program { family } => families::load_program(family, &spec.file),
        Kind::Native => families::native_program(&spec.file, spec.descriptor.as_ref(), &spec.grants),
        Kind::Builtin => Ok(Box::new(builtin::Builtin::new(spec.cache.clone()))),
    }
}
