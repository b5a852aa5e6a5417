//! What the history keeps of one run: when and where it was made, the rooflines, and one figure for each cell.

use crate::cell::arm_label;
use crate::{CellView, PartView, RunView, calibration};
use bench_model::{Arguments, Arm, MachineLimit, Unit};
use bench_sink::digest;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{CalibrationRecord, Named, Status};
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// The name of the run directory.
    pub id: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Why it ended before all was done, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Whether its file has no end: it was killed, or is still going on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_no_end: bool,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The medians of the rooflines in their unit; those that were not measured are absent. Those of a run with parts are of its machines.
    pub rooflines: Vec<(Named<MachineLimit>, f64)>,
    /// The machine of each part of the run; none if it has no parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<MachineEntry>,
    /// The cells, in the order of reports.
    pub cells: Vec<CellEntry>,
}

/// The machine that measured a part of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineEntry {
    /// What tells it from others with the same fingerprint: the name of the agent, or else the identifier of the running kernel, or
    /// else the run directory of the shard.
    pub name: String,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// The medians of its rooflines in their unit.
    pub rooflines: Vec<(Named<MachineLimit>, f64)>,
}

/// One cell of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellEntry {
    /// `module/scenario`.
    pub scenario: String,
    /// Groups scenarios.
    pub family: String,
    /// The index of its machine among those of the run; absent if the run has no parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<usize>,
    /// How it was executed.
    pub arm: Arm,
    /// The engine setting that is not the default, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The values of all parameters.
    pub arguments: Arguments,
    /// What else the figures depend on; also the file of the module, where nothing else tells it from another cell of the run.
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

/// What the figures of a history are. Medians and means of one cell differ, so that a history of both would show steps that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Statistic {
    /// The medians of the timed series.
    #[serde(rename = "p50")]
    Median,
    /// The means of the timed series, of which a few samples are enough.
    #[serde(rename = "mean")]
    Mean,
}

impl RunEntry {
    /// What the history keeps of `view`.
    pub fn of(view: &RunView) -> Self {
        let machines = view.calibrations().filter_map(|(part, records)| Some(MachineEntry::of(part?, records)));
        Self {
            id: view.id.clone(),
            started: view.started.clone(),
            stopped: view.interrupted(),
            has_no_end: view.ended.is_none(),
            fingerprint: view.fingerprint.clone(),
            command: view.command.clone(),
            rooflines: if view.parts.is_empty() { medians(&view.calibration) } else { Vec::new() },
            machines: machines.collect(),
            cells: view.cells.iter().map(|cell| CellEntry::of(view, cell)).collect(),
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
        digits(&self.fingerprint)
    }

    /// The same for the machine that measured `cell`; if the run has parts, followed by what tells it from others like it:
    /// `1a2b3c@b`. Figures of cells on different machines are not compared.
    pub fn machine_of(&self, cell: &CellEntry) -> String {
        match self.entry_of(cell) {
            None => self.machine(),
            Some(machine) => format!("{}@{}", digits(&machine.fingerprint), machine.name),
        }
    }

    /// The fingerprint of the machine that measured `cell`.
    pub(super) fn fingerprint_of(&self, cell: &CellEntry) -> &Fingerprint {
        self.entry_of(cell).map_or(&self.fingerprint, |machine| &machine.fingerprint)
    }

    /// The rooflines of the machine that measured `cell`.
    pub(super) fn rooflines_of(&self, cell: &CellEntry) -> &[(Named<MachineLimit>, f64)] {
        self.entry_of(cell).map_or(&self.rooflines, |machine| &machine.rooflines)
    }

    fn entry_of(&self, cell: &CellEntry) -> Option<&MachineEntry> {
        self.machines.get(cell.machine?)
    }
}

impl MachineEntry {
    fn of(part: &PartView, records: &[CalibrationRecord]) -> Self {
        let kernel = || part.record.boot_id.as_ref().map(|id| id.chars().take(KERNEL_LEN).collect::<String>());
        let name = part.agent().map(str::to_owned).or_else(kernel);
        Self {
            name: name.unwrap_or_else(|| part.record.run.clone()),
            fingerprint: part.record.fingerprint.clone(),
            rooflines: medians(records),
        }
    }
}

/// Characters of the identifier of a kernel in the name of a machine.
const KERNEL_LEN: usize = 8;

/// The medians of the rooflines that were measured.
fn medians(records: &[CalibrationRecord]) -> Vec<(Named<MachineLimit>, f64)> {
    let pairs = calibration::pairs(records).into_iter();
    pairs.filter_map(|(limit, pair)| Some((limit.clone(), pair.median()?))).collect()
}

fn digits(machine: &Fingerprint) -> String {
    let memory = machine.memory_bytes.map(|bytes| (bytes as f64 / f64::from(1 << 30)).round());
    let parts = (&machine.os, &machine.architecture, &machine.cpu_model, machine.cpus, memory);
    digest::of_bytes(format!("{parts:?}").as_bytes())[..6].to_owned()
}

impl CellEntry {
    fn of(view: &RunView, cell: &CellView) -> Self {
        let timed = cell.timed();
        let account = cell.account.as_ref().filter(|account| account.counted > 0);
        let file = view.has_twin(cell).then(|| ("file".to_owned(), cell.module.file.clone()));
        Self {
            scenario: cell.scenario.clone(),
            family: cell.family.clone(),
            machine: view.part_of(cell.cell),
            arm: cell.arm,
            variant: cell.variant.clone(),
            arguments: cell.arguments.clone(),
            conditions: cell.conditions.iter().cloned().chain(file).collect(),
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

    /// The figure; absent if the cell is not ok.
    pub(super) fn figure(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Median => self.p50,
            Statistic::Mean => self.mean,
        }
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
