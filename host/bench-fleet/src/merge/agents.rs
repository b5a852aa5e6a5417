//! What the agents of a fleet kept, as shards of their run, without the coordinator that knew whose figures count. A group of cells counts from one
//! agent: of those that measured all of it the one whose name is the first in the alphabet, however the folders are given.

use crate::collect::{Collected, contradiction};
use crate::part::Part;
use crate::protocol::HostCard;
use crate::{AgentCard, MergeError};
use bench_sink::digest::Hasher;
use bench_sink::runfile::{PartRecord, RawLine, RawLines, Record, RunRecord, Status};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// What one agent kept.
pub(super) struct Kept {
    pub(super) directory: PathBuf,
    agent: String,
    card: Option<HostCard>,
    run: RunRecord,
    cells: BTreeMap<u32, KeptCell>,
    /// The checksums of its results.
    results: Collected,
    /// The digest of all lines.
    sha256: String,
}

/// What an agent kept of a cell.
struct KeptCell {
    /// What the cells of its group have in common.
    group: String,
    /// The scenario and the arguments.
    title: String,
    processes: BTreeSet<u32>,
    /// Whether it failed or was skipped, so that no further repetition of it was measured.
    is_given_up: bool,
}

/// The shards that are made of what agents kept.
pub(super) struct Shards {
    pub(super) parts: Vec<Part>,
    pub(super) copies: Vec<PathBuf>,
    /// Why cells are missing, if some are.
    pub(super) stopped: Option<String>,
    /// What is wrong with the results.
    pub(super) findings: Vec<String>,
}

impl Kept {
    /// What an agent kept in `directory`; `None` if that is not the folder of an agent.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, MergeError> {
        let Some((agent, card)) = agent_of(directory)? else { return Ok(None) };
        let (mut run, mut cells, mut hasher) = (None, BTreeMap::new(), Hasher::default());
        let mut results = Collected::default();
        for line in RawLines::open(directory)? {
            let RawLine { record, text } = line?;
            hasher.update(&text);
            match record {
                Some(Record::Run(record)) => run = Some(record),
                Some(Record::Cell(cell)) => {
                    cells.entry(cell.cell).or_insert_with(|| KeptCell {
                        group: format!("{} {:?}", cell.scenario, cell.arguments),
                        title: format!("{} {}", cell.scenario, cell.arguments).trim_end().to_owned(),
                        processes: BTreeSet::new(),
                        is_given_up: false,
                    });
                }
                Some(Record::Outcome(outcome)) => {
                    let checksum = outcome.checksum.filter(|_| outcome.status == Status::Ok);
                    results.checksums.extend(checksum.map(|checksum| (outcome.cell, checksum)));
                    if let Some(cell) = cells.get_mut(&outcome.cell) {
                        cell.processes.insert(outcome.process);
                        cell.is_given_up |= matches!(outcome.status, Status::Failed | Status::Skipped);
                    }
                }
                _ => {}
            }
        }
        let directory = directory.to_owned();
        let Some(run) = run else { return Err(MergeError::Headless(directory)) };
        Ok(Some(Self { directory, agent, card, run, cells, results, sha256: hasher.finish() }))
    }

    /// Whether it has every repetition of a cell.
    fn has_whole(&self, cell: u32) -> bool {
        let wanted = self.run.planned.processes.max(1) as usize;
        self.cells.get(&cell).is_some_and(|cell| cell.is_given_up || cell.processes.len() >= wanted)
    }
}

