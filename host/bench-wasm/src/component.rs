//! Loads a component: compiles or maps its code, validates, links and describes it. This is done once; each session is an instance of
//! its own.

use crate::adapter::{self, Adapted, ComponentSession};
use crate::bindings::workload::exports::bench_host::workload::{plugin, sessions};
use crate::denied::Denied;
use crate::engine::{self, Code};
use crate::error::one_line;
use crate::missing::missing;
use crate::session::{self, WasmSession};
use crate::state::{self, State};
use crate::{LoadError, Runtime, StoreObserver, convert, count, image, inspect, ledger, watch, withheld};
use bench_drivers::{Corruption, Counts, Grants, Ledger, LedgerTask, Module, Recording};
use bench_model::{Arguments, Descriptor, Metric, ModuleError, Scenario};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::{Component as Compiled, Instance, InstancePre, Linker};
use wasmtime_wasi::WasiCtxBuilder;

/// A loaded component.
pub struct Component {
    pub(crate) path: PathBuf,
    sha256: String,
    runtime: Runtime,
    pub(crate) grants: Grants,
    instance: InstancePre<State>,
    describer: Describer,
    descriptor: Descriptor,
    imports: Vec<String>,
    is_of_core_module: bool,
    load_times: LoadTimes,
}

/// What describes a component and opens its sessions.
enum Describer {
    /// The component itself. The indices of a session's functions among the exports are looked up once, because that takes a large
    /// part of an instantiation. A component without a scenario for the driver `workload` need not have sessions.
    Plugin(Option<sessions::GuestIndices>),
    /// Adapters.
    Adapted(Adapted),
}

/// Makes instances of a component, each in a store of its own.
#[derive(Clone)]
pub struct Instances {
    runtime: Runtime,
    path: PathBuf,
    grants: Grants,
    instance: InstancePre<State>,
    observer: StoreObserver,
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
    ///
    /// If its instances do not fit into the pool of `runtime`, they are allocated on demand, and [`note`](Module::note) says so; also of a
    /// component of WASI 0.3, which has an engine of its own.
    pub fn load(runtime: &Runtime, path: &Path, sha256: &str, grants: Grants) -> Result<Self, LoadError> {
        match Self::load_or_on_demand(runtime, path, sha256, grants.clone()) {
            Err(LoadError::Async { .. }) if cfg!(feature = "wasi-0-3") && !runtime.is_for_wasi_0_3 => {
                Self::load_or_on_demand(&runtime.for_wasi_0_3()?, path, sha256, grants)
            }
            loaded => loaded,
        }
    }

    fn load_or_on_demand(runtime: &Runtime, path: &Path, sha256: &str, grants: Grants) -> Result<Self, LoadError> {
        let reason = match runtime.why_not_in_pool(sha256) {
            Some(known) => known,
            None => match Self::load_on(runtime, path, sha256, grants.clone()) {
                Err(LoadError::Pool { reason, .. }) => {
                    // Before it is described, which may fail, too.
                    runtime.remember_not_to_fit(sha256, &reason);
                    reason
                }
                loaded => return loaded,
            },
        };
        let note = format!(
            "its instances do not fit into the pool, so they are allocated on demand, which makes starts slower: {reason}"
        );
        Self::load_on(&runtime.on_demand(note)?, path, sha256, grants)
    }

    fn load_on(runtime: &Runtime, path: &Path, sha256: &str, grants: Grants) -> Result<Self, LoadError> {
        for address in &grants.connections {
            // One that cannot be is an error of the session that needs it.
            let _ = state::resolve(address);
        }
        let opened = Instant::now();
        let bytes = fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        let read = opened.elapsed();
        let (bytes, code_sha256) = component_bytes(runtime, path, bytes, sha256)?;
        let started = Instant::now();
        let Code { component: code, mapped } = runtime.compile(path, &bytes, &code_sha256)?;
        let code_took = started.elapsed();
        let engine = &runtime.engine;
        let is_plugin = inspect::is_plugin(path, engine, &code)?;
        let imports = inspect::imports(engine, &code);
        let linked = runtime.component_linker().and_then(|mut linker| {
            withheld::withhold(&mut linker, engine, &code, &grants.denied)?;
            linker.instantiate_pre(&code)
        });
        let instance = linked.map_err(|error| match imports.iter().any(|import| is_of_wasi_0_3(import)) {
            true if cfg!(feature = "wasi-0-3") && !runtime.is_for_wasi_0_3 => LoadError::later_wasi(path, &error),
            _ => LoadError::imports(path, &imports, &runtime.further_names(), &error),
        })?;
        let load_times = LoadTimes { read, code: code_took, mapped, ready: opened.elapsed() };
        let component = Self {
            path: path.to_owned(),
            sha256: sha256.to_owned(),
            runtime: runtime.clone(),
            grants,
            instance,
            describer: Describer::Plugin(None),
            descriptor: Descriptor::new("", "", ""),
            imports,
            is_of_core_module: code_sha256 != sha256,
            load_times,
        };
        if is_plugin { component.describe() } else { component.adapt() }
    }

