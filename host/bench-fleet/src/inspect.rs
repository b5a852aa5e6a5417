//! Checks what agents send before it is kept: a block must hold the records that it announces, of the run that is measured, and a group is
//! measured only when every repetition of it was sent. So an agent that lies can spoil its own figures, but neither those of others nor the run
//! that is made of all.

use crate::protocol::Spec;
use crate::queue::{AgentId, Part};
use bench_model::{Arguments, Arm, Unit};
use bench_sink::RecordedHistogram;
use bench_sink::runfile::{
    CellRecord, ModuleRecord, OutcomeRecord, Planned, RawLine, ReadError, Record, RunRecord, SeriesRecord, Status,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A cell of the plan, as its records must name it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCell {
    /// The number of its group.
    pub group: u32,
    /// `module/scenario`.
    pub scenario: String,
    /// The arm.
    pub arm: Arm,
    /// What distinguishes it from the arm's default.
    pub variant: Option<String>,
    /// The values of all parameters.
    pub arguments: Arguments,
    /// The digest of the module's file.
    pub sha256: String,
}

/// Checks the blocks of all agents of a run. The work for a block grows with its bytes only.
#[derive(Debug)]
pub struct Inspector {
    id: String,
    seed: u64,
    planned: Planned,
    /// The digests of the modules, sorted.
    modules: Vec<String>,
    cells: Vec<PlannedCell>,
    /// The cells of each group.
    groups: Vec<Vec<u32>>,
    /// The digest of the program of each agent.
    programs: Vec<Option<String>>,
    /// The agents that have sent the head of their run file.
    heads: HashSet<AgentId>,
    sent: HashMap<(AgentId, u32), Sent>,
}

/// What an agent has sent of a cell.
#[derive(Debug, Default)]
struct Sent {
    processes: BTreeSet<u32>,
    /// Whether the cell failed or was skipped, so that no further repetition of it is measured.
    is_given_up: bool,
    /// The unit of each metric.
    units: BTreeMap<String, Unit>,
}

/// What one block of a repetition holds, besides the repetition that it announces.
#[derive(Default)]
struct Found {
    units: BTreeMap<String, Unit>,
    outcomes: Vec<OutcomeRecord>,
}

impl Inspector {
    /// Checks what is sent for `spec`, which is `planned` to have these `cells`, in the order of their numbers, by agents whose programs have
    /// these digests.
    pub fn new(spec: &Spec, planned: Planned, cells: Vec<PlannedCell>, programs: Vec<Option<String>>) -> Self {
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for (number, cell) in (0..).zip(&cells) {
            let group = cell.group as usize;
            groups.resize(groups.len().max(group + 1), Vec::new());
            groups[group].push(number);
        }
        let mut modules: Vec<String> = spec.modules.iter().map(|module| module.sha256.clone()).collect();
        modules.sort_unstable();
        let (heads, sent) = (HashSet::new(), HashMap::new());
        Self { id: spec.id.clone(), seed: spec.seed, planned, modules, cells, groups, programs, heads, sent }
    }

    /// Notes what a block holds that `agent` sent as `part`; an error that says what is wrong with it, if anything is.
    pub(crate) fn take(&mut self, agent: AgentId, part: Part, block: &[u8]) -> Result<(), String> {
        if block.last() != Some(&b'\n') {
            return Err("its last line has no end".to_owned());
        }
        let (cell, process) = match part {
            Part::Note(0) => {
                self.check_head(agent, block)?;
                self.heads.insert(agent);
                return Ok(());
            }
            Part::Note(_) => return check_note(block),
            Part::Repetition { .. } if !self.heads.contains(&agent) => {
                return Err("the head of the run file was not sent before it".to_owned());
            }
            Part::Repetition { cell, process } => (cell, process),
        };
        let found = self.check_repetition(agent, (cell, process), block)?;
        self.sent.entry((agent, cell)).or_default().units.extend(found.units);
        for outcome in found.outcomes {
            let sent = self.sent.entry((agent, outcome.cell)).or_default();
            sent.processes.insert(outcome.process);
            sent.is_given_up |= matches!(outcome.status, Status::Failed | Status::Skipped);
        }
        Ok(())
    }

    /// What `agent` has not sent of `group`, if anything is lacking. A group that the plan does not have lacks nothing.
    pub(crate) fn lacking(&self, agent: AgentId, group: u32) -> Option<String> {
        let cells = self.groups.get(group as usize)?;
        let is_whole = |cell: &&u32| {
            let sent = self.sent.get(&(agent, **cell));
            sent.is_some_and(|sent| sent.is_given_up || sent.processes.len() as u32 >= self.planned.processes)
        };
        let cell = cells.iter().find(|cell| !is_whole(cell))?;
        Some(format!("repetitions of cell {cell}"))
    }

    /// Checks the first block of a run file.
    fn check_head(&self, agent: AgentId, block: &[u8]) -> Result<(), String> {
        let mut records = records(block);
        match records.next() {
            Some(Ok(Record::Run(run))) => self.check_run(agent, &run)?,
            Some(Err(reason)) => return Err(reason),
            _ => return Err("it does not begin with the head of a run file".to_owned()),
        }
        let mut modules = Vec::new();
        for record in records {
            match record? {
                Record::Module(ModuleRecord { refused: Some(_), .. }) => {}
                Record::Module(ModuleRecord { sha256, .. }) => modules.push(sha256.unwrap_or_default()),
                _ => return Err("it has other records than the head of a run file".to_owned()),
            }
        }
        modules.sort_unstable();
        if modules == self.modules { Ok(()) } else { Err("it names other modules than the run has".to_owned()) }
    }

    fn check_run(&self, agent: AgentId, run: &RunRecord) -> Result<(), String> {
        let program = self.programs.get(agent.0 as usize).and_then(Option::as_ref);
        let unlike = [
            ("run", run.id != self.id),
            ("seed", run.seed != self.seed),
            ("plan", run.planned != self.planned),
            ("program", run.program_sha256.as_ref() != program),
        ];
        match unlike.iter().find(|(_, is_unlike)| *is_unlike) {
            Some((what, _)) => Err(format!("it is of another {what}")),
            None => Ok(()),
        }
    }

    /// Checks the block of a repetition: it begins with the identity of the cell and ends with the outcome.
    fn check_repetition(&self, agent: AgentId, of: (u32, u32), block: &[u8]) -> Result<Found, String> {
        let other = || "it holds records of another repetition".to_owned();
        let mut records = records(block);
        match records.next() {
            Some(Ok(Record::Cell(cell))) if (cell.cell, cell.process) == of => self.check_cell(&cell)?,
            Some(Err(reason)) => return Err(reason),
            _ => return Err("it does not begin with the cell that it announces".to_owned()),
        }
        let mut found = Found::default();
        let mut has_ended = false;
        for record in records {
            if has_ended {
                return Err("it goes on after its outcome".to_owned());
            }
            match record? {
                Record::Series(series) if (series.cell, series.process) == of => {
                    check_series(&series)?;
                    self.check_unit(agent, &series, &mut found.units)?;
                }
                Record::Check(check) if (check.cell, check.process) == of => {}
                Record::Account(account) if (account.cell, account.process) == of => {}
                Record::Outcome(outcome) => {
                    has_ended = (outcome.cell, outcome.process) == of;
                    if !has_ended && !self.is_contradicted(agent, of.0, &outcome) {
                        return Err(other());
                    }
                    found.outcomes.push(outcome);
                }
                _ => return Err(other()),
            }
        }
        if has_ended { Ok(found) } else { Err("it has no outcome".to_owned()) }
    }

    /// Checks the identity of a cell.
    fn check_cell(&self, found: &CellRecord) -> Result<(), String> {
        let is_planned = found.process < self.planned.processes;
        let Some(planned) = self.cells.get(found.cell as usize).filter(|_| is_planned) else {
            return Err("the plan has no such repetition".to_owned());
        };
        let is_same = (&planned.scenario, &planned.arm, &planned.variant, &planned.arguments, &planned.sha256)
            == (&found.scenario, &found.arm, &found.variant, &found.arguments, &found.module.sha256);
        if is_same { Ok(()) } else { Err("the plan has another cell of this number".to_owned()) }
    }

    /// Checks that a metric of a cell has one unit in all repetitions, and notes it in `units`.
    fn check_unit(
        &self,
        agent: AgentId,
        series: &SeriesRecord,
        units: &mut BTreeMap<String, Unit>,
    ) -> Result<(), String> {
        let before = self.sent.get(&(agent, series.cell)).and_then(|sent| sent.units.get(&series.metric));
        let known = units.entry(series.metric.clone()).or_insert_with(|| before.unwrap_or(&series.unit).clone());
        if *known == series.unit { Ok(()) } else { Err("it has a series in another unit than before".to_owned()) }
    }

    /// Whether `outcome`, in a block of `cell`, is of an earlier repetition of its group that failed because the results differ.
    fn is_contradicted(&self, agent: AgentId, cell: u32, outcome: &OutcomeRecord) -> bool {
        let group = |cell: u32| self.cells.get(cell as usize).map(|cell| cell.group);
        let sent = self.sent.get(&(agent, outcome.cell));
        outcome.status == Status::Failed
            && outcome.cell != cell
            && group(outcome.cell) == group(cell)
            && sent.is_some_and(|sent| sent.processes.contains(&outcome.process))
    }
}

/// Checks a block that belongs to no cell, and is not the first.
fn check_note(block: &[u8]) -> Result<(), String> {
    for record in records(block) {
        match record? {
            Record::Calibration(_) | Record::Resumed(_) | Record::End(_) => {}
            _ => return Err("it has records that must not stand alone".to_owned()),
        }
    }
    Ok(())
}

/// Checks that a series can be read, and has as many samples as it says.
fn check_series(series: &SeriesRecord) -> Result<(), String> {
    let histogram = RecordedHistogram::decode(&series.histogram).map_err(|error| error.to_string())?;
    let count = histogram.points().map(|(_, count)| count).fold(0, u64::saturating_add);
    let is_whole = series.raw.as_ref().is_none_or(|raw| raw.len() as u64 == series.count);
    if is_whole && count == series.count && series.batch > 0 {
        Ok(())
    } else {
        Err("it has a series with other samples than it says".to_owned())
    }
}

/// The records of a block. There are none of later versions, because all agents have the version of this program.
fn records(block: &[u8]) -> impl Iterator<Item = Result<Record, String>> {
    (1..).zip(RawLine::records(block)).map(|(line, record): (u32, _)| match record {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(format!("line {line} is a record of an unknown kind")),
        Err(ReadError::Version { found, .. }) => Err(format!("line {line} is a record of version {found}")),
        Err(_) => Err(format!("line {line} is not a record of a run file")),
    })
}

#[cfg(test)]
mod tests;
