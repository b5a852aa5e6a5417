//! What a probe offers to the drivers `source` and `destination`: the extension `bench-host:pipeline/0.1` of its table.

mod batches;

use self::batches::{Batches, End};
use crate::connectors::{Code, Connector, ConnectorInstance, Connectors, Emit, Loading, Next, Transfer};
use crate::spec;
use bench_model::{Arguments, Metric, ModuleError, Scenario};
use bench_native::{HostSide, Probe, arg};
use probe_abi::raw;

impl Connectors for Probe {
    fn connector(&mut self, scenario: &Scenario) -> Result<Box<dyn Connector>, ModuleError> {
        Ok(Box::new(connector(self.extension()?, scenario)?))
    }

    fn loading(&self) -> Loading {
        Loading { ns: u64::try_from(self.load_time().as_nanos()).unwrap_or(u64::MAX), code: Code::Native }
    }
}

/// The connector of `scenario`.
fn connector(table: &'static raw::Pipeline, scenario: &Scenario) -> Result<NativeConnector, ModuleError> {
    let (function, call) = match scenario.driver.as_str() {
        // A transform is a source that reads batches.
        spec::SOURCE | spec::TRANSFORM => ("read", table.read),
        _ => ("write", table.write),
    };
    let (name, driver) = (scenario.name.clone(), &scenario.driver);
    let call = call.ok_or_else(|| {
        ModuleError::Other(format!("`{name}` is for the driver `{driver}`, and the probe has no function `{function}`"))
    })?;
    Ok(NativeConnector { function, call, metrics: scenario.metrics.clone(), scenario: name })
}

/// One function of the probe's, for one scenario.
struct NativeConnector {
    function: &'static str,
    call: raw::Connect,
    metrics: Vec<Metric>,
    scenario: String,
}

impl Connector for NativeConnector {
    fn instantiate(&mut self) -> Result<Box<dyn ConnectorInstance>, ModuleError> {
        let host = HostSide::of(&self.metrics);
        Ok(Box::new(NativeInstance { function: self.function, call: self.call, scenario: self.scenario.clone(), host }))
    }
}

struct NativeInstance {
    function: &'static str,
    call: raw::Connect,
    scenario: String,
    host: HostSide,
}

impl ConnectorInstance for NativeInstance {
    fn read(&mut self, arguments: &Arguments, batches: Box<dyn Emit>) -> Result<Transfer, ModuleError> {
        self.transfer("read", arguments, End::Emit(batches))
    }

    fn change(
        &mut self,
        arguments: &Arguments,
        from: Box<dyn Next>,
        into: Box<dyn Emit>,
    ) -> Result<Transfer, ModuleError> {
        self.transfer("read", arguments, End::Both(from, into))
    }

    fn write(&mut self, arguments: &Arguments, batches: Box<dyn Next>) -> Result<Transfer, ModuleError> {
        self.transfer("write", arguments, End::Next(batches))
    }
}

impl NativeInstance {
    fn transfer(&mut self, function: &str, arguments: &Arguments, end: End) -> Result<Transfer, ModuleError> {
        if function != self.function {
            let reason = format!("`{function}` was asked of a connector for the other direction");
            return Err(ModuleError::Other(reason));
        }
        let values = arg::written(arguments);
        let args = arg::lend(&values);
        let scenario = raw::Str::new(&self.scenario);
        let mut transfer = raw::Transfer::default();
        let batches = Batches::new(end);
        // SAFETY: the function is the probe's, and bench_probe.h lets any thread call it. The host table stays until the process
        // ends; the texts, the arguments and the room for the result outlive the call, and so does the batches' table. No
        // reference to the host's side is alive: they live as long as a borrow of it.
        let status = unsafe {
            (self.call)(self.host.table(), scenario, args.as_ptr(), args.len(), batches.table(), &mut transfer)
        };
        let ended = batches.end();
        let verdict = self.host.check_status(function, status);
        let stages = ended.stages(function)?;
        verdict?;
        Ok(Transfer { records: transfer.records, bytes: transfer.bytes, stages })
    }
}