    /// Has the component describe itself.
    fn describe(mut self) -> Result<Self, LoadError> {
        let mut store = state::store(&self.runtime, &self.path, &[], &Grants::default())?;
        let described = describe(&mut store, &self.instance);
        self.descriptor = described.map_err(|reason| LoadError::Describe { path: self.path.clone(), reason })?;
        // Other drivers look up their own interfaces when they need them.
        let needs_sessions = self.descriptor.scenarios.iter().any(|scenario| scenario.driver == "workload");
        let has_sessions = needs_sessions || self.offers(inspect::SESSIONS);
        let sessions = has_sessions.then(|| sessions::GuestIndices::new(&self.instance)).transpose();
        self.describer = Describer::Plugin(sessions.map_err(|error| LoadError::link(&self.path, &error))?);
        Ok(self)
    }

    /// Has adapters describe the component. None of its code is executed.
    fn adapt(mut self) -> Result<Self, LoadError> {
        let adapted = Adapted::of(&self, self.runtime.adapters);
        let described = adapted.descriptor(&self.path);
        self.descriptor = described.map_err(|error| self.built_for_a_later_wasi().unwrap_or(error))?;
        self.describer = Describer::Adapted(adapted);
        Ok(self)
    }

    /// The error of a component that exports an interface of a WASI that this host does not run.
    fn built_for_a_later_wasi(&self) -> Option<LoadError> {
        let exports = self.instance.component().component_type();
        let names = exports.exports(&self.runtime.engine).map(|(name, _)| name.to_owned());
        let later: Vec<_> = names.filter(|name| name.starts_with("wasi:") && !name.contains("@0.2.")).collect();
        let reason = missing(&later, &self.runtime.further_names())?.replace("imports `", "exports `");
        Some(LoadError::Missing { path: self.path.clone(), reason })
    }

    /// The same component on another engine. Fails if its file has changed.
    pub fn twin(&self, runtime: &Runtime) -> Result<Self, String> {
        self.bytes()?;
        let twin = Self::load(runtime, &self.path, &self.sha256, self.grants.clone());
        twin.map_err(|error| error.to_string())
    }

