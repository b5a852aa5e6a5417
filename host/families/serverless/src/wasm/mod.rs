//! What a component offers to the driver `function`: instances behind `wasi:http/incoming-handler` of WASI 0.2, or `wasi:http/handler` of
//! WASI 0.3, prepared as far as the kind of start allows.

mod adapter;
mod call;
mod clock;
mod handle;
mod head;
mod http;
mod incoming;
mod observer;
mod reactor;
mod service;
mod snapshot;

pub(crate) use self::adapter::Handlers;
pub(crate) use self::http::HTTP;

use self::call::WasmFunction;
use self::head::Heads;
use crate::functions::{Functions, Initialisation, Start, Started, Starter};
use bench_drivers::{Grants, Module};
use bench_model::ModuleError;
use bench_sink::digest;
use bench_wasm::wasmtime::Store;
use bench_wasm::wasmtime::component::{Component as Compiled, Linker};
use bench_wasm::{Component, Denied, Runtime, State, StoreObserver, one_line};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;
use tokio::runtime::Runtime as Executor;
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

/// The exported interface that makes a component one for the driver, of WASI 0.2.
const INCOMING_HANDLER: &str = "wasi:http/incoming-handler@";

/// That of WASI 0.3, whose `handle` is an async function.
const HANDLER: &str = "wasi:http/handler@0.3.";

/// Whether the component is one for the driver.
pub(crate) fn is_handler(component: &Component) -> bool {
    component.offers(INCOMING_HANDLER) || component.offers(HANDLER)
}

const KINDS: &str = "wasm-compile, wasm-cached, wasm-pooled, wasm-preinitialised";

impl Functions for Component {
    fn prepare(&mut self, start: Start<'_>, initialisation: Initialisation) -> Result<Box<dyn Starter>, ModuleError> {
        let factory = Factory::new(self, initialisation)?;
        let bytes = || self.bytes().map_err(module_error);
        let source = match start {
            Start::Kind("wasm-compile") => Source::Bytes(bytes()?),
            Start::Kind("wasm-cached") => cached(self, bytes()?)?,
            Start::Kind("wasm-pooled") => Source::Ready(factory.link(self.instance_pre().component())?),
            Start::Kind("wasm-preinitialised") => Source::Ready(factory.snapshot(&bytes()?)?),
            Start::Quickest if snapshot::can_be_taken(self.instance_pre().component()) => {
                Source::Ready(factory.snapshot(&bytes()?)?)
            }
            Start::Quickest => Source::Ready(factory.link(self.instance_pre().component())?),
            Start::Kind(other) => {
                let reason = format!("`start` is `{other}`; a component is started as {KINDS}");
                return Err(ModuleError::InvalidArgument(reason));
            }
        };
        Ok(Box::new(WasmStarter { factory, source, heads: Rc::default() }))
    }

    fn denied(&self) -> Denied {
        Self::denied(self)
    }
}

/// The component's compiled code in a file.
fn cached(component: &Component, bytes: Vec<u8>) -> Result<Source, ModuleError> {
    let sha256 = digest::of_bytes(&bytes);
    let compile = || component.runtime().compile(component.path(), &bytes, &sha256);
    let code = || compile().map_err(|error| module_error(error.to_string()));
    // The first fills the cache, where it has not been.
    code()?;
    if !code()?.mapped {
        let reason = "compiled code is not cached here: make the user's cache folder writable for this user alone";
        return Err(ModuleError::Unavailable(reason.to_owned()));
    }
    Ok(Source::Cached { bytes, sha256 })
}

/// What makes instances.
pub(super) struct Factory {
    runtime: Runtime,
    path: PathBuf,
    grants: Grants,
    linker: Linker<State>,
    /// Whether it makes instances of a handler of WASI 0.3.
    is_concurrent: bool,
    /// What calls must be inside of, if they can wait for connections, or are concurrent.
    reactor: Option<&'static Executor>,
    /// What observes its stores.
    observer: StoreObserver,
}

