//! What a component offers to the drivers `source` and `destination`: instances on whichever thread they are to run.

mod batches;
mod bindings;

pub(crate) use self::batches::BATCHES;

use self::batches::Batches;
use self::bindings::bench_host::pipeline::reports::Report;
use self::bindings::exports::bench_host::pipeline::{destination, source};
use crate::connectors::{Code, Connector, ConnectorInstance, Connectors, Emit, Loading, Next, Transfer};
use crate::spec;
use bench_drivers::Grants;
use bench_model::{Arguments, Metric, ModuleError, Scenario};
use bench_wasm::wasmtime::component::{Instance, InstancePre};
use bench_wasm::wasmtime::{self, Store};
use bench_wasm::{Component, Runtime, State, trapped, wit};
use std::path::PathBuf;

/// The exported interfaces that make a component a connector, whatever their version.
pub(crate) const EXPORTS: [&str; 2] = ["bench-host:pipeline/source@", "bench-host:pipeline/destination@"];

impl Connectors for Component {
    fn connector(&mut self, scenario: &Scenario) -> Result<Box<dyn Connector>, ModuleError> {
        let instance = self.instance_pre().clone();
        let exports = match scenario.driver.as_str() {
            // A transform is a source that reads batches.
            spec::SOURCE | spec::TRANSFORM => source::GuestIndices::new(&instance).map(Indices::Source),
            _ => destination::GuestIndices::new(&instance).map(Indices::Destination),
        };
        let exports = exports.map_err(|_| {
            let (scenario, driver) = (&scenario.name, &scenario.driver);
            ModuleError::Other(format!(
                "`{scenario}` is for the driver `{driver}`, and the component exports no `{driver}`"
            ))
        })?;
        Ok(Box::new(WasmConnector {
            runtime: self.runtime().clone(),
            path: self.path().to_owned(),
            grants: self.grants().clone(),
            metrics: scenario.metrics.clone(),
            scenario: scenario.name.clone(),
            instance,
            exports,
        }))
    }

    fn loading(&self) -> Loading {
        let times = self.load_times();
        let code = if times.mapped { Code::Cached } else { Code::Compiled };
        Loading { ns: u64::try_from(times.ready.as_nanos()).unwrap_or(u64::MAX), code }
    }
}

/// Where the connector's function is among the exports.
enum Indices {
    Source(source::GuestIndices),
    Destination(destination::GuestIndices),
}

/// The connector's function.
enum Exports {
    Source(source::Guest),
    Destination(destination::Guest),
}

struct WasmConnector {
    runtime: Runtime,
    path: PathBuf,
    grants: Grants,
    metrics: Vec<Metric>,
    scenario: String,
    instance: InstancePre<State>,
    exports: Indices,
}

impl Connector for WasmConnector {
    fn instantiate(&mut self) -> Result<Box<dyn ConnectorInstance>, ModuleError> {
        let mut store = self.runtime.session(&self.path, &self.metrics, &self.grants)?;
        // The driver refuses a batch that is too large with a reason, so it must be read: at most as much as the component has memory.
        store.set_hostcall_fuel(self.runtime.limits().memory_bytes_max);
        let instance = self.instance.instantiate(&mut store);
        let exports = instance.and_then(|instance| self.load(&mut store, &instance));
        let exports = exports.map_err(|error| trapped("instantiation", &error))?;
        Ok(Box::new(WasmInstance { store, exports, scenario: self.scenario.clone() }))
    }
}

impl WasmConnector {
    fn load(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Exports> {
        Ok(match &self.exports {
            Indices::Source(indices) => Exports::Source(indices.load(store, instance)?),
            Indices::Destination(indices) => Exports::Destination(indices.load(store, instance)?),
        })
    }
}

struct WasmInstance {
    store: Store<State>,
    exports: Exports,
    scenario: String,
}

impl ConnectorInstance for WasmInstance {
    fn read(&mut self, arguments: &Arguments, batches: Box<dyn Emit>) -> Result<Transfer, ModuleError> {
        let Exports::Source(source) = &self.exports else { return Err(other_way("read")) };
        *self.store.data_mut().slot::<Batches>() = Batches::Emit(batches);
        let reported = source.call_read(&mut self.store, &self.scenario, &wit::arguments(arguments));
        *self.store.data_mut().slot::<Batches>() = Batches::None;
        transfer("read", reported)
    }

    fn change(
        &mut self,
        arguments: &Arguments,
        from: Box<dyn Next>,
        into: Box<dyn Emit>,
    ) -> Result<Transfer, ModuleError> {
        let Exports::Source(source) = &self.exports else { return Err(other_way("read")) };
        *self.store.data_mut().slot::<Batches>() = Batches::Both(from, into);
        let reported = source.call_read(&mut self.store, &self.scenario, &wit::arguments(arguments));
        *self.store.data_mut().slot::<Batches>() = Batches::None;
        transfer("read", reported)
    }

    fn write(&mut self, arguments: &Arguments, batches: Box<dyn Next>) -> Result<Transfer, ModuleError> {
        let Exports::Destination(destination) = &self.exports else { return Err(other_way("write")) };
        *self.store.data_mut().slot::<Batches>() = Batches::Next(batches);
        let reported = destination.call_write(&mut self.store, &self.scenario, &wit::arguments(arguments));
        *self.store.data_mut().slot::<Batches>() = Batches::None;
        transfer("write", reported)
    }
}

fn other_way(function: &str) -> ModuleError {
    ModuleError::Other(format!("`{function}` was asked of a connector for the other direction"))
}

fn transfer(
    function: &str,
    reported: wasmtime::Result<Result<Report, wit::types::Error>>,
) -> Result<Transfer, ModuleError> {
    let report = reported.map_err(|error| trapped(function, &error))?.map_err(wit::error)?;
    let stages = report.stages.into_iter().map(|stage| (stage.name, stage.nanoseconds)).collect();
    Ok(Transfer { records: report.records, bytes: report.bytes, stages })
}
