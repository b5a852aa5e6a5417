//! The stopwatch that a module starts and stops itself, between which its work is timed.

use bench_wasm::wasmtime::component::Linker;
#[cfg(feature = "core-modules")]
use bench_wasm::wasmtime::{self, Caller};
use bench_wasm::wasmtime::{Error, Result, Store, StoreContextMut};
use bench_wasm::{Capability, State};
use std::time::{Duration, Instant};

/// The interface, and the module that benchmarks of the Sightglass suite import.
pub(crate) const INTERFACE: &str = "bench";

/// The capability.
pub(crate) struct StopwatchCapability;

/// The stopwatch of one run.
#[derive(Debug, Default)]
struct Stopwatch {
    started: Option<Instant>,
    /// From the start to the end, if both were called.
    elapsed: Option<Duration>,
}

/// The nanoseconds that the run in `store` timed itself, if it did.
pub(crate) fn timed_ns(store: &mut Store<State>) -> Option<u64> {
    store.data_mut().slot::<Stopwatch>().elapsed.map(|time| time.as_nanos() as u64)
}

impl Stopwatch {
    fn start(&mut self) {
        // The last thing that is done here, so that the time contains nothing of the host.
        self.started = Some(Instant::now());
    }

    fn end(&mut self, ended: Instant) -> Result<()> {
        let started = self.started.ok_or_else(|| Error::msg("`bench.end` was called before `bench.start`"))?;
        if self.elapsed.replace(ended - started).is_some() {
            return Err(Error::msg("`bench.end` was called twice; a run is timed once"));
        }
        Ok(())
    }
}

impl Capability for StopwatchCapability {
    fn names(&self) -> &'static [&'static str] {
        &[INTERFACE]
    }

    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        let mut interface = linker.instance(INTERFACE)?;
        interface.func_wrap("start", |mut store: StoreContextMut<'_, State>, (): ()| {
            store.data_mut().slot::<Stopwatch>().start();
            Ok(())
        })?;
        interface.func_wrap("end", |mut store: StoreContextMut<'_, State>, (): ()| {
            let ended = Instant::now();
            store.data_mut().slot::<Stopwatch>().end(ended)
        })
    }
}

/// Links the stopwatch of core modules.
#[cfg(feature = "core-modules")]
pub(crate) fn link_core(linker: &mut wasmtime::Linker<State>) -> Result<()> {
    linker.func_wrap(INTERFACE, "start", |mut caller: Caller<'_, State>| {
        caller.data_mut().slot::<Stopwatch>().start();
    })?;
    linker.func_wrap(INTERFACE, "end", |mut caller: Caller<'_, State>| {
        let ended = Instant::now();
        caller.data_mut().slot::<Stopwatch>().end(ended)
    })?;
    Ok(())
}