impl Factory {
    fn new(component: &Component, initialisation: Initialisation) -> Result<Self, ModuleError> {
        let runtime = component.runtime().clone();
        let mut grants = component.grants().clone();
        let environment = initialisation.environment();
        grants.environment.extend(environment.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let linker = component.awaiting_linker().and_then(|mut linker| clock::link(&mut linker).map(|()| linker));
        let linker = linker.map_err(|error| module_error(one_line(&error)))?;
        let is_concurrent = !component.offers(INCOMING_HANDLER);
        // The clocks of WASI 0.3 wake who waits for them from the run-time that the call is in.
        let is_needed = runtime.awaits_calls() || reactor::is_needed(&component.imports(), &grants);
        let reactor = is_needed.then(reactor::reactor).transpose().map_err(ModuleError::Unavailable)?;
        let (path, observer) = (component.path().to_owned(), StoreObserver::default());
        Ok(Self { runtime, path, grants, linker, is_concurrent, reactor, observer })
    }

    fn store(&self) -> Result<Store<State>, ModuleError> {
        let mut store = self.runtime.session(&self.path, &[], &self.grants)?;
        self.observer.observe(&mut store);
        Ok(store)
    }

    fn link(&self, compiled: &Compiled) -> Result<ProxyPre<State>, ModuleError> {
        let linked = self.linker.instantiate_pre(compiled).and_then(|linked| match self.is_concurrent {
            true => p3::bindings::ServicePre::new(linked).map(ProxyPre::P3),
            false => p2::bindings::ProxyPre::new(linked).map(ProxyPre::P2),
        });
        linked
            .map_err(|error| module_error(format!("the component cannot be linked on this host: {}", one_line(&error))))
    }

    /// The component in `bytes`, with the memory of an initialised instance.
    fn snapshot(&self, bytes: &[u8]) -> Result<ProxyPre<State>, ModuleError> {
        let snapshot =
            snapshot::take(self, bytes).map_err(|error| module_error(format!("snapshot: {}", one_line(&error))))?;
        let compiled = Compiled::from_binary(self.runtime.engine(), &snapshot);
        self.link(&compiled.map_err(|error| module_error(format!("compiling the snapshot: {}", one_line(&error))))?)
    }
}

/// What is there when a start is asked for.
enum Source {
    /// The component's file, in memory.
    Bytes(Vec<u8>),
    /// Its compiled code in a file of the cache. The bytes are only for the case that it has gone.
    Cached { bytes: Vec<u8>, sha256: String },
    /// Its code in memory, linked.
    Ready(ProxyPre<State>),
}

struct WasmStarter {
    factory: Factory,
    source: Source,
    /// For all of its functions.
    heads: Rc<Heads>,
}

impl Starter for WasmStarter {
    fn start(&mut self) -> Result<Started, ModuleError> {
        let factory = &self.factory;
        let mut stages = Vec::with_capacity(2);
        let begin = Instant::now();
        let coded;
        let linked = match &self.source {
            Source::Ready(linked) => linked,
            Source::Bytes(bytes) => {
                let compiled = Compiled::from_binary(factory.runtime.engine(), bytes);
                coded = factory.link(&compiled.map_err(|error| module_error(one_line(&error)))?)?;
                stages.push(("compile", ns_since(begin)));
                &coded
            }
            Source::Cached { bytes, sha256 } => {
                let code = factory.runtime.compile(&factory.path, bytes, sha256);
                let code = code.map_err(|error| module_error(error.to_string()))?;
                if !code.mapped {
                    return Err(module_error(
                        "its compiled code has gone from the cache meanwhile; try again".to_owned(),
                    ));
                }
                coded = factory.link(&code.component)?;
                stages.push(("map", ns_since(begin)));
                &coded
            }
        };
        let begin = Instant::now();
        let function = WasmFunction::new(factory, linked, Rc::clone(&self.heads))?;
        stages.push(("instantiate", ns_since(begin)));
        Ok(Started { function: Box::new(function), stages })
    }
}

fn ns_since(begin: Instant) -> u64 {
    begin.elapsed().as_nanos() as u64
}

fn module_error(reason: String) -> ModuleError {
    ModuleError::Other(reason)
}
