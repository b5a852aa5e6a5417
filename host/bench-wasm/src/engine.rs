//! The engine and its configuration: by default with pooling and copy-on-write, and without fuel, epochs and concurrency, which would
//! slow components by ten per cent and more. Deadlines are enforced by killing the worker instead.

mod config;

use crate::error::one_line;
use crate::guest_samples::Ticker;
use crate::limits::INSTANCES_MAX;
use crate::state::{self, State};
use crate::{
    Adapters, Cache, CacheError, Capabilities, ENGINE_VERSION, EngineOption, Limits, LoadError, Profiling, Settings,
    capability, shape,
};
use bench_drivers::Grants;
use bench_engine::worker::{COMPILING, doing};
use bench_model::{Metric, ModuleError};
use config::{MEMORY_RESERVATION, address_space_is_limited, config, one_an_operator, pool_for_many, uses_pool};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use wasmtime::component::{Component as Compiled, Linker};
use wasmtime::{Config, Engine, EngineWeak, InstanceAllocationStrategy, Store};
use wasmtime_wasi::WasiCtxBuilder;

/// An engine, the imports that it provides to components, and the cache of its code.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    settings: Settings,
    cache: Option<Cache>,
    capabilities: Capabilities,
    pub(crate) adapters: Adapters,
    /// What a user must know about how instances are allocated.
    note: Option<String>,
    /// Whether each operator consumes one unit of fuel, whatever it does.
    counts_operators: bool,
    /// Whether it is for components of WASI 0.3, whose calls are awaited.
    pub(crate) is_for_wasi_0_3: bool,
    /// What the pool has room for, if it is one for many.
    room: Option<Room>,
    /// The engine for many of this one and its clones.
    many: ForMany,
    /// Runs while samples of stacks are taken.
    _ticker: Option<Arc<Ticker>>,
}

/// The engine for many, as long as anybody uses it.
#[derive(Clone, Default)]
struct ForMany(Arc<Mutex<Option<Shared>>>);

/// An engine that others may use, too.
struct Shared {
    room: Room,
    engine: EngineWeak,
    ticker: Weak<Ticker>,
}

/// What a pool for many has room for: components, and core instances of each.
#[derive(Clone, Copy, Debug)]
struct Room {
    count: u32,
    cores: u32,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { limits, settings, cache, .. } = self;
        f.debug_struct("Runtime")
            .field("limits", limits)
            .field("settings", settings)
            .field("cache", cache)
            .finish_non_exhaustive()
    }
}

/// The code of a component, and its origin.
#[expect(missing_debug_implementations, reason = "code cannot be shown")]
pub struct Code {
    /// The code.
    pub component: Compiled,
    /// Whether it was mapped from the cache instead of compiled.
    pub mapped: bool,
}

/// Instances in a pool for many, in addition to those that it is made for: those that describe a component, or are compared with each
/// other before an image is taken.
const SPARE_OF_MANY: u32 = 16;

/// Core instances that each place of such a pool has room for: the component's own, those of adapters and glue code, and the accessor to
/// its memory. Components of interpreted languages are linked out of more.
const CORES_OF_MANY: u32 = 7;

/// The warning where the address space is too small for a pool.
const LIMITED_ADDRESS_SPACE: &str = "the address space of this process is limited (`ulimit -v`), so instances are allocated on demand and \
                                     each access to memory is checked, which is slower; `ulimit -v unlimited` measures as usual";

/// What is said of a component of WASI 0.3.
const WASI_0_3: &str =
    "built for WASI 0.3, which the engine calls experimental: its calls can be concurrent, which makes each one slower";

impl Runtime {
    /// An engine with these `settings`, for components with these `limits`, whose code is stored in `cache` if there is
    /// one.
    ///
    /// Where the address space is too small for a pool, instances are allocated on demand, and [`note`](Self::note) says so.
    pub fn new(limits: Limits, cache: Option<Cache>, settings: &Settings) -> Result<Self, LoadError> {
        Self::made(limits, cache, settings, false)
    }

    /// Like [`new`](Self::new); where it counts operators, fuel is consumed by them alone, and not by the bytes that one of them copies.
    fn made(
        limits: Limits,
        cache: Option<Cache>,
        settings: &Settings,
        counts_operators: bool,
    ) -> Result<Self, LoadError> {
        let limits = Limits { memory_bytes_max: limits.memory_bytes_max.min(MEMORY_RESERVATION), ..limits };
        let (mut settings, mut note) = (settings.clone(), None);
        let made = |settings: &Settings| engine(configured(&limits, settings, counts_operators), settings);
        let mut engine = made(&settings);
        if engine.is_err() && !settings.has(EngineOption::OnDemand) && address_space_is_limited() {
            settings = settings.with(EngineOption::OnDemand);
            engine = made(&settings);
            note = Some(LIMITED_ADDRESS_SPACE.to_owned());
        }
        let engine = engine?;
        let limits = if uses_pool(&settings) { limits } else { limits.on_demand() };
        let ticker = ticker(&engine, &settings);
        let (many, room) = (ForMany::default(), None);
        Ok(Self {
            engine,
            limits,
            settings,
            cache,
            capabilities: &[],
            adapters: &[],
            note,
            is_for_wasi_0_3: false,
            counts_operators,
            room,
            many,
            _ticker: ticker,
        })
    }

