//! The traits of loaded modules, which every loader implements.

use bench_engine::BatchNs;
use bench_model::{Arguments, Descriptor, ModuleError, Scenario, Session};
use bench_sink::Sink;
use bench_sink::runfile::TermRecord;
use serde::{Deserialize, Serialize};
use std::any::Any;

/// A loaded module. A family finds its own interface by the type of the module (`Any`): it has an adapter for the type of each
/// loader, and for [`Direct`](crate::Direct).
pub trait Module: Any {
    /// The descriptor, which is valid according to [`Descriptor::validate`].
    fn descriptor(&self) -> &Descriptor;

    /// The interfaces that it imports, if its kind of module has imports.
    fn imports(&self) -> Vec<String>;

    /// What a user can name in parameters of its scenarios, such as the signatures of functions that can be called.
    fn signatures(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a user must know about how it is loaded, if that is not as usual.
    fn note(&self) -> Option<String> {
        None
    }

    /// Opens a scenario for the driver `workload`.
    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError>;

    /// Counts calls, bytes and instructions of `operations` operations in a session of its own, without timing them. Nothing can be
    /// counted for native code.
    fn count(&mut self, scenario: &Scenario, arguments: &Arguments, operations: u64) -> Result<Counts, ModuleError> {
        let _ = (scenario, arguments, operations);
        Ok(Counts::default())
    }

    /// The cost breakdown of an operation, for a component; `None` for other modules.
    fn ledger(&mut self, task: &LedgerTask<'_>) -> Result<Option<Ledger>, ModuleError> {
        let _ = task;
        Ok(None)
    }

    /// Corrupts results of an operation, each in a session of its own, and has `verify` look at it. `None` for modules whose memory
    /// the host cannot access.
    fn corrupt(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Option<Corruption>, ModuleError> {
        let _ = (scenario, arguments);
        Ok(None)
    }

    /// Runs `body`, and returns the imported functions that the module called in it (`interface#function`). This slows the
    /// module down, so nothing is measured in `body`.
    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String>;
}

/// A session, and the sink that it records into.
pub trait Recording: Session {
    /// The series that the module has recorded.
    fn sink(&mut self) -> &mut Sink;

    /// Where it leaves what its last batch took by its own clock, if it times itself and each operation stands alone, so that a batch of
    /// one can be interleaved with those of other sessions.
    fn own_ns(&self) -> Option<BatchNs> {
        None
    }

    /// The memory that the session uses, in bytes; where it has none of its own, that of the process.
    fn memory_bytes(&mut self) -> Option<u64> {
        bench_engine::usage::memory_bytes_now()
    }
}

/// Counts of operations. Values that cannot be counted are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of the host, by import (`interface#function`), sorted by name.
    pub host_calls: Option<Vec<(String, u64)>>,
    /// Bytes that functions of the host copied out of the module's memory.
    pub lifted_bytes: Option<u64>,
    /// Bytes that functions of the host copied into the module's memory.
    pub lowered_bytes: Option<u64>,
    /// Instructions of the module, counted by the engine.
    pub instructions: Option<u64>,
    /// Size of the module's machine code.
    pub code_bytes: Option<u64>,
}

/// What came of corrupting results of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corruption {
    /// The bytes of the memory that the operation wrote, and what lies between them.
    pub written_bytes: u64,
    /// How many of them were corrupted, one at a time.
    pub corrupted: u64,
    /// How often `verify` then returned a failed check or an error.
    pub seen: u64,
    /// How often it crashed instead, because the byte was of a pointer or a length.
    pub crashed: u64,
    /// Whether the operation called functions of the host that may keep its result.
    pub calls_host: bool,
}

/// The request for a cost breakdown.
#[derive(Clone, Debug)]
pub struct LedgerTask<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The arguments.
    pub arguments: &'a Arguments,
    /// Operations per call.
    pub batch: u64,
    /// The time for observing.
    pub time_ns: u64,
    /// The seed of the random order of observed and unobserved calls.
    pub seed: u64,
}

/// The cost breakdown of an operation, in nanoseconds. The fields are those of
/// [`LedgerRecord`](bench_sink::runfile::LedgerRecord).
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// The time of an operation without observing it.
    pub total_ns: f64,
    /// The parts of the time, and last the `residual`.
    pub terms: Vec<TermRecord>,
    /// One-time costs of an instance.
    pub once: Vec<TermRecord>,
    /// The time of an operation while it was observed.
    pub observed_ns: f64,
    /// The cost of observing one event.
    pub event_ns: f64,
    /// Events per operation.
    pub events: f64,
    /// The number of observed operations.
    pub operations: u64,
    /// Operations per observed call.
    pub batch: u64,
    /// The costs of the boundary in this process.
    pub boundary: Vec<TermRecord>,
}
