//! The records that a comparison adds to a run file: what was measured in turns, where the time went, and what was used
//! meanwhile. Raw figures of one process each; intervals are for the reader to compute.

use serde::{Deserialize, Serialize};

/// The cells that one process measured in turns: the n-th samples of their timed series belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingRecord {
    /// The repetition.
    pub process: u32,
    /// The cells. The first is what the others are compared with.
    pub cells: Vec<u32>,
    /// Sessions of each cell. Their samples take turns in its timed series: sample `block × sessions + session`.
    pub sessions: u32,
}

/// A named time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermRecord {
    /// Its name.
    pub name: String,
    /// Nanoseconds.
    pub ns: f64,
}

/// Where the time of an operation went in one process, as far as the boundary around the module shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// An operation from end to end, unobserved, measured in turns with the observed ones.
    pub total_ns: f64,
    /// The parts of an operation, and last the `residual`: what they lack of `total_ns`.
    pub terms: Vec<TermRecord>,
    /// What an instance costs once.
    pub once: Vec<TermRecord>,
    /// An operation from end to end while it was observed.
    pub observed_ns: f64,
    /// What observing one event costs, measured on a component that does nothing else.
    pub event_ns: f64,
    /// Events of an operation.
    pub events: f64,
    /// Operations of one call.
    pub batch: u64,
    /// Operations that were observed.
    pub operations: u64,
    /// What the boundary costs in this process, measured on components that do nothing else.
    pub boundary: Vec<TermRecord>,
}

/// What operations of a cell used and did, on a twin that is not timed. What could not be counted is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// Operations during which the process was watched: faults and switches are of all of them.
    pub watched: u64,
    /// The most memory the process ever had resident, with the host's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
    /// Page faults without a read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_minor: Option<u64>,
    /// Page faults that had to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_major: Option<u64>,
    /// Context switches because it waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches_voluntary: Option<u64>,
    /// Context switches because another ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches_involuntary: Option<u64>,
    /// Operations that were counted: what follows is of all of them.
    pub counted: u64,
    /// Calls of the host, by import (`interface#function`), where the arm has imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<Vec<(String, u64)>>,
    /// Bytes that the host's own functions took out of the module's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_bytes: Option<u64>,
    /// Bytes that the host's own functions put into the module's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_bytes: Option<u64>,
    /// Instructions of the module, as the engine counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// Machine code of the whole module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_bytes: Option<u64>,
}
