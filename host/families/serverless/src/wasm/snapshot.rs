//! Snapshots of initialised components: a component is run up to the end of its initialisation once, and its memories and globals
//! are written into a copy of it.

use super::Factory;
use super::call::wait;
use bench_wasm::State;
use bench_wasm::wasmtime::component::{Component as Compiled, ComponentExportIndex, Instance, Lift, WasmList};
use bench_wasm::wasmtime::{self, Result, Store};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

/// What initialises, of wit/function.
const INITIALISER: &str = "bench-host:function/initialiser@0.1.0";
const INITIALISE: &str = "initialise";

/// Whether the component says how it is initialised.
pub(super) fn can_be_taken(component: &Compiled) -> bool {
    component.get_export_index(None, INITIALISER).is_some()
}

/// The copy of the component in `bytes`.
pub(super) fn take(factory: &Factory, bytes: &[u8]) -> Result<Vec<u8>> {
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument_component(bytes)?;
    let compiled = Compiled::from_binary(factory.runtime.engine(), &instrumented)?;
    let linked = factory.linker.instantiate_pre(&compiled)?;
    let mut store = factory.store().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    // Whole memories are looked at.
    store.set_hostcall_fuel(usize::MAX);
    wait(factory.reactor, async {
        let instance = linked.instantiate_async(&mut store).await?;
        let mut running = Running { store, instance };
        running.initialise().await?;
        wizer.snapshot_component(&context, &mut running).await
    })
}

/// An instance that is asked for what it has in its memories and globals.
struct Running {
    store: Store<State>,
    instance: Instance,
}

impl Running {
    async fn initialise(&mut self) -> Result<()> {
        let function = self.find(INITIALISER, INITIALISE)?;
        self.instance.get_typed_func::<(), ()>(&mut self.store, function)?.call_async(&mut self.store, ()).await
    }

    fn find(&mut self, interface: &str, function: &str) -> Result<ComponentExportIndex> {
        let Self { store, instance } = self;
        let interface_index = instance.get_export_index(&mut *store, None, interface);
        let index = interface_index.and_then(|index| instance.get_export_index(&mut *store, Some(&index), function));
        index.ok_or_else(|| wasmtime::Error::msg(format!("it exports no `{interface}#{function}`")))
    }

    /// What a function that instrumenting has added returns; that it is there, and as it is, is known.
    async fn read<R: Lift + 'static>(&mut self, interface: &str, function: &str) -> R {
        let read = async {
            let function = self.find(interface, function)?;
            let function = self.instance.get_typed_func::<(), (R,)>(&mut self.store, function)?;
            function.call_async(&mut self.store, ()).await
        };
        read.await.expect("what instrumenting has added is there").0
    }
}

impl ComponentInstanceState for Running {
    async fn call_func_ret_list_u8(&mut self, interface: &str, function: &str, contents: impl FnOnce(&[u8]) + Send) {
        let list: WasmList<u8> = self.read(interface, function).await;
        contents(list.as_le_slice(&self.store));
    }

    async fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> i32 {
        self.read(interface, function).await
    }

    async fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> i64 {
        self.read(interface, function).await
    }

    async fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> u32 {
        self.read::<f32>(interface, function).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> u64 {
        self.read::<f64>(interface, function).await.to_bits()
    }
}
