//! The records of a run file. A field without value is left out.

use super::{AccountRecord, LadderRecord, LedgerRecord, LookRecord, Named, PairingRecord};
use crate::environment::{WarningRecord, Witness};
use crate::fingerprint::Fingerprint;
use crate::histogram;
use crate::{RecordedHistogram, Series};
use bench_model::{Arguments, Arm, Checksum, Descriptor, Direction, MachineLimit, Steadiness, Unit};
use serde::{Deserialize, Serialize};

/// One line of a run file.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The first line.
    Run(RunRecord),
    /// A given module, whether or not it could be loaded.
    Module(ModuleRecord),
    /// The shard of the plan that the next records belong to.
    Part(PartRecord),
    /// An interrupted run is resumed here.
    Resumed(ResumedRecord),
    /// The rooflines, before or after the cells.
    Calibration(CalibrationRecord),
    /// The identity of a cell; begins the block of one repetition.
    Cell(CellRecord),
    /// Samples.
    Series(SeriesRecord),
    /// One check of a result.
    Check(CheckRecord),
    /// The outcome of the repetition; ends its block.
    Outcome(OutcomeRecord),
    /// The rungs of a ladder.
    Ladder(LadderRecord),
    /// The cells of a process that were measured interleaved.
    Pairing(PairingRecord),
    /// A look at the results so far.
    Look(LookRecord),
    /// The cost breakdown of a cell's operation.
    Ledger(LedgerRecord),
    /// The resource usage of a cell's operations.
    Account(AccountRecord),
    /// The last line of a run, or of a part of it; missing if it was killed.
    End(EndRecord),
}

/// The run: command line, machine, program and effort.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// The name of the run directory.
    pub id: String,
    /// The time: RFC 3339, UTC.
    pub started: String,
    /// The seed of the random order of the cells.
    pub seed: u64,
    /// The arguments of the command line.
    pub command: Vec<String>,
    /// How much is measured.
    pub planned: Planned,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// The digest of the program file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_sha256: Option<String>,
    /// Warnings about the machine when the run began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningRecord>,
    /// The files and folders that arguments of the plan name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputRecord>,
}

/// A file or a folder that an argument of the plan names, as it was when the run began. Without digest and reason, it was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// The path as it was given.
    pub path: String,
    /// The digest of the file, or of all names and files in the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Why it could not be read, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Begins a shard of a plan: in the run that measured it, and in the run into which all shards were merged. Plan and program are those
/// of the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartRecord {
    /// The number of the shard, from 1.
    pub number: u32,
    /// The number of shards.
    pub of: u32,
    /// The name of the run directory that it was measured in.
    pub run: String,
    /// The time: RFC 3339, UTC.
    pub started: String,
    /// The machine that measured it.
    pub fingerprint: Fingerprint,
    /// Identifies the running kernel of that machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// How far its clock was ahead of the coordinator's, when the agent joined and when it left. No figure depends on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock: Vec<ClockRecord>,
}

/// How far the clock of one machine is ahead of that of another, as messages between them tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRecord {
    /// The difference.
    pub offset_ns: i64,
    /// How far the difference may be off.
    pub error_ns: u64,
}

/// Begins the resumed part of a run. Machine, program, modules and plan are those of its first part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResumedRecord {
    /// The time: RFC 3339, UTC.
    pub started: String,
    /// The arguments of the command line.
    pub command: Vec<String>,
    /// The machine when the run was resumed.
    pub fingerprint: Fingerprint,
}

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The number of cells.
    pub cells: u32,
    /// Worker processes per cell, or at most so many if there is a time for all; 0 if comparisons are measured until they are decided.
    pub processes: u32,
    /// Measured time of one worker process, if the effort is a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Operations of one worker process, if the effort is a number of operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// The time after which no further process of a comparison begins: with several comparisons, that of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_ns: Option<u64>,
    /// The digest of the cells in the order of their repetitions, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_sha256: Option<String>,
}

/// A given module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleRecord {
    /// The path as given by the user.
    pub file: String,
    /// The digest of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The arm of its scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Arm>,
    /// The descriptor of the module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<Descriptor>,
    /// The grants of the module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// The compilers that made it, such as `rustc 1.95.0`, if the file names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// How it was loaded, if that was not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The reason why it could not be loaded, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Before or after the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the first cell.
    Before,
    /// After the last cell.
    After,
}

/// The rooflines at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRecord {
    /// Before or after the cells.
    pub when: When,
    /// Each roofline once.
    pub limits: Vec<LimitRecord>,
}

/// One roofline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitRecord {
    /// The name of the roofline.
    pub limit: Named<MachineLimit>,
    /// `ns` or `ns/By`.
    pub unit: Unit,
    /// The median, if it could be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The smallest sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The number of samples.
    pub count: u64,
    /// All samples in the order of their time, which files of earlier versions lack.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f64>,
    /// How it was measured, or the reason why it was not.
    pub detail: String,
}

/// The file of a cell's module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRef {
    /// The path as given by the user.
    pub file: String,
    /// The digest of the file.
    pub sha256: String,
}

