//! A component that was loaded: compiled or mapped, looked at, linked, and described. Everything but the instance itself is
//! done once; a session is an instance of its own.

use crate::bindings::workload::exports::bench_host::workload::{plugin, sessions};
use crate::error::one_line;
use crate::session::{self, WasmSession};
use crate::state::{self, State};
use crate::{Limits, LoadError, Runtime, capability, convert, inspect, watch};
use bench_drivers::{Grants, Module, Recording};
use bench_model::{Arguments, Descriptor, Metric, ModuleError, Scenario};
use std::fs;
use std::path::{Path, PathBuf};
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Engine, Store};

/// A component that was loaded.
pub struct Component {
    path: PathBuf,
    engine: Engine,
    limits: Limits,
    grants: Grants,
    instance: InstancePre<State>,
    /// Where the functions of a session are among the exports. Found once: looking them up, and their types, takes a good
    /// part of an instantiation.
    sessions: sessions::GuestIndices,
    descriptor: Descriptor,
    imports: Vec<String>,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("path", &self.path)
            .field("descriptor", &self.descriptor)
            .finish_non_exhaustive()
    }
}

impl Component {
    /// Loads the component at `path`, whose digest is `sha256`. Its sessions are granted `grants`; its description nothing.
    pub fn load(runtime: &Runtime, path: &Path, sha256: &str, grants: Grants) -> Result<Self, LoadError> {
        let bytes = fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        inspect::sniff(path, &bytes)?;
        let engine = runtime.engine.clone();
        let code = runtime.compile(path, &bytes, sha256)?;
        inspect::plugin_version(path, &engine, &code)?;
        let imports = inspect::imports(&engine, &code);
        let link_error = |error: wasmtime::Error| LoadError::link(path, &error);
        let linker = capability::linker(&engine).map_err(link_error)?;
        let instance = linker.instantiate_pre(&code).map_err(link_error)?;
        let sessions = sessions::GuestIndices::new(&instance).map_err(link_error)?;
        let mut store = state::store(&engine, path, runtime.limits, &[], &Grants::default())?;
        let descriptor =
            describe(&mut store, &instance).map_err(|reason| LoadError::Describe { path: path.to_owned(), reason })?;
        let (path, limits) = (path.to_owned(), runtime.limits);
        Ok(Self { path, engine, limits, grants, instance, sessions, descriptor, imports })
    }

    /// A store for a session that records `metrics`.
    pub(crate) fn store(&self, metrics: &[Metric]) -> Result<Store<State>, ModuleError> {
        state::store(&self.engine, &self.path, self.limits, metrics, &self.grants)
            .map_err(|error| ModuleError::Unavailable(error.to_string()))
    }

    /// What instances are made from.
    pub(crate) fn instance_pre(&self) -> &InstancePre<State> {
        &self.instance
    }

    /// A session as every driver gets it.
    pub(crate) fn open_session(&self, scenario: &Scenario, arguments: &Arguments) -> Result<WasmSession, ModuleError> {
        let mut store = self.store(&scenario.metrics)?;
        let exports = self.instantiate(&mut store).map_err(|error| session::trapped("instantiation", &error))?;
        WasmSession::open(store, exports, &scenario.name, arguments)
    }

    /// An instance as every session gets it, and its functions.
    pub(crate) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<sessions::Guest> {
        let instance = self.instance.instantiate(&mut *store)?;
        self.exports(store, &instance)
    }

    /// The functions of a session of `instance`.
    pub(crate) fn exports(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<sessions::Guest> {
        self.sessions.load(store, instance)
    }
}

impl Module for Component {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn imports(&self) -> Vec<String> {
        self.imports.clone()
    }

    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        Ok(Box::new(self.open_session(scenario, arguments)?))
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        watch::calls(|| body(self))
    }
}

fn describe(store: &mut Store<State>, prepared: &InstancePre<State>) -> Result<Descriptor, String> {
    let call = |store: &mut Store<State>| {
        let instance = prepared.instantiate(&mut *store)?;
        plugin::GuestIndices::new(prepared)?.load(&mut *store, &instance)?.call_describe(store)
    };
    let descriptor = convert::descriptor(call(store).map_err(|error| one_line(&error))?)?;
    descriptor.validate().map_err(|error| error.to_string())?;
    Ok(descriptor)
}