/// The name of the agent that kept what is in `directory`, and its machine, if it says so; `None` if that is not the folder of an agent.
fn agent_of(directory: &Path) -> Result<Option<(String, Option<HostCard>)>, MergeError> {
    let failed = |source| MergeError::Card(directory.to_owned(), source);
    if let Some(AgentCard { agent, card }) = AgentCard::read(directory).map_err(failed)? {
        return Ok(Some((agent, Some(card))));
    }
    // Earlier versions told it only by the name of the folder: that of the run and of the agent.
    let mut lines = RawLines::open(directory)?;
    let Some(Record::Run(run)) = lines.next().transpose()?.and_then(|line| line.record) else { return Ok(None) };
    if matches!(lines.next().transpose()?, Some(RawLine { record: Some(Record::Part(_)), .. })) {
        return Ok(None);
    }
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let agent = name.strip_prefix(&run.id).and_then(|rest| rest.strip_prefix('@')).filter(|agent| !agent.is_empty());
    Ok(agent.map(|agent| (agent.to_owned(), None)))
}

/// The shards of the run of which agents `kept` these parts.
pub(super) fn shards(kept: Vec<Kept>) -> Result<Shards, MergeError> {
    let (kept, copies) = different(kept)?;
    let owners = owners(&kept);
    let of = kept.len() as u32;
    let mut parts = Vec::new();
    for (index, of_agent) in kept.iter().enumerate() {
        let Kept { directory, agent, card, run, .. } = of_agent;
        let part = PartRecord {
            number: index as u32 + 1,
            of,
            run: format!("{}@{agent}", run.id),
            started: run.started.clone(),
            fingerprint: card.as_ref().map_or(&run.fingerprint, |card| &card.fingerprint).clone(),
            boot_id: card.as_ref().and_then(|card| card.boot_id.clone()),
            clock: Vec::new(),
        };
        parts.push(Part::of_agent(directory, part, &|cell| owners.get(&cell) == Some(&index))?);
    }
    let planned = kept.first().map_or(0, |first| first.run.planned.cells as usize);
    let stopped = (owners.len() < planned).then(|| "no agent has all of their repetitions".to_owned());
    let findings = finding(kept).into_iter().collect();
    Ok(Shards { parts, copies, stopped, findings })
}

/// Those that differ, by the names of their agents, and the directories of the others.
fn different(mut kept: Vec<Kept>) -> Result<(Vec<Kept>, Vec<PathBuf>), MergeError> {
    kept.sort_by(|a, b| (&a.agent, &a.run.id).cmp(&(&b.agent, &b.run.id)));
    let (mut different, mut copies): (Vec<Kept>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for next in kept {
        match different.last() {
            Some(known) if known.agent == next.agent && known.run.id == next.run.id => {
                if known.sha256 != next.sha256 {
                    let (first, other, agent) = (known.directory.clone(), next.directory, next.agent);
                    return Err(MergeError::AgentTwice { first, other, agent });
                }
                copies.push(next.directory);
            }
            _ => different.push(next),
        }
    }
    Ok((different, copies))
}

/// The agent that each cell counts from, by its index: of those that measured all of its group the first. A cell of a group that none has is
/// not among them.
fn owners(kept: &[Kept]) -> HashMap<u32, usize> {
    let mut groups: HashMap<&str, BTreeSet<u32>> = HashMap::new();
    for (number, cell) in kept.iter().flat_map(|of_agent| &of_agent.cells) {
        groups.entry(&cell.group).or_default().insert(*number);
    }
    let mut owners = HashMap::new();
    for cells in groups.values() {
        let owner = kept.iter().position(|of_agent| cells.iter().all(|cell| of_agent.has_whole(*cell)));
        owners.extend(owner.into_iter().flat_map(|owner| cells.iter().map(move |cell| (*cell, owner))));
    }
    owners
}

/// Which agents have different results for equal arguments, if two have.
fn finding(kept: Vec<Kept>) -> Option<String> {
    let mut titles = HashMap::new();
    let mut collected = Vec::new();
    for Kept { agent, cells, results, .. } in kept {
        titles.extend(cells.into_iter().map(|(number, cell)| (number, cell.title)));
        collected.push((agent, results));
    }
    let (cell, first, other) = contradiction(&collected)?;
    let title = titles.get(&cell).map_or("a cell", String::as_str);
    Some(format!("{title} has different results on {first} and {other}: equal arguments must yield equal results"))
}

#[cfg(test)]
mod tests;
