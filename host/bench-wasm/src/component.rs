//! Loads a component: compiles or maps its code, validates, links and describes it. This is done once; each session is an instance of
//! its own.

use crate::bindings::workload::exports::bench_host::workload::{plugin, sessions};
use crate::engine::Code;
use crate::error::one_line;
use crate::session::{self, WasmSession};
use crate::state::{self, State};
use crate::{LoadError, Runtime, convert, count, inspect, ledger, watch};
use bench_drivers::{Counts, Grants, Ledger, LedgerTask, Module, Recording};
use bench_model::{Arguments, Descriptor, Metric, ModuleError, Scenario};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// A loaded component.
pub struct Component {
    pub(crate) path: PathBuf,
    sha256: String,
    runtime: Runtime,
    pub(crate) grants: Grants,
    instance: InstancePre<State>,
    /// The indices of a session's functions among the exports. They are looked up once, because that takes a large part of an
    /// instantiation. A component without a scenario for the driver `workload` need not have sessions.
    sessions: Option<sessions::GuestIndices>,
    descriptor: Descriptor,
    imports: Vec<String>,
    load_times: LoadTimes,
}

/// The times of loading.
#[derive(Clone, Copy, Debug)]
pub struct LoadTimes {
    /// Time to read the file.
    pub read: Duration,
    /// Time to get executable code: to map it from the cache, or to compile it and store it in the cache, if there is one.
    pub code: Duration,
    /// Whether it was mapped.
    pub mapped: bool,
    /// Time from opening the file until instances can be made.
    pub ready: Duration,
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
    /// Loads the component at `path`, whose digest is `sha256`. Its sessions have `grants`; the call of `describe` has none.
    pub fn load(runtime: &Runtime, path: &Path, sha256: &str, grants: Grants) -> Result<Self, LoadError> {
        let opened = Instant::now();
        let bytes = fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        let read = opened.elapsed();
        inspect::sniff(path, &bytes)?;
        let started = Instant::now();
        let Code { component: code, mapped } = runtime.compile(path, &bytes, sha256)?;
        let code_took = started.elapsed();
        let engine = &runtime.engine;
        inspect::plugin_version(path, engine, &code)?;
        let imports = inspect::imports(engine, &code);
        let link_error = |error: wasmtime::Error| LoadError::link(path, &error);
        let instance = runtime.linker().and_then(|linker| linker.instantiate_pre(&code)).map_err(link_error)?;
        let load_times = LoadTimes { read, code: code_took, mapped, ready: opened.elapsed() };
        let exports = |name: &str| inspect::exports(engine, &code, name);
        let mut store = state::store(runtime, path, &[], &Grants::default())?;
        let descriptor =
            describe(&mut store, &instance).map_err(|reason| LoadError::Describe { path: path.to_owned(), reason })?;
        // Other drivers look up their own interfaces when they need them.
        let needs_sessions = descriptor.scenarios.iter().any(|scenario| scenario.driver == "workload");
        let sessions = (needs_sessions || exports(inspect::SESSIONS)).then(|| sessions::GuestIndices::new(&instance));
        let sessions = sessions.transpose().map_err(link_error)?;
        let (path, sha256, runtime) = (path.to_owned(), sha256.to_owned(), runtime.clone());
        Ok(Self { path, sha256, runtime, grants, instance, sessions, descriptor, imports, load_times })
    }

    /// The same component on another engine. Fails if its file has changed.
    pub fn twin(&self, runtime: &Runtime) -> Result<Self, String> {
        self.bytes()?;
        let twin = Self::load(runtime, &self.path, &self.sha256, self.grants.clone());
        twin.map_err(|error| error.to_string())
    }

    /// The bytes that it was loaded from. Fails if its file has changed.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let read = fs::read(&self.path);
        let bytes = read.map_err(|source| LoadError::Read { path: self.path.clone(), source }.to_string())?;
        if bench_sink::digest::of_bytes(&bytes) == self.sha256 {
            Ok(bytes)
        } else {
            Err(format!("{}: has changed since it was loaded; start again", self.path.display()))
        }
    }

    /// The digest of its file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The path of its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The grants of its sessions.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Whether it exports an interface whose name has this prefix, such as `wasi:http/incoming-handler@`.
    pub fn offers(&self, interface: &str) -> bool {
        inspect::exports(&self.runtime.engine, self.instance.component(), interface)
    }

    /// The engine that it was loaded for.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The times of loading it.
    pub fn load_times(&self) -> LoadTimes {
        self.load_times
    }

    /// A store for a session that records `metrics`.
    pub fn store(&self, metrics: &[Metric]) -> Result<Store<State>, ModuleError> {
        self.runtime.session(&self.path, metrics, &self.grants)
    }

    /// The size of its machine code.
    pub(crate) fn code_bytes(&self) -> u64 {
        self.instance.component().text().len() as u64
    }

    /// The linked component, from which instances are made.
    pub fn instance_pre(&self) -> &InstancePre<State> {
        &self.instance
    }

    /// Opens a session, the same for every driver.
    pub(crate) fn open_session(&self, scenario: &Scenario, arguments: &Arguments) -> Result<WasmSession, ModuleError> {
        let (store, exports) = self.uncalled(scenario)?;
        WasmSession::open(store, exports, &scenario.name, arguments)
    }

    /// A store with a new instance, before any call.
    pub(crate) fn uncalled(&self, scenario: &Scenario) -> Result<(Store<State>, sessions::Guest), ModuleError> {
        let mut store = self.store(&scenario.metrics)?;
        let exports = self.instantiate(&mut store).map_err(|error| session::trapped("instantiation", &error))?;
        Ok((store, exports))
    }

    /// A new instance for a session, and its functions.
    pub(crate) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<sessions::Guest> {
        let instance = self.instance.instantiate(&mut *store)?;
        self.exports(store, &instance)
    }

    /// The functions of a session of `instance`.
    pub(crate) fn exports(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<sessions::Guest> {
        let sessions = self.sessions.as_ref().ok_or_else(|| wasmtime::Error::msg("it exports no `sessions`"))?;
        sessions.load(store, instance)
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

    fn count(&mut self, scenario: &Scenario, arguments: &Arguments, operations: u64) -> Result<Counts, ModuleError> {
        count::counts(self, scenario, arguments, operations)
    }

    fn ledger(&mut self, task: &LedgerTask<'_>) -> Result<Option<Ledger>, ModuleError> {
        ledger::ledger(self, task).map(Some)
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        watch::calls(|| body(self)).into_keys().collect()
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