/// The identity of a cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellRecord {
    /// The number of the cell in the plan.
    pub cell: u32,
    /// The number of the repetition, from 0.
    pub process: u32,
    /// `module/scenario`.
    pub scenario: String,
    /// Groups scenarios in reports.
    pub family: String,
    /// The arm.
    pub arm: Arm,
    /// What distinguishes it from the arm's default: engine settings (`fuel`, `on-demand`), or the name of a build (`old`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The values of all parameters.
    pub arguments: Arguments,
    /// The module file.
    pub module: ModuleRef,
    /// The roofline that its operations are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Named<MachineLimit>>,
    /// The processor that the worker was bound to, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// Other conditions that the figures depend on, as names and values, found by the driver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<(String, String)>,
}

/// Samples of one series in one repetition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeriesRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// The name of the metric.
    pub metric: String,
    /// The base unit of a sample.
    pub unit: Unit,
    /// Whether lower or higher is better.
    pub direction: Direction,
    /// Label names and values.
    pub labels: Vec<(String, String)>,
    /// The number of operations per sample; a sample is their sum.
    pub batch: u64,
    /// The number of samples.
    pub count: u64,
    /// All samples: HDR V2, base64.
    pub histogram: String,
    /// All samples in order, if they are few enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Vec<u64>>,
}

impl SeriesRecord {
    /// The record of `series`.
    pub fn new(cell: u32, process: u32, series: &Series) -> Self {
        Self {
            cell,
            process,
            metric: series.metric.clone(),
            unit: series.unit.clone(),
            direction: series.direction,
            labels: series.labels.clone(),
            batch: series.batch,
            count: series.count(),
            histogram: histogram::encode(&series.histogram),
            raw: series.raw().map(<[u64]>::to_vec),
        }
    }

    /// What no series says of itself, if this one says it.
    pub fn fault(&self) -> Option<String> {
        if self.batch == 0 {
            return Some("a sample spans no operation".to_owned());
        }
        let histogram = match RecordedHistogram::decode(&self.histogram) {
            Ok(histogram) => histogram,
            Err(error) => return Some(error.to_string()),
        };
        let counted = histogram.count();
        if counted != self.count {
            return Some(format!("it announces {} samples, and its histogram counts {counted}", self.count));
        }
        let has_others = self.raw.as_ref().is_some_and(|raw| !histogram.counts(raw));
        has_others.then(|| "its samples are not those that its histogram counts".to_owned())
    }
}

/// One check of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// The name, unique in the cell.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// The expected and the found value.
    pub detail: String,
}

/// The status of a repetition or a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every check passed; the figures count.
    Ok,
    /// The module is at fault; no figure counts.
    Failed,
    /// The environment lacks something that the cell needs; there is no figure.
    Skipped,
    /// The machine was too slow or disturbed; there is no figure, and this is not the fault of the module.
    Void,
}

/// The overhead of measuring, in the worker of the cell. It is not subtracted from samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overhead {
    /// One reading of the clock.
    pub clock_ns: f64,
    /// One empty batch.
    pub call_ns: f64,
}

/// The outcome of one repetition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// The status.
    pub status: Status,
    /// The reason, if the status is not ok.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The number of timed operations.
    #[serde(default)]
    pub iterations: u64,
    /// Payload bytes of the timed operations.
    #[serde(default)]
    pub bytes: u64,
    /// The number of recorded timed samples.
    #[serde(default)]
    pub recorded: u64,
    /// The number of samples that were lost, late or failed. Absent if the driver does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// The digest of one operation's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// The overhead of measuring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Overhead>,
    /// Disturbances by the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// How the timed samples developed, if there are enough in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steadiness: Option<Steadiness>,
    /// The memory layout of the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// How long the worker took to load its modules, with the engine where there is one. Compiled code may come from the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_ns: Option<u64>,
    /// The bytes that the modules printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed_bytes: Option<u64>,
}

/// The memory layout of a worker, drawn from the seed. Each offset is below a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// By how much its environment is longer than that of the host.
    pub environment_bytes: u32,
    /// By how much its stack is moved.
    pub stack_bytes: u32,
    /// By how much its heap is moved.
    pub heap_bytes: u32,
}

impl OutcomeRecord {
    /// The outcome of a successful repetition, with all counts 0.
    pub fn ok(cell: u32, process: u32) -> Self {
        Self::without_figures(cell, process, Status::Ok)
    }

    /// The outcome of a repetition without figures.
    pub fn without_figures(cell: u32, process: u32, status: Status) -> Self {
        Self {
            cell,
            process,
            status,
            reason: None,
            iterations: 0,
            bytes: 0,
            recorded: 0,
            lost: None,
            checksum: None,
            overhead: None,
            witness: None,
            steadiness: None,
            layout: None,
            load_ns: None,
            printed_bytes: None,
        }
    }
}

/// The last line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndRecord {
    /// The time: RFC 3339, UTC.
    pub finished: String,
    /// The reason why cells are missing, if some are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}