    /// The same engine without a pool, for a component that does not fit into one.
    pub(crate) fn on_demand(&self, note: String) -> Result<Self, LoadError> {
        let settings = self.settings.clone().with(EngineOption::OnDemand);
        let runtime = Self::made(self.limits, self.cache.clone(), &settings, self.counts_operators)?;
        let runtime = runtime.with_capabilities(self.capabilities).with_adapters(self.adapters);
        Ok(Self { note: Some(note), is_for_wasi_0_3: self.is_for_wasi_0_3, ..runtime })
    }

    /// A second engine, whose calls can be concurrent, as those of async functions.
    pub fn concurrent(&self) -> Result<Self, LoadError> {
        let settings = self.settings.clone().with(EngineOption::Concurrency);
        Self::made(self.limits, self.cache.clone(), &settings, self.counts_operators)
    }

    /// A second engine, for a component of WASI 0.3: its instances keep what concurrent calls need, which costs every call.
    pub(crate) fn for_wasi_0_3(&self) -> Result<Self, LoadError> {
        let runtime = self.concurrent()?;
        let runtime = runtime.with_capabilities(self.capabilities).with_adapters(self.adapters);
        Ok(Self { note: Some(WASI_0_3.to_owned()), is_for_wasi_0_3: true, ..runtime })
    }

    /// Whether calls of its components must be awaited, because those of the host may wait: of components of WASI 0.3.
    pub fn awaits_calls(&self) -> bool {
        self.is_for_wasi_0_3
    }

    /// Whether instances come from a pool.
    pub(crate) fn has_pool(&self) -> bool {
        uses_pool(&self.settings)
    }

    /// Whether compiled code is kept.
    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Why the component with this digest does not fit into the pool, if there is one and this is known.
    pub(crate) fn why_not_in_pool(&self, sha256: &str) -> Option<String> {
        let cache = self.cache.as_ref().filter(|_| self.has_pool())?;
        cache.read(&self.misfit(sha256)).map(|reason| String::from_utf8_lossy(&reason).into_owned())
    }

    /// Remembers that the component with this digest does not fit into a pool, so that it is not compiled for one again.
    pub(crate) fn remember_not_to_fit(&self, sha256: &str, reason: &str) {
        let written = self.cache.as_ref().map(|cache| cache.write(&self.misfit(sha256), reason.as_bytes()));
        if let Some(Err(error)) = written {
            tracing::debug!(%error, "it cannot be remembered that the component does not fit into the pool");
        }
    }

    /// The file of the cache that says that a component does not fit into this pool of this version of the engine.
    fn misfit(&self, sha256: &str) -> String {
        let pool = self.room.map_or_else(|| "pool".to_owned(), |room| format!("pool-of-many-{}", room.cores));
        format!("{sha256}-{ENGINE_VERSION}-{pool}.on-demand")
    }

    /// What a user must know about how instances are allocated.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// An engine whose components can also import these capabilities.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// An engine whose components need not export `bench-host:workload/plugin`: these adapters describe and open them.
    #[must_use]
    pub fn with_adapters(self, adapters: Adapters) -> Self {
        Self { adapters, ..self }
    }

