//! A whole run as a report sees it: cells in the order of tables, and problems.

use crate::calibration::{self, Drift};
use crate::cell::Block;
use crate::{CellView, ReportError};
use bench_sink::environment::WarningRecord;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    CalibrationRecord, EndRecord, LadderRecord, LookRecord, ModuleRecord, PairingRecord, PartRecord, Planned, Record,
    ResumedRecord, RunFile, RunRecord, Status, TornTail,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A run, whole or cut off.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The name of the run directory.
    pub id: String,
    /// Where it was read from.
    pub directory: PathBuf,
    /// What the order was drawn from.
    pub seed: u64,
    /// RFC 3339, UTC.
    pub started: String,
    /// How much there was to do.
    pub planned: Planned,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// The digest of the program's file.
    pub(crate) program_sha256: Option<String>,
    /// Properties of the machine that make figures doubtful, as they were when the run began.
    pub warnings: Vec<WarningRecord>,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The shard that it is, or those that were merged into it.
    pub parts: Vec<PartView>,
    /// Where it was continued after it had been stopped.
    pub resumed: Vec<ResumedRecord>,
    /// The machine's limits, before and after.
    pub calibration: Vec<CalibrationRecord>,
    /// Every module that was given.
    pub modules: Vec<ModuleRecord>,
    /// By scenario, then arguments, then arm and variant, so that arms stand next to each other.
    pub cells: Vec<CellView>,
    /// The end, where the run came to one.
    pub ended: Option<EndRecord>,
    /// What was cut off at the end of the file.
    pub torn: Option<TornTail>,
    /// Which cells were interleaved.
    pub(crate) pairings: Vec<PairingRecord>,
    /// The looks at its results, in their order.
    pub(crate) looks: Vec<LookRecord>,
    /// The ladders that its cells are rungs of.
    pub(crate) ladders: Vec<LadderRecord>,
    /// The numbers of all cells in the order in which they were first written.
    pub(crate) written: Vec<u32>,
}

/// One shard of the plan.
#[derive(Clone, Debug)]
pub struct PartView {
    /// Which one, and where it was measured.
    pub record: PartRecord,
    /// The machine's limits of that machine: indices into the run's calibrations.
    pub(crate) calibration: Range<usize>,
    /// The cells that were measured.
    pub(crate) cells: BTreeSet<u32>,
}

/// Cells of the plan of which no process came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How many.
    pub cells: u32,
    /// Out of how many.
    pub planned: u32,
    /// Why, as far as the file says.
    pub reason: String,
}

impl RunView {
    /// Reads the run in `directory`.
    pub fn read(directory: &Path) -> Result<Self, ReportError> {
        Self::of(RunFile::read(directory)?)
    }

    /// The run that `file` holds.
    pub fn of(file: RunFile) -> Result<Self, ReportError> {
        let mut parts = Parts::default();
        for record in file.records {
            parts.take(record)?;
        }
        let run = parts.run.ok_or_else(|| ReportError::NoRun { directory: file.directory.clone() })?;
        // With a time for all of them, there are as many processes as it has room for.
        let processes = if run.planned.within_ns.is_some() { 0 } else { run.planned.processes };
        let views = parts.blocks.into_values().map(|block| block.view(processes));
        let mut cells: Vec<_> = views.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        cells.sort_by(order);
        Ok(Self {
            id: run.id,
            directory: file.directory,
            seed: run.seed,
            started: run.started,
            planned: run.planned,
            fingerprint: run.fingerprint,
            program_sha256: run.program_sha256,
            warnings: run.warnings,
            command: run.command,
            parts: parts.parts,
            resumed: parts.resumed,
            calibration: parts.calibration,
            modules: parts.modules,
            cells,
            ended: parts.ended,
            torn: file.torn,
            pairings: parts.pairings,
            looks: parts.looks,
            ladders: parts.ladders,
            written: parts.written,
        })
    }

    /// The limits that were more than ten per cent off after the run, or after one of its shards.
    pub fn drifts(&self) -> Vec<Drift> {
        let pairs = self.calibrations().flat_map(|(_, records)| calibration::pairs(records));
        pairs.filter_map(|(_, pair)| pair.drift()).collect()
    }

    /// How many cells failed and how many modules were refused.
    pub fn findings(&self) -> usize {
        let failed = self.cells.iter().filter(|cell| cell.status == Status::Failed).count();
        failed + self.modules.iter().filter(|module| module.refused.is_some()).count()
    }

