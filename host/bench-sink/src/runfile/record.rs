//! The records, as they are written. A field that has no value is left out: absent data is absent.

use super::{AccountRecord, LedgerRecord, Named, PairingRecord};
use crate::Series;
use crate::environment::{WarningRecord, Witness};
use crate::fingerprint::Fingerprint;
use crate::histogram;
use bench_model::{Arguments, Arm, Checksum, Descriptor, Direction, MachineLimit, Unit};
use serde::{Deserialize, Serialize};

/// One line of a run file.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The first line.
    Run(RunRecord),
    /// A module that was given, whether or not it could be loaded.
    Module(ModuleRecord),
    /// A run that was stopped is continued from here on.
    Resumed(ResumedRecord),
    /// The machine's limits, before or after.
    Calibration(CalibrationRecord),
    /// A cell's identity; begins the block of one repetition.
    Cell(CellRecord),
    /// Samples.
    Series(SeriesRecord),
    /// One thing that was looked at.
    Check(CheckRecord),
    /// How the repetition ended; ends its block.
    Outcome(OutcomeRecord),
    /// Which cells of a process were measured in turns.
    Pairing(PairingRecord),
    /// Where the time of a cell's operation went.
    Ledger(LedgerRecord),
    /// What a cell's operations used and did.
    Account(AccountRecord),
    /// The last line of a run that was not cut off, or of a part of it.
    End(EndRecord),
}

/// What was run, on what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// The name of the run directory.
    pub id: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// What the order of cells was drawn from.
    pub seed: u64,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// How much there is to do.
    pub planned: Planned,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// Of the file of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_sha256: Option<String>,
    /// What of the machine makes figures doubtful, as it was when the run began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningRecord>,
}

/// Where a run that was stopped is continued. Machine, program, modules and plan are those of its first part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResumedRecord {
    /// RFC 3339, UTC.
    pub started: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The machine as it was by then.
    pub fingerprint: Fingerprint,
}

/// How much there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Cells.
    pub cells: u32,
    /// Worker processes a cell.
    pub processes: u32,
    /// Measured time of one worker process, where effort is given as a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Operations of one worker process, where effort is given as a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// Of the cells in the order of their repetitions, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_sha256: Option<String>,
}

/// A module that was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleRecord {
    /// The path as it was given.
    pub file: String,
    /// Of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Of every scenario in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Arm>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<Descriptor>,
    /// What it was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// Why it could not be loaded, where it could not.
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

/// The machine's limits at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRecord {
    /// Before or after the cells.
    pub when: When,
    /// Each limit once.
    pub limits: Vec<LimitRecord>,
}

/// One limit of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitRecord {
    /// Which.
    pub limit: Named<MachineLimit>,
    /// `ns` or `ns/By`.
    pub unit: Unit,
    /// The median, where it could be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The smallest sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// How many samples.
    pub count: u64,
    /// Under what it was measured, or why it was not.
    pub detail: String,
}

/// The file a cell's module came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRef {
    /// The path as it was given.
    pub file: String,
    /// Of the file.
    pub sha256: String,
}

/// A cell's identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellRecord {
    /// Its number in the plan.
    pub cell: u32,
    /// Which repetition this block is of, from 0.
    pub process: u32,
    /// `module/scenario`.
    pub scenario: String,
    /// Groups scenarios in reports.
    pub family: String,
    /// How it is executed.
    pub arm: Arm,
    /// What is unlike the arm's default settings, where something is: `fuel`, `on-demand`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Concrete values.
    pub arguments: Arguments,
    /// Where the code came from.
    pub module: ModuleRef,
    /// The machine limit its operations are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Named<MachineLimit>>,
    /// The processor the worker was bound to, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// What else the figures depend on, as the driver found it: names and values.
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
    /// What is measured.
    pub metric: String,
    /// The base unit of a sample.
    pub unit: Unit,
    /// Which way is up.
    pub direction: Direction,
    /// Label names and values.
    pub labels: Vec<(String, String)>,
    /// Operations a sample spans; a sample is their sum.
    pub batch: u64,
    /// How many samples.
    pub count: u64,
    /// All samples: HDR V2, base64.
    pub histogram: String,
    /// All samples in order, where they are few enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Vec<u64>>,
}

impl SeriesRecord {
    /// What is written of `series`.
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
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// Unique in the cell.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// Expected against found.
    pub detail: String,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every check held; the figures count.
    Ok,
    /// The module is at fault; no figure counts.
    Failed,
    /// The environment lacks something; there is no figure.
    Skipped,
    /// The machine could not hold what was asked of it; there is no figure, and it says nothing of the module.
    Void,
}

/// What was measured of the measuring itself, in the worker of the cell; nothing is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overhead {
    /// One reading of the clock.
    pub clock_ns: f64,
    /// One batch of no operations.
    pub call_ns: f64,
}

/// How one repetition ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The cell.
    pub cell: u32,
    /// The repetition.
    pub process: u32,
    /// How it went.
    pub status: Status,
    /// Why, where it did not go well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Operations that were timed.
    #[serde(default)]
    pub iterations: u64,
    /// Payload bytes of those operations.
    #[serde(default)]
    pub bytes: u64,
    /// Timed samples that were recorded.
    #[serde(default)]
    pub recorded: u64,
    /// Samples that were lost, late or failed. Absent where the driver has no such notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// Of one operation's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// What measuring cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Overhead>,
    /// What the machine did meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
}

impl OutcomeRecord {
    /// A repetition that ended well, of which nothing was counted yet.
    pub fn ok(cell: u32, process: u32) -> Self {
        Self::without_figures(cell, process, Status::Ok)
    }

    /// A repetition of which nothing but its end is known.
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
        }
    }
}

/// The last line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndRecord {
    /// RFC 3339, UTC.
    pub finished: String,
    /// Why cells are missing, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}
