//! The records that a comparison adds to a run file: the cells that were measured interleaved, the cost breakdown, and the resource
//! usage. Each has raw figures of one process; reports compute intervals.

use bench_model::Arguments;
use serde::{Deserialize, Serialize};

/// The cells that one process measured interleaved: samples of their timed series with the same index form a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingRecord {
    /// The repetition.
    pub process: u32,
    /// The cells. The first is the baseline.
    pub cells: Vec<u32>,
    /// Sessions of each cell. Their samples are interleaved in its timed series: sample `block × sessions + session`.
    pub sessions: u32,
}

/// A look at the results so far, after which comparisons that are decided are not measured further.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookRecord {
    /// The number of rounds so far: processes below this number are looked at.
    pub processes: u32,
    /// The share of the available time that was spent.
    pub spent: f64,
}

/// The rungs of a ladder: one scenario with the same arguments, executed in ways that differ from each other by one step. Written
/// before its cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LadderRecord {
    /// `module/scenario`.
    pub scenario: String,
    /// The values of all parameters.
    pub arguments: Arguments,
    /// From the fastest to the slowest, as is expected.
    pub rungs: Vec<RungRecord>,
}

/// One rung: a cell, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungRecord {
    /// Its name: `native`, `bounds`.
    pub name: String,
    /// How it differs from the rung before.
    pub step: String,
    /// The number of its cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<u32>,
    /// The reason why it has no cell, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// A named time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermRecord {
    /// Its name.
    pub name: String,
    /// Nanoseconds.
    pub ns: f64,
}

/// The cost breakdown of an operation in one process, as observed at the boundary of the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// The time of an operation without observing it, interleaved with observed ones.
    pub total_ns: f64,
    /// The parts of an operation, and last the `residual`: the difference between `total_ns` and their sum.
    pub terms: Vec<TermRecord>,
    /// One-time costs of an instance.
    pub once: Vec<TermRecord>,
    /// The time of an operation while it was observed.
    pub observed_ns: f64,
    /// The cost of observing one event, measured on a component that does nothing else.
    pub event_ns: f64,
    /// Events per operation.
    pub events: f64,
    /// Operations per call.
    pub batch: u64,
    /// The number of observed operations.
    pub operations: u64,
    /// The costs of the boundary in this process, measured on components that do nothing else.
    pub boundary: Vec<TermRecord>,
}

/// The resource usage of operations of a cell, counted in a session that is not timed. Values that could not be counted are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// The number of operations that processor time, page faults and context switches are the sum of.
    pub watched: u64,
    /// Processor time of the watched operations, in all threads of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
    /// Resident memory of the process before the watched operations, including that of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_before: Option<u64>,
    /// Maximum resident memory of the process during the watched operations alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_peak: Option<u64>,
    /// Maximum resident memory of the process, including that of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
    /// Page faults without I/O.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_minor: Option<u64>,
    /// Page faults with I/O.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_major: Option<u64>,
    /// Voluntary context switches: it waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches_voluntary: Option<u64>,
    /// Involuntary context switches: another thread ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches_involuntary: Option<u64>,
    /// Why nothing at all was counted, if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// The number of operations that the following counts are the sum of.
    pub counted: u64,
    /// Calls of the host, by import (`interface#function`), if the arm has imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<Vec<(String, u64)>>,
    /// Bytes that functions of the host copied out of the module's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_bytes: Option<u64>,
    /// Bytes that functions of the host copied into the module's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_bytes: Option<u64>,
    /// Instructions of the module, counted by the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// Size of the module's machine code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_bytes: Option<u64>,
    /// What the processor counted during the watched operations, or why it counted nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareRecord>,
    /// What happened during the slowest samples of a session that is not timed for figures, or why they were not looked at. Files of
    /// earlier versions lack the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outliers: Option<OutlierRecord>,
}

impl AccountRecord {
    /// The record of a cell of which nothing was counted, and why.
    pub fn without_counts(cell: u32, process: u32, reason: impl Into<String>) -> Self {
        Self { cell, process, absent: Some(reason.into()), ..Self::default() }
    }
}