    /// The names of what families provide: interfaces that are in no package of WASI or bench-host, and packages of WASI.
    pub(crate) fn further_names(&self) -> Vec<&'static str> {
        self.capabilities.iter().flat_map(|capability| capability.names()).copied().collect()
    }

    /// The engine itself.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The limits of its components.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A linker with everything that components can import, for instances with synchronous calls. That of a component lacks what the user
    /// denies it.
    pub(crate) fn linker(&self) -> wasmtime::Result<Linker<State>> {
        capability::linker(&self.engine, self.capabilities)
    }

    /// The linker of the components that it loads.
    pub(crate) fn component_linker(&self) -> wasmtime::Result<Linker<State>> {
        #[cfg(feature = "wasi-0-3")]
        if self.is_for_wasi_0_3 {
            return self.awaiting_linker();
        }
        self.linker()
    }

    /// Like [`linker`](Self::linker), for instances with asynchronous calls.
    #[cfg(feature = "awaited-calls")]
    pub(crate) fn awaiting_linker(&self) -> wasmtime::Result<Linker<State>> {
        let linker = capability::awaiting_linker(&self.engine, self.capabilities)?;
        #[cfg(feature = "wasi-0-3")]
        if self.is_for_wasi_0_3 {
            return capability::with_wasi_0_3(linker, self.capabilities);
        }
        Ok(linker)
    }

    /// A store for one session of the component at `path`, which records `metrics` and has `grants`.
    pub fn session(&self, path: &Path, metrics: &[Metric], grants: &Grants) -> Result<Store<State>, ModuleError> {
        self.session_with(path, metrics, grants, |_| ())
    }

    /// Like [`session`](Self::session); `set` configures the parts of WASI that are not grants, such as the clock.
    pub fn session_with(
        &self,
        path: &Path,
        metrics: &[Metric],
        grants: &Grants,
        set: impl FnOnce(&mut WasiCtxBuilder),
    ) -> Result<Store<State>, ModuleError> {
        let store = state::store_with(self, path, metrics, grants, set);
        store.map_err(|error| ModuleError::Unavailable(error.to_string()))
    }

    /// A second engine, whose code counts its instructions. It has no pool, because counted code is not timed, and a second pool
    /// would reserve the address space again.
    pub(crate) fn counting(&self) -> Result<Self, LoadError> {
        let settings = Settings::from_iter([EngineOption::Fuel, EngineOption::OnDemand]);
        Ok(Self::made(self.limits, self.cache.clone(), &settings, true)?
            .with_capabilities(self.capabilities)
            .with_adapters(self.adapters))
    }

    /// A second engine with a pool for `count` simultaneous components, most of which are idle. Their memory is returned to the system
    /// when they are dropped: pages kept for the next instance would be counted for an unloaded one. A caller that asks again while it is
    /// in use gets the same engine, if its pool is large enough: a pool writes 64 bytes for each place that it has, used or not. Each
    /// component consists of at most `modules` core modules.
    pub fn for_many(&self, count: usize, modules: u32) -> Result<Self, LoadError> {
        let count = u32::try_from(count).unwrap_or(u32::MAX).saturating_add(SPARE_OF_MANY);
        // One more is the accessor.
        let cores = CORES_OF_MANY.max(modules.saturating_add(1)).min(INSTANCES_MAX as u32);
        let mut many = self.many.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |shared: &&Shared| shared.room.count >= count && shared.room.cores >= cores;
        if let Some(shared) = many.as_ref().filter(has_room)
            && let Some(engine) = shared.engine.upgrade()
        {
            let (room, ticker) = (Some(shared.room), shared.ticker.upgrade());
            return Ok(Self { engine, room, _ticker: ticker, ..self.clone() });
        }
        let mut config = configured(&self.limits, &self.settings, self.counts_operators);
        if self.has_pool() {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool_for_many(
                &self.limits,
                Room { count, cores },
            )));
        }
        let engine = engine(config, &self.settings)?;
        let (room, ticker) = (Room { count, cores }, ticker(&engine, &self.settings));
        let shared_ticker = ticker.as_ref().map(Arc::downgrade).unwrap_or_default();
        *many = Some(Shared { room, engine: engine.weak(), ticker: shared_ticker });
        Ok(Self { engine, room: Some(room), _ticker: ticker, ..self.clone() })
    }

    /// A store of this engine. If its code uses fuel or epochs, the limits are higher than any run can reach.
    pub(crate) fn store<T: 'static>(&self, data: T) -> Store<T> {
        let mut store = Store::new(&self.engine, data);
        if self.settings.has(EngineOption::Fuel) {
            store.set_fuel(u64::MAX).expect("this engine counts fuel");
        }
        if self.settings.profiling() == Profiling::GuestSamples {
            Self::sample(&mut store);
        } else if self.settings.has(EngineOption::Epoch) {
            store.set_epoch_deadline(u64::MAX);
        }
        store
    }

    /// The code of the component in `bytes`, whose digest is `sha256`: mapped if it is in the cache. Bytes of another digest are never
    /// kept under this one, where they would be taken for the right ones from then on.
    pub fn compile(&self, path: &Path, bytes: &[u8], sha256: &str) -> Result<Code, LoadError> {
        let compiled = |component| Code { component, mapped: false };
        let compile_error = |error: wasmtime::Error| LoadError::compile(path, bytes, &error);
        let pool_error = |reason: String| LoadError::Pool { path: path.to_owned(), reason };
        let check = || shape::check(bytes).map_err(|reason| LoadError::Shape { path: path.to_owned(), reason });
        let Some(cache) = &self.cache else {
            check()?;
            let made = told(path, || Compiled::from_binary(&self.engine, bytes));
            return made.map(compiled).map_err(|error| match self.has_pool() {
                // The engine does not say whether the component is damaged or too large; without a pool it can only be damaged.
                true => pool_error(one_line(&error)),
                false => compile_error(error),
            });
        };
        if let Some(component) = cache.map(&self.engine, sha256) {
            return Ok(Code { component, mapped: true });
        }
        unchanged(path, bytes, sha256)?;
        check()?;
        let code = told(path, || self.engine.precompile_component(bytes)).map_err(compile_error)?;
        match cache.keep(&self.engine, sha256, &code) {
            Ok(component) => Ok(compiled(component)),
            Err(CacheError::Refused { reason, .. }) if self.has_pool() => Err(pool_error(reason)),
            Err(error) => {
                tracing::warn!(%error, file = %path.display(), "compiled code cannot be cached; the next start compiles again");
                told(path, || Compiled::from_binary(&self.engine, bytes)).map(compiled).map_err(compile_error)
            }
        }
    }
}