    /// The cells that were planned and not run.
    pub fn missing(&self) -> Option<Missing> {
        let cells = self.planned.cells.saturating_sub(self.cells.len() as u32);
        let reason = || {
            self.interrupted()
                .or_else(|| self.elsewhere())
                .unwrap_or_else(|| "the run file does not say why".to_owned())
        };
        (cells > 0).then(|| Missing { cells, planned: self.planned.cells, reason: reason() })
    }

    /// Where the other cells are, if this is one shard of several.
    pub(crate) fn elsewhere(&self) -> Option<String> {
        let [PartView { record, .. }] = &self.parts[..] else { return None };
        (record.of > 1).then(|| {
            format!(
                "this is shard {} of {}; the others hold them, and `bench-host fleet merge` joins all",
                record.number, record.of
            )
        })
    }

    /// Why the run ended before all was done, where it did.
    pub fn interrupted(&self) -> Option<String> {
        match &self.ended {
            Some(end) => end.stopped.clone(),
            None => Some("the run file has no end, so the run was killed or is still going on".to_owned()),
        }
    }

    /// The scenario of `cell`, with the module's file where another cell has the same scenario, arm and arguments, so that
    /// only the file tells them apart. As modules wrote it, not escaped.
    pub fn name_of(&self, cell: &CellView) -> String {
        match self.has_twin(cell) {
            true => format!("{} ({})", cell.scenario, cell.module.file),
            false => cell.scenario.clone(),
        }
    }

    /// Whether only the module's file tells `cell` from another.
    pub(crate) fn has_twin(&self, cell: &CellView) -> bool {
        // Twins stand next to each other.
        let first = self.cells.partition_point(|other| order(other, cell).is_lt());
        self.cells.get(first + 1).is_some_and(|second| order(second, cell).is_eq())
    }
}

fn order(a: &CellView, b: &CellView) -> Ordering {
    // Values are never NaN, so arguments always compare.
    a.identity().partial_cmp(&b.identity()).unwrap_or(Ordering::Equal)
}

/// The records by kind.
#[derive(Default)]
struct Parts {
    run: Option<RunRecord>,
    modules: Vec<ModuleRecord>,
    parts: Vec<PartView>,
    resumed: Vec<ResumedRecord>,
    calibration: Vec<CalibrationRecord>,
    blocks: BTreeMap<u32, Block>,
    pairings: Vec<PairingRecord>,
    looks: Vec<LookRecord>,
    ladders: Vec<LadderRecord>,
    written: Vec<u32>,
    ended: Option<EndRecord>,
}

impl Parts {
    fn take(&mut self, record: Record) -> Result<(), ReportError> {
        match record {
            Record::Part(record) => {
                let calibration = self.calibration.len()..self.calibration.len();
                self.parts.push(PartView { record, calibration, cells: BTreeSet::new() });
            }
            Record::Resumed(record) => {
                self.resumed.push(record);
                // What ended was a part.
                self.ended = None;
            }
            Record::Run(record) => self.run = Some(record),
            Record::Module(record) => self.modules.push(record),
            Record::Calibration(record) => {
                self.calibration.push(record);
                if let Some(part) = self.parts.last_mut() {
                    part.calibration.end = self.calibration.len();
                }
            }
            Record::Cell(record) => {
                if let Some(part) = self.parts.last_mut() {
                    part.cells.insert(record.cell);
                }
                let block = self.blocks.entry(record.cell).or_insert_with(|| {
                    self.written.push(record.cell);
                    Block::new(record.clone())
                });
                block.begin(&record);
            }
            Record::Series(record) => self.block(record.cell, record.process)?.series(record),
            Record::Check(record) => self.block(record.cell, record.process)?.check(record),
            Record::Outcome(record) => self.block(record.cell, record.process)?.outcome(record),
            Record::Ledger(record) => self.block(record.cell, record.process)?.ledger(record),
            Record::Account(record) => self.block(record.cell, record.process)?.account(record),
            Record::Look(record) => self.looks.push(record),
            Record::Ladder(record) => self.ladders.push(record),
            Record::Pairing(record) => self.pairings.push(record),
            Record::End(record) => self.ended = Some(record),
        }
        Ok(())
    }

    fn block(&mut self, cell: u32, process: u32) -> Result<&mut Block, ReportError> {
        let orphan = || ReportError::inconsistent(cell, process, "a record of a cell that the file does not describe");
        self.blocks.get_mut(&cell).ok_or_else(orphan)
    }
}