    /// The bytes that it was loaded from. Fails if its file has changed.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let read = fs::read(&self.path).map_err(|source| LoadError::Read { path: self.path.clone(), source });
        let checked = read.and_then(|bytes| engine::unchanged(&self.path, &bytes, &self.sha256).map(|()| bytes));
        checked.map_err(|error| error.to_string())
    }

    /// How many core modules it is made of. Fails if its file has changed.
    pub fn core_modules(&self) -> Result<u32, String> {
        Ok(crate::shape::core_modules(&self.bytes()?))
    }

    /// Whether its file is a core module, of which an adapter made a component.
    pub fn is_of_core_module(&self) -> bool {
        self.is_of_core_module
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

    /// What it imports and its sessions were not granted.
    pub fn denied(&self) -> Denied {
        Denied::of(&self.imports, &self.grants)
    }

    /// Whether it exports an interface whose name has this prefix, such as `wasi:http/incoming-handler@`.
    pub fn offers(&self, interface: &str) -> bool {
        inspect::exports(&self.runtime.engine, self.instance.component(), interface)
    }

    /// Whether it imports this interface.
    pub fn wants(&self, interface: &str) -> bool {
        self.imports.iter().any(|import| import == interface)
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

    /// Makes instances with the grants of its sessions.
    pub fn instances(&self) -> Instances {
        let (runtime, path, grants) = (self.runtime.clone(), self.path.clone(), self.grants.clone());
        Instances { runtime, path, grants, instance: self.instance.clone(), observer: StoreObserver::default() }
    }

    /// The linked component, from which instances are made.
    pub fn instance_pre(&self) -> &InstancePre<State> {
        &self.instance
    }

    /// Links other code of this component, such as a copy that was rewritten, on `runtime`. What the user denies traps there, too.
    pub fn link(&self, runtime: &Runtime, code: &Compiled) -> wasmtime::Result<InstancePre<State>> {
        self.without_denied(runtime.linker()?)?.instantiate_pre(code)
    }

    /// A linker for code of this component, whose calls are asynchronous. What the user denies traps.
    #[cfg(feature = "awaited-calls")]
    pub fn awaiting_linker(&self) -> wasmtime::Result<Linker<State>> {
        self.without_denied(self.runtime.awaiting_linker()?)
    }

    fn without_denied(&self, mut linker: Linker<State>) -> wasmtime::Result<Linker<State>> {
        withheld::withhold(&mut linker, &self.runtime.engine, self.instance.component(), &self.grants.denied)?;
        Ok(linker)
    }

    /// Opens a session, the same for every driver.
    pub(crate) fn open_session(
        &self,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Box<dyn ComponentSession>, ModuleError> {
        match &self.describer {
            Describer::Plugin(_) => Ok(Box::new(self.open_plugin(scenario, arguments)?)),
            Describer::Adapted(adapted) => {
                self.denied().session(adapted.maker(&scenario.name)?.open(self, scenario, arguments))
            }
        }
    }

    /// Opens a session of a component that describes itself.
    pub(crate) fn open_plugin(&self, scenario: &Scenario, arguments: &Arguments) -> Result<WasmSession, ModuleError> {
        let mut store = self.store(&scenario.metrics)?;
        let exports = self.instantiate(&mut store).map_err(|error| session::trapped("instantiation", &error))?;
        WasmSession::open(store, exports, &scenario.name, arguments)
    }

    /// Opens a session and makes its first call, which is timed, in nanoseconds: that of `open`, or the first operation of a component
    /// that has no `open`.
    pub(crate) fn open_timed(&self, task: &LedgerTask<'_>) -> Result<(Box<dyn ComponentSession>, f64), ModuleError> {
        if let Describer::Adapted(_) = self.describer {
            let mut session = self.open_session(task.scenario, task.arguments)?;
            let start = Instant::now();
            session.iterate(1)?;
            return Ok((session, start.elapsed().as_nanos() as f64));
        }
        let mut store = self.store(&task.scenario.metrics)?;
        let exports = self.instantiate(&mut store).map_err(|error| session::trapped("instantiation", &error))?;
        let start = Instant::now();
        let session = WasmSession::open(store, exports, &task.scenario.name, task.arguments)?;
        Ok((Box::new(session), start.elapsed().as_nanos() as f64))
    }

    /// The number of operations that one call of the component executes, if `asked` for so many: adapters call it once an operation.
    pub(crate) fn batch(&self, asked: u64) -> u64 {
        if matches!(self.describer, Describer::Adapted(_)) { asked.min(1) } else { asked }
    }

    /// A new instance for a session, and its functions.
    pub(crate) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<sessions::Guest> {
        let instance = self.instance.instantiate(&mut *store)?;
        self.exports(store, &instance)
    }

    /// The functions of a session of `instance`.
    pub(crate) fn exports(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<sessions::Guest> {
        match &self.describer {
            Describer::Plugin(Some(sessions)) => sessions.load(store, instance),
            _ => Err(wasmtime::Error::msg("it exports no `sessions`")),
        }
    }
}

impl Module for Component {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn imports(&self) -> Vec<String> {
        self.imports.clone()
    }

    fn note(&self) -> Option<String> {
        self.runtime.note().map(str::to_owned)
    }

    fn signatures(&self) -> Vec<String> {
        match &self.describer {
            Describer::Plugin(_) => Vec::new(),
            Describer::Adapted(adapted) => adapted.signatures.clone(),
        }
    }

    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        let session: Box<dyn Recording> = self.open_session(scenario, arguments)?;
        Ok(session)
    }

    fn count(&mut self, scenario: &Scenario, arguments: &Arguments, operations: u64) -> Result<Counts, ModuleError> {
        count::counts(self, scenario, arguments, operations)
    }

    fn ledger(&mut self, task: &LedgerTask<'_>) -> Result<Option<Ledger>, ModuleError> {
        ledger::ledger(self, task)
    }

    fn corrupt(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Option<Corruption>, ModuleError> {
        match &self.describer {
            Describer::Plugin(Some(_)) => image::corrupt(self, scenario, arguments).map(Some),
            _ => Ok(None),
        }
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        watch::calls(|| body(self)).into_keys().collect()
    }
}

impl Instances {
    /// A store for an instance that records `metrics`; `set` configures the parts of WASI that are not grants.
    pub fn store(
        &self,
        metrics: &[Metric],
        set: impl FnOnce(&mut WasiCtxBuilder),
    ) -> Result<Store<State>, ModuleError> {
        let mut store = self.runtime.session_with(&self.path, metrics, &self.grants, set)?;
        self.observer.observe(&mut store);
        Ok(store)
    }

    /// What observes its stores.
    pub fn observer(&mut self) -> &mut StoreObserver {
        &mut self.observer
    }

    /// The linked component.
    pub fn pre(&self) -> &InstancePre<State> {
        &self.instance
    }
}

impl std::fmt::Debug for Instances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instances").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether an import is one of WASI 0.3, which the linker of another engine has: not every component that has such imports has an async
/// function.
fn is_of_wasi_0_3(import: &str) -> bool {
    import.starts_with("wasi:") && import.contains("@0.3.")
}

/// The bytes of a component, and the digest that its code is cached by: those of the file, unless it is a core module.
fn component_bytes(
    runtime: &Runtime,
    path: &Path,
    bytes: Vec<u8>,
    sha256: &str,
) -> Result<(Vec<u8>, String), LoadError> {
    match inspect::sniff(path, &bytes)? {
        inspect::Kind::Component => {
            // With a cache, they are checked if they are compiled.
            if !runtime.has_cache() {
                engine::unchanged(path, &bytes, sha256)?;
            }
            Ok((bytes, sha256.to_owned()))
        }
        inspect::Kind::CoreModule => {
            engine::unchanged(path, &bytes, sha256)?;
            let bytes = adapter::component_of(path, &bytes, runtime.adapters)?;
            let sha256 = bench_sink::digest::of_bytes(&bytes);
            Ok((bytes, sha256))
        }
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
