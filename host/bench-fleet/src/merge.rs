//! Merges the shards of a run, or what the agents of a fleet kept of one. The lines are copied as they were written, so that no figure changes.

mod agents;

use crate::MergeError;
use crate::aside::{Aside, Existing};
use crate::part::Part;
use agents::{Kept, Shards, shards};
use bench_sink::runfile::{EndRecord, Record, RunRecord};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is accepted although it makes figures hard to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Accepts shards that were measured by unlike machines.
    pub across_machines: bool,
    /// Accepts shards that were measured at the same time by one machine.
    pub share_machine: bool,
}

/// A merged run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its run directory.
    pub directory: PathBuf,
    /// Directories that hold nothing that another one does not hold.
    pub copies: Vec<PathBuf>,
    /// What is wrong with the results, one line each.
    pub findings: Vec<String>,
}

/// Writes the shards in `directories` as one run into the folder `out`; or what counts of that which agents of a fleet kept in `directories`.
/// The result depends on the shards only, not on the order in which they are given. Nothing is written if anything does not fit. The run
/// directory appears when the run is complete.
pub fn merge(directories: &[PathBuf], out: &Path, checks: Checks) -> Result<Merged, MergeError> {
    write(directories, out, checks, (None, Existing::Stays))
}

/// The same for the coordinator of a run, of which cells are missing for the reason `stopped`, if one is given. The result of a coordinator that
/// was killed after it had merged the run is replaced.
pub fn merge_stopped(
    directories: &[PathBuf],
    out: &Path,
    checks: Checks,
    stopped: Option<String>,
) -> Result<Merged, MergeError> {
    write(directories, out, checks, (stopped, Existing::Replaced))
}

fn write(
    directories: &[PathBuf],
    out: &Path,
    checks: Checks,
    (stopped, existing): (Option<String>, Existing),
) -> Result<Merged, MergeError> {
    let Shards { parts, copies, stopped: unfinished, findings } = read(directories)?;
    check(&parts, checks)?;
    let Some(first) = parts.first() else { return Ok(Merged { directory: out.to_owned(), copies, findings }) };
    let run = head(&parts, first);
    let (aside, mut writer) = Aside::begin(out, &run.id, existing)?;
    writer.append(&[Record::Run(run)])?;
    writer.append_raw(&first.head)?;
    for part in &parts {
        if part.is_of_agent {
            writer.append(&[Record::Part(part.part.clone())])?;
        }
        part.copy_body(&mut writer)?;
    }
    // An agent that was lost has no end.
    let finished = parts.iter().map(|part| part.end.as_ref().map_or(&part.part.started, |end| &end.finished)).max();
    let (finished, stopped) = (finished.cloned().unwrap_or_default(), stopped.or(unfinished));
    writer.append(&[Record::End(EndRecord { finished, stopped })])?;
    Ok(Merged { directory: aside.finish(writer)?, copies, findings })
}

/// Reads the shards in `directories`, sorted by number, and finds copies among them.
fn read(directories: &[PathBuf]) -> Result<Shards, MergeError> {
    let (mut kept, mut copies) = (Vec::new(), Vec::new());
    let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
    for directory in directories {
        if let Some(of_agent) = Kept::read(directory)? {
            kept.push(of_agent);
            continue;
        }
        let part = Part::read(directory)?;
        let number = part.part.number;
        match parts.get(&number) {
            Some(known) if known.body_sha256 == part.body_sha256 => copies.push(directory.clone()),
            Some(known) => {
                fit(known, &part)?;
                let (first, other) = (known.directory.clone(), directory.clone());
                return Err(MergeError::Twice { first, other, number });
            }
            None => _ = parts.insert(number, part),
        }
    }
    match (parts.values().next(), kept.first()) {
        (Some(shard), Some(of_agent)) => {
            let (first, other) = (shard.directory.clone(), of_agent.directory.clone());
            let what = "only the other was kept by an agent of a fleet".to_owned();
            Err(MergeError::Different { first, other, what })
        }
        (None, Some(_)) => shards(kept),
        (_, None) => Ok(Shards { parts: parts.into_values().collect(), copies, stopped: None, findings: Vec::new() }),
    }
}

/// The first record of the merged run.
fn head(parts: &[Part], first: &Part) -> RunRecord {
    let started = parts.iter().map(|part| part.run.started.clone()).min().unwrap_or_default();
    let mut run = first.run.clone();
    run.id = format!("{}-merged", run.id);
    run.started = started;
    let mut words = run.command.into_iter();
    let mut command = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--shard" => _ = words.next(),
            word if word.starts_with("--shard=") => {}
            _ => command.push(word),
        }
    }
    run.command = command;
    for part in &parts[1..] {
        let known = &mut run.warnings;
        part.run.warnings.iter().for_each(|warning| {
            if !known.contains(warning) {
                known.push(warning.clone());
            }
        });
    }
    run
}

/// Checks that `parts`, sorted by number, are all shards of one run.
fn check(parts: &[Part], checks: Checks) -> Result<(), MergeError> {
    let Some(first) = parts.first() else { return Ok(()) };
    for part in &parts[1..] {
        fit(first, part)?;
    }
    for part in parts.iter().filter(|part| !part.is_of_agent) {
        if part.end.as_ref().is_none_or(|end| end.stopped.is_some()) {
            return Err(MergeError::Unfinished(part.directory.clone()));
        }
    }
    let of = first.part.of;
    if let Some(missing) = (1..=of).find(|number| parts.iter().all(|part| part.part.number != *number)) {
        return Err(MergeError::Missing { missing, of });
    }
    disjoint(parts)?;
    let pairs = || parts.iter().enumerate().flat_map(|(index, a)| parts[index + 1..].iter().map(move |b| (a, b)));
    let named = |a: &Part, b: &Part| (a.directory.clone(), b.directory.clone());
    if !checks.across_machines {
        for part in &parts[1..] {
            let unlike = first.part.fingerprint.unlike(&part.part.fingerprint);
            if !unlike.is_empty() {
                let (first, other) = named(first, part);
                return Err(MergeError::Machines { first, other, what: unlike.join(", ") });
            }
        }
    }
    match pairs().find(|(a, b)| !checks.share_machine && a.shares_machine(b)) {
        Some((a, b)) => {
            let (first, other) = named(a, b);
            Err(MergeError::SharedMachine { first, other })
        }
        None => Ok(()),
    }
}

fn fit(first: &Part, other: &Part) -> Result<(), MergeError> {
    match first.different(other) {
        Some(what) => {
            Err(MergeError::Different { first: first.directory.clone(), other: other.directory.clone(), what })
        }
        None => Ok(()),
    }
}

/// Checks that no repetition is in two shards.
fn disjoint(parts: &[Part]) -> Result<(), MergeError> {
    let mut holders: BTreeMap<(u32, u32), &Part> = BTreeMap::new();
    for part in parts {
        for repetition in &part.repetitions {
            if let Some(known) = holders.insert(*repetition, part) {
                let (cell, process) = *repetition;
                let (first, other) = (known.directory.clone(), part.directory.clone());
                return Err(MergeError::Overlap { first, other, cell, process });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
