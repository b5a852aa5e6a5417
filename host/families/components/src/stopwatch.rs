//! The stopwatch that a component starts and stops itself, between which its work is timed.

use bench_wasm::wasmtime::component::Linker;
use bench_wasm::wasmtime::{Error, Result, StoreContextMut};
use bench_wasm::{Capability, State};
use std::time::{Duration, Instant};

/// The interface, as components of the Sightglass suite import it.
pub(crate) const INTERFACE: &str = "bench";

/// The capability.
pub(crate) struct StopwatchCapability;

/// The stopwatch of one run.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    started: Option<Instant>,
    /// From the start to the end, if both were called.
    pub(crate) elapsed: Option<Duration>,
}

impl Capability for StopwatchCapability {
    fn names(&self) -> &'static [&'static str] {
        &[INTERFACE]
    }

    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        let mut interface = linker.instance(INTERFACE)?;
        interface.func_wrap("start", |mut store: StoreContextMut<'_, State>, (): ()| {
            let stopwatch = store.data_mut().slot::<Stopwatch>();
            // The last thing that is done here, so that the time contains nothing of the host.
            stopwatch.started = Some(Instant::now());
            Ok(())
        })?;
        interface.func_wrap("end", |mut store: StoreContextMut<'_, State>, (): ()| {
            let ended = Instant::now();
            let stopwatch = store.data_mut().slot::<Stopwatch>();
            let started = stopwatch.started.ok_or_else(|| Error::msg("`bench.end` was called before `bench.start`"))?;
            if stopwatch.elapsed.replace(ended - started).is_some() {
                return Err(Error::msg("`bench.end` was called twice; a run is timed once"));
            }
            Ok(())
        })
    }
}