/// Hardware counts of the watched operations, without those of the kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HardwareRecord {
    /// They were counted.
    Counted {
        /// Cycles of the processor.
        cycles: u64,
        /// Instructions of the processor.
        instructions: u64,
        /// Misses of the last cache.
        cache_misses: u64,
        /// Branches that were predicted wrong.
        branch_misses: u64,
        /// The time of reading the counters once, as they were before and after the operations. Files of earlier versions lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reading_ns: Option<f64>,
    },
    /// Why they were not counted; page faults and context switches are counted by the kernel all the same.
    Absent(String),
}

/// What happened to the thread during the slowest samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutlierRecord {
    /// Why they were not looked at.
    Absent(String),
    /// They were looked at. Without a name of its own in the file, as earlier versions wrote it.
    #[serde(untagged)]
    Counted(OutlierCounts),
}

/// What the slowest samples coincided with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutlierCounts {
    /// The number of samples.
    pub samples: u64,
    /// Operations per sample.
    pub batch: u64,
    /// The time of the fastest of the slow samples.
    pub threshold_ns: u64,
    /// The number of slow samples: the slowest 1 %.
    pub slow: u64,
    /// What happened. A sample may have several causes.
    pub causes: Vec<OutlierCause>,
    /// Slow samples during which nothing happened that is counted.
    pub unexplained: u64,
    /// The time of reading the counts once, between samples.
    pub reading_ns: f64,
}

/// Something that can disturb a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlierCause {
    /// Its name.
    pub name: String,
    /// Slow samples during which it happened.
    pub slow: u64,
    /// Samples during which it happened.
    pub all: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The account with `fields` is read as `expect`, and written with the same fields again.
    #[track_caller]
    fn check(fields: &Value, expect: AccountRecord) {
        let mut value = json!({"cell": 1, "process": 0, "watched": 3, "counted": 8});
        value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let read: AccountRecord = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(read, AccountRecord { cell: 1, watched: 3, counted: 8, ..expect });
        assert_eq!(serde_json::to_value(&read).unwrap(), value);
    }

    fn of_hardware(reading_ns: Option<f64>) -> AccountRecord {
        let counts =
            HardwareRecord::Counted { cycles: 20, instructions: 50, cache_misses: 1, branch_misses: 2, reading_ns };
        AccountRecord { hardware: Some(counts), ..AccountRecord::default() }
    }

    fn of_outliers(outliers: OutlierRecord) -> AccountRecord {
        AccountRecord { outliers: Some(outliers), ..AccountRecord::default() }
    }

    #[test]
    fn accounts_of_earlier_versions_are_read() {
        check(&json!({}), AccountRecord::default());
        let counts = json!({"cycles": 20, "instructions": 50, "cache_misses": 1, "branch_misses": 2});
        check(&json!({"hardware": {"counted": counts}}), of_hardware(None));
        check(&json!({"hardware": {"absent": "none here"}}), {
            let absent = HardwareRecord::Absent("none here".to_owned());
            AccountRecord { hardware: Some(absent), ..AccountRecord::default() }
        });
        let mut counts = json!({"samples": 1000, "batch": 4, "threshold_ns": 2500, "slow": 10, "unexplained": 7});
        counts["causes"] = json!([{"name": "page fault", "slow": 3, "all": 4}]);
        counts["reading_ns"] = json!(900.5);
        let expect = OutlierCounts {
            samples: 1_000,
            batch: 4,
            threshold_ns: 2_500,
            slow: 10,
            causes: vec![OutlierCause { name: "page fault".to_owned(), slow: 3, all: 4 }],
            unexplained: 7,
            reading_ns: 900.5,
        };
        check(&json!({"outliers": counts}), of_outliers(OutlierRecord::Counted(expect)));
    }

    #[test]
    fn reasons_and_the_cost_of_reading_counters_are_kept() {
        check(&json!({"absent": "it crashed"}), AccountRecord::without_counts(1, 0, "it crashed"));
        let absent = OutlierRecord::Absent("too long".to_owned());
        check(&json!({"outliers": {"absent": "too long"}}), of_outliers(absent));
        let mut counts = json!({"cycles": 20, "instructions": 50, "cache_misses": 1, "branch_misses": 2});
        counts["reading_ns"] = json!(812.5);
        check(&json!({"hardware": {"counted": counts}}), of_hardware(Some(812.5)));
    }
}