/// Compiles the component at `path`, and tells the parent of this worker so: it may take minutes.
fn told<T>(path: &Path, compile: impl FnOnce() -> T) -> T {
    doing(COMPILING, path.file_name().and_then(OsStr::to_str));
    let compiled = compile();
    doing("loading", None);
    compiled
}

/// An error if a file no longer has the digest that its figures are recorded with.
pub(crate) fn unchanged(path: &Path, bytes: &[u8], sha256: &str) -> Result<(), LoadError> {
    if bench_sink::digest::of_bytes(bytes) == sha256 {
        return Ok(());
    }
    Err(LoadError::Changed(path.to_owned()))
}

/// The bytecode of Pulley, which is interpreted.
const PULLEY_TARGET: &str = "pulley64";

/// The configuration of an engine with these limits and settings.
fn configured(limits: &Limits, settings: &Settings, counts_operators: bool) -> Config {
    let mut config = config(limits, settings);
    if counts_operators {
        config.operator_cost(one_an_operator());
    }
    config
}

/// An engine with this configuration; its code is for an interpreter if the settings say so.
fn engine(mut config: Config, settings: &Settings) -> Result<Engine, LoadError> {
    let refused = |error: wasmtime::Error| LoadError::Engine(format!("settings {settings}: {}", one_line(&error)));
    if settings.has(EngineOption::Pulley) {
        config.target(PULLEY_TARGET).map_err(refused)?;
    }
    Engine::new(&config).map_err(refused)
}

/// Advances the epoch of an engine whose code is to be sampled.
fn ticker(engine: &Engine, settings: &Settings) -> Option<Arc<Ticker>> {
    (settings.profiling() == Profiling::GuestSamples).then(|| Arc::new(Ticker::start(engine)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Module;

    #[test]
    fn engines_made_of_one_that_counts_count_the_same() {
        let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("there is an engine");
        let counting = runtime.counting().expect("there is an engine that counts");
        let others = [counting.concurrent(), counting.on_demand(String::new())];
        // The length of what is filled does not count.
        let text = "(module (memory 1) (func (export \"run\") (param i32)
            (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))";
        let module = wat::parse_str(text).expect("it is a module");
        let consumed = |runtime: &Runtime, bytes: i32| {
            let module = Module::new(runtime.engine(), &module).expect("it is a module");
            let mut store = runtime.store(());
            let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("it imports nothing");
            let run = instance.get_typed_func::<i32, ()>(&mut store, "run").expect("it is exported");
            run.call(&mut store, bytes).expect("the memory is larger");
            u64::MAX - store.get_fuel().expect("this engine counts fuel")
        };
        let expect = consumed(&counting, 1);
        assert!(expect > 0);
        for other in [Ok(counting)].into_iter().chain(others) {
            let other = other.expect("there is an engine");
            assert_eq!([1, 1_000].map(|bytes| consumed(&other, bytes)), [expect; 2], "{}", other.settings);
        }
    }

    #[test]
    fn engine_for_many_is_shared_while_it_is_in_use() {
        let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("there is an engine");
        let many = |runtime: &Runtime, count| runtime.for_many(count, 3).expect("there is an engine for many").engine;
        let first = many(&runtime, 100);
        assert!(Engine::same(&first, &many(&runtime.clone(), 10)), "it has room");
        let linked = runtime.for_many(10, 30).expect("there is an engine for many").engine;
        assert!(!Engine::same(&first, &linked), "it has no room for components of thirty modules");
        drop(linked);
        assert!(!Engine::same(&first, &many(&runtime, 1_000)), "it has no room for a thousand");
        assert!(!Engine::same(&first, &runtime.engine));
    }
}
