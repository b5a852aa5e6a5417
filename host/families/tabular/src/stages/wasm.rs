//! Stages of a component: tables cross as Arrow IPC streams, which are copied in and out.

use self::bindings::exports::bench_host::tabular::stage::{Guest, GuestIndices};
use super::{Input, Stage, Stages};
use crate::arrow;
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bench_drivers::Grants;
use bench_model::{Arguments, ModuleError, Scenario};
use bench_wasm::wasmtime::Store;
use bench_wasm::wasmtime::component::InstancePre;
use bench_wasm::{Component, Runtime, State, one_line, trapped, wit};
use std::path::PathBuf;

/// The exported interface that makes a component one with stages, whatever its version.
pub(super) const EXPORT: &str = "bench-host:tabular/stage@";

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings {
    bench_wasm::wasmtime::component::bindgen!({
        inline: "package bench-host:stages; world stages { export bench-host:tabular/stage@0.1.0; }",
        path: ["../../../wit/workload", "../../../wit/tabular"],
        world: "bench-host:stages/stages",
        with: { "bench-host:workload/types": bench_wasm::wit::types },
        wasmtime_crate: bench_wasm::wasmtime,
    });
}

/// The stages of a component. Each has an instance of its own.
pub(super) struct WasmStages {
    runtime: Runtime,
    path: PathBuf,
    grants: Grants,
    instance: InstancePre<State>,
    exports: GuestIndices,
}

impl WasmStages {
    pub(super) fn of(component: &Component) -> Result<Self, ModuleError> {
        let instance = component.instance_pre().clone();
        let exports = GuestIndices::new(&instance)
            .map_err(|error| ModuleError::Other(format!("it does not fit this host: {}", one_line(&error))))?;
        let (runtime, path) = (component.runtime().clone(), component.path().to_owned());
        Ok(Self { runtime, path, grants: component.grants().clone(), instance, exports })
    }
}

impl Stages for WasmStages {
    fn open(&self, scenario: &Scenario, arguments: &Arguments, input: Input) -> Result<Box<dyn Stage>, ModuleError> {
        let mut store = self.runtime.session(&self.path, &[], &self.grants)?;
        // A result may be as large as the component's memory.
        store.set_hostcall_fuel(self.runtime.limits().memory_bytes_max);
        let instance = self.instance.instantiate(&mut store);
        let exports = instance.and_then(|instance| self.exports.load(&mut store, &instance));
        let exports = exports.map_err(|error| trapped("instantiation", &error))?;
        let tables = input.tables.iter().map(|table| arrow::to_stream(table)).collect::<Result<Vec<_>, _>>();
        let tables = tables.map_err(|error| ModuleError::Other(format!("writing Arrow IPC: {error}")))?;
        Ok(Box::new(WasmStage {
            store,
            exports,
            scenario: scenario.name.clone(),
            arguments: wit::arguments(arguments),
            files: input.files,
            tables,
            result: Vec::new(),
        }))
    }
}

struct WasmStage {
    store: Store<State>,
    exports: Guest,
    scenario: String,
    arguments: Vec<wit::types::Argument>,
    files: Vec<Vec<u8>>,
    tables: Vec<Vec<u8>>,
    result: Vec<u8>,
}

impl Stage for WasmStage {
    fn run(&mut self) -> Result<(), ModuleError> {
        self.result = Vec::new();
        let (arguments, files, tables) = (&self.arguments, &self.files, &self.tables);
        let returned = self.exports.call_run(&mut self.store, &self.scenario, arguments, files, tables);
        self.result = returned.map_err(|error| trapped("run", &error))?.map_err(wit::error)?;
        Ok(())
    }

    fn result(&self) -> Result<Vec<RecordBatch>, ModuleError> {
        let fault = |error: ArrowError| ModuleError::Other(format!("its result is not an Arrow IPC stream: {error}"));
        arrow::of_stream(&self.result).map_err(fault)
    }
}
