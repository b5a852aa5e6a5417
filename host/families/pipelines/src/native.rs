//! What a probe offers to the drivers `source` and `destination`: the extension `bench-host:pipeline/0.1` of its table.

mod batches;

use self::batches::{Batches, End};
use crate::connectors::{Code, Connector, ConnectorInstance, Connectors, Emit, Loading, Next, Transfer};
use crate::spec;
use bench_model::{Arguments, Metric, ModuleError, Scenario};
use bench_native::{HostSide, Probe, arg};
use probe_abi::raw;
use std::sync::{Arc, Mutex, PoisonError};

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
    let idle = Arc::default();
    Ok(NativeConnector { function, call, metrics: scenario.metrics.clone(), scenario: name, idle })
}

/// One function of the probe's, for one scenario.
struct NativeConnector {
    function: &'static str,
    call: raw::Connect,
    metrics: Vec<Metric>,
    scenario: String,
    idle: Arc<Mutex<Vec<Idle>>>,
}

/// What the probe sees of the host in one transfer. Its tables exist until the process ends, so the next transfer of the connector uses
/// them again.
struct Tables {
    host: HostSide,
    batches: Batches,
}

/// Tables that no transfer uses.
struct Idle(Tables);

// SAFETY: one thread has the tables at a time, because they are handed on by value, under a lock. Nothing in them is bound to a thread: a
// host side that was reset holds nothing for capabilities, it shares its notes with nothing else, and no transfer is under way.
unsafe impl Send for Idle {}

impl NativeConnector {
    /// Tables for one transfer. As many transfers as are under way have their own.
    fn tables(&self) -> Tables {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let new = || Tables { host: HostSide::of(&[]), batches: Batches::new() };
        let mut tables = idle.map_or_else(new, |Idle(tables)| tables);
        tables.host.reset(&self.metrics);
        tables
    }
}

impl Connector for NativeConnector {
    fn instantiate(&mut self) -> Result<Box<dyn ConnectorInstance>, ModuleError> {
        let (tables, idle) = (Some(self.tables()), Arc::clone(&self.idle));
        let scenario = self.scenario.clone();
        Ok(Box::new(NativeInstance { function: self.function, call: self.call, scenario, tables, idle }))
    }
}

struct NativeInstance {
    function: &'static str,
    call: raw::Connect,
    scenario: String,
    /// Until they are given back.
    tables: Option<Tables>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

impl Drop for NativeInstance {
    fn drop(&mut self) {
        if let Some(mut tables) = self.tables.take() {
            tables.host.reset(&[]);
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(Idle(tables));
        }
    }
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
        let Some(Tables { host, batches }) = &mut self.tables else {
            return Err(ModuleError::Other("the tables of this connector were given back".to_owned()));
        };
        let values = arg::written(arguments);
        let args = arg::lend(&values);
        let scenario = raw::Str::new(&self.scenario);
        let mut transfer = raw::Transfer::default();
        batches.begin(end);
        let (host_table, batches_table) = (host.table(), batches.table());
        // SAFETY: the function is the probe's, and bench_probe.h lets any thread call it. The tables stay until the process ends;
        // the texts, the arguments and the room for the result outlive the call. No reference to what the functions of the tables
        // work on is alive: `begin` has returned, and nothing was borrowed from the host side.
        let status =
            unsafe { (self.call)(host_table, scenario, args.as_ptr(), args.len(), batches_table, &mut transfer) };
        let ended = batches.end();
        let verdict = host.check_status(function, status);
        let stages = ended.stages(function)?;
        verdict?;
        Ok(Transfer { records: transfer.records, bytes: transfer.bytes, stages })
    }
}
