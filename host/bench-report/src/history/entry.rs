//! What the history keeps of one run: when and where it was made, the rooflines, and one figure for each cell.

use crate::cell::arm_label;
use crate::{CellView, RunView, calibration};
use bench_model::{Arguments, Arm, MachineLimit, Unit};
use bench_sink::digest;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{Named, Status};
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// The name of the run directory.
    pub id: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Why cells are missing, if some are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The medians of the rooflines in their unit; those that were not measured are absent.
    pub rooflines: Vec<(Named<MachineLimit>, f64)>,
    /// The cells, in the order of reports.
    pub cells: Vec<CellEntry>,
}

/// One cell of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellEntry {
    /// `module/scenario`.
    pub scenario: String,
    /// Groups scenarios.
    pub family: String,
    /// How it was executed.
    pub arm: Arm,
    /// The engine setting that is not the default, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The values of all parameters.
    pub arguments: Arguments,
    /// What else the figures depend on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<(String, String)>,
    /// How it ended.
    pub status: Status,
    /// The roofline that its operations are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Named<MachineLimit>>,
    /// Processes that ended well.
    pub processes: u32,
    /// Samples of the timed series.
    pub samples: u64,
    /// The unit of the figures; absent if there is no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The median of the timed series, if there are enough samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// The mean of the timed series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Instructions of an operation, if the engine counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<f64>,
}

impl RunEntry {
    /// What the history keeps of `view`.
    pub fn of(view: &RunView) -> Self {
        let rooflines = calibration::pairs(&view.calibration);
        let rooflines = rooflines.into_iter().filter_map(|(limit, pair)| Some((limit.clone(), pair.median()?)));
        Self {
            id: view.id.clone(),
            started: view.started.clone(),
            stopped: view.missing().map(|missing| missing.reason),
            fingerprint: view.fingerprint.clone(),
            command: view.command.clone(),
            rooflines: rooflines.collect(),
            cells: view.cells.iter().map(CellEntry::of).collect(),
        }
    }

    /// The git revision, with `+dirty` if files were changed.
    pub fn revision(&self) -> Option<&str> {
        self.fingerprint.git_revision.as_deref()
    }

    /// The git branch.
    pub fn branch(&self) -> Option<&str> {
        self.fingerprint.git_branch.as_deref()
    }

    /// Six digits that name the machine: the digest of its system, architecture, processor, number of processors and memory in whole
    /// GiB. Kernel and load are not part of it, because they change on one machine.
    pub fn machine(&self) -> String {
        let machine = &self.fingerprint;
        let memory = machine.memory_bytes.map(|bytes| (bytes as f64 / f64::from(1 << 30)).round());
        let parts = (&machine.os, &machine.architecture, &machine.cpu_model, machine.cpus, memory);
        digest::of_bytes(format!("{parts:?}").as_bytes())[..6].to_owned()
    }
}

impl CellEntry {
    fn of(cell: &CellView) -> Self {
        let timed = cell.timed();
        let account = cell.account.as_ref().filter(|account| account.counted > 0);
        Self {
            scenario: cell.scenario.clone(),
            family: cell.family.clone(),
            arm: cell.arm,
            variant: cell.variant.clone(),
            arguments: cell.arguments.clone(),
            conditions: cell.conditions.clone(),
            status: cell.status,
            limit: cell.limit.map(Named::Known),
            processes: cell.processes,
            samples: timed.map_or(0, |series| series.samples),
            unit: timed.map(|series| series.unit.clone()),
            p50: timed.and_then(|series| series.summary.p50),
            mean: timed.map(|series| series.summary.mean),
            instructions: account.and_then(|account| Some(account.instructions? as f64 / account.counted as f64)),
        }
    }

    /// The arm, and the variant where there is one: `wasm`, `wasm+fuel`.
    pub fn arm_label(&self) -> String {
        arm_label(self.arm, self.variant.as_deref())
    }

    /// The median; of too few samples, the mean in its place. Absent if the cell is not ok.
    pub fn figure(&self) -> Option<f64> {
        self.p50.or(self.mean)
    }

    /// Whether both are the same cell: equal scenario, arguments, arm and variant; and conditions, which one without a figure has none of.
    pub fn is_same(&self, other: &Self) -> bool {
        fn identity(cell: &CellEntry) -> (&str, &Arguments, Arm, Option<&str>) {
            (&cell.scenario, &cell.arguments, cell.arm, cell.variant.as_deref())
        }
        let is_like = || self.conditions == other.conditions && self.unit == other.unit;
        identity(self) == identity(other) && (self.unit.is_none() || other.unit.is_none() || is_like())
    }
}
