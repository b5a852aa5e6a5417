//! A command that is a core module, linked with WASI 0.1 itself, as `wasmtime run` and Sightglass link it. An adapter to WASI 0.2 would
//! take pages of its memory, which allocators of Go and of earlier C libraries take for their heap.

use super::component::{exit_status, fuel_consumed};
use super::options::Options;
use super::output::Capture;
use super::session::{Command, Finished};
use crate::core_modules::imports::imported;
use crate::stopwatch::{self, timed_ns};
use bench_model::ModuleError;
use bench_wasm::wasmtime::{self, InstancePre, Linker};
use bench_wasm::wasmtime_wasi::WasiCtxBuilder;
use bench_wasm::wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_sync};
use bench_wasm::wasmtime_wasi::p2::pipe::MemoryInputPipe;
use bench_wasm::{Component, Instances, State, StoreObserver, one_line, trapped};
use bytes::Bytes;
use std::time::Instant;

/// The name under which a component exports the core module that it consists of.
pub(crate) const EXPORT: &str = "bench-host-core-command";

/// The function in which a command of WASI 0.1 begins.
pub(crate) const START: &str = "_start";

/// A core module that exports `_start`, inside of a component that exports nothing else.
pub(super) struct CoreCommand {
    instances: Instances,
    linked: InstancePre<State>,
    /// Its arguments, the first of which is its name.
    args: Vec<String>,
    stdin: Bytes,
    fuel: Option<u64>,
}

impl CoreCommand {
    pub(super) fn new(component: &Component, options: &Options) -> Result<Self, ModuleError> {
        let linked = linked(component).map_err(|error| ModuleError::Other(one_line(&error)))?;
        let name = bench_wasm::name_of(component.path());
        Ok(Self {
            instances: component.instances(),
            linked,
            args: std::iter::once(name).chain(options.args.iter().cloned()).collect(),
            stdin: Bytes::copy_from_slice(&options.stdin),
            fuel: None,
        })
    }
}

/// The core module that `component` exports, linked with WASI 0.1 and the stopwatch.
fn linked(component: &Component) -> wasmtime::Result<InstancePre<State>> {
    let store = component.store(&[]).map_err(|error| wasmtime::Error::msg(error.to_string()));
    let mut store = store?;
    let instance = component.instance_pre().instantiate(&mut store)?;
    let module = instance.get_module(&mut store, EXPORT);
    let module = module.ok_or_else(|| wasmtime::Error::msg(format!("`{EXPORT}` is not a core module")))?;
    let mut linker = Linker::new(component.runtime().engine());
    add_to_linker_sync(&mut linker, preview1)?;
    stopwatch::link_core(&mut linker)?;
    for import in module.imports() {
        let original = imported(import.name());
        if original != import.name() {
            linker.alias(import.module(), original, import.module(), import.name())?;
        }
    }
    linker.instantiate_pre(&module)
}

/// WASI 0.1 of one run.
#[derive(Default)]
struct Preview1(Option<WasiP1Ctx>);

fn preview1(state: &mut State) -> &mut WasiP1Ctx {
    state.slot::<Preview1>().0.as_mut().expect("a run sets it before there is an instance")
}

impl Command for CoreCommand {
    fn run(&mut self) -> Result<Finished, ModuleError> {
        let begin = Instant::now();
        let stdout = Capture::default();
        let mut context = None;
        let mut store = self.instances.store(&[], |wasi| {
            wasi.args(&self.args).stdin(MemoryInputPipe::new(self.stdin.clone())).stdout(stdout.clone());
            context = Some(wasi.build_p1());
            // A builder makes one context. Components use that of the store, which may be empty here.
            *wasi = WasiCtxBuilder::new();
        })?;
        store.data_mut().slot::<Preview1>().0 = context;
        let instance = self.linked.instantiate(&mut store).map_err(|error| trapped("instantiation", &error))?;
        let start = instance.get_typed_func::<(), ()>(&mut store, START).map_err(|error| trapped(START, &error))?;
        let instantiated = Instant::now();
        let ran = start.call(&mut store, ());
        let exit = exit_status(ran.map(Ok)).map_err(|error| trapped(START, &error))?;
        let exited = Instant::now();
        let timed = timed_ns(&mut store);
        self.fuel = fuel_consumed(&store).map(|fuel| fuel + self.fuel.unwrap_or_default());
        drop(store);
        let stages =
            [("instantiate", instantiated - begin), ("run", exited - instantiated), ("drop", exited.elapsed())];
        let stages = stages.map(|(name, time)| (name, time.as_nanos() as u64));
        Ok(Finished { exit, stdout: stdout.digest(), stages: stages.to_vec(), timed })
    }

    fn fuel_consumed(&self) -> Option<u64> {
        self.fuel
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        Some(self.instances.observer())
    }
}
