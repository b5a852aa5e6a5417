//! A loaded module, as every loader presents it. The traits say nothing of how code is executed.

use crate::operators::Operators;
use crate::pipelines::Connectors;
use bench_model::{Arguments, Descriptor, ModuleError, Scenario, Session};
use bench_sink::Sink;
use bench_sink::runfile::TermRecord;
use std::any::Any;

/// A module that was loaded. What it offers to a family's drivers the family looks for itself, by the module's type (`Any`): it
/// has an adapter for each loader's, and for [`Direct`](crate::Direct).
pub trait Module: Any {
    /// What it says of itself; it keeps the rules of [`Descriptor::validate`].
    fn descriptor(&self) -> &Descriptor;

    /// The interfaces it imports, where its kind has such a notion.
    fn imports(&self) -> Vec<String>;

    /// Prepares a scenario for the driver `workload`.
    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError>;

    /// What it offers to the drivers `source` and `destination`, where it is a module for those.
    fn connectors(&mut self) -> Option<&mut dyn Connectors> {
        None
    }

    /// What it offers to the driver `operator`, where it is a module for that.
    fn operators(&mut self) -> Option<&mut dyn Operators> {
        None
    }

    /// What `operations` operations of a session of its own do, counted and not timed. Nothing is known of modules that
    /// run without a boundary.
    fn count(&mut self, scenario: &Scenario, arguments: &Arguments, operations: u64) -> Result<Counts, ModuleError> {
        let _ = (scenario, arguments, operations);
        Ok(Counts::default())
    }

    /// Where the time of an operation goes, for a module that runs behind a boundary; `None` for any other.
    fn ledger(&mut self, task: &LedgerTask<'_>) -> Result<Option<Ledger>, ModuleError> {
        let _ = task;
        Ok(None)
    }

    /// Runs `body`, and returns the imported functions that the module called meanwhile (`interface#function`). Watching
    /// costs time: nothing is measured inside.
    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String>;
}

/// A session and the sink that it records into.
pub trait Recording: Session {
    /// What the module has recorded itself.
    fn sink(&mut self) -> &mut Sink;
}

/// What operations did, as far as it can be counted. What cannot is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of the host, by import (`interface#function`), by name.
    pub host_calls: Option<Vec<(String, u64)>>,
    /// Bytes that the host's own functions took out of the module's memory.
    pub lifted_bytes: Option<u64>,
    /// Bytes that the host's own functions put into the module's memory.
    pub lowered_bytes: Option<u64>,
    /// Instructions of the module, as the engine counts them.
    pub instructions: Option<u64>,
    /// Machine code of the whole module.
    pub code_bytes: Option<u64>,
}

/// What a ledger is asked for.
#[derive(Clone, Debug)]
pub struct LedgerTask<'a> {
    /// What to run.
    pub scenario: &'a Scenario,
    /// With what.
    pub arguments: &'a Arguments,
    /// Operations of one call.
    pub batch: u64,
    /// For how long to observe.
    pub time_ns: u64,
    /// What the order of observed and unobserved calls is drawn from.
    pub seed: u64,
}

/// Where the time of an operation goes, in nanoseconds. The fields are those of
/// [`LedgerRecord`](bench_sink::runfile::LedgerRecord).
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// An operation from end to end, unobserved.
    pub total_ns: f64,
    /// Its parts, and last the `residual`.
    pub terms: Vec<TermRecord>,
    /// What an instance costs once.
    pub once: Vec<TermRecord>,
    /// An operation from end to end while it was observed.
    pub observed_ns: f64,
    /// What observing one event costs.
    pub event_ns: f64,
    /// Events of an operation.
    pub events: f64,
    /// Operations that were observed.
    pub operations: u64,
    /// What the boundary costs in this process.
    pub boundary: Vec<TermRecord>,
}
