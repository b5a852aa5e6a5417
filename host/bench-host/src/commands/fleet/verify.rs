//! `fleet verify`: checks what agents sent, and what was made of it.

use super::find;
use crate::cli::FleetRunName;
use crate::{Exit, output};
use anyhow::Context;
use bench_fleet::{FleetStatus, Verified, verify};

pub(super) fn run(arguments: &FleetRunName) -> anyhow::Result<Exit> {
    let folder = find(arguments)?;
    let id = folder.id();
    anyhow::ensure!(!folder.is_going_on()?, "run {id} goes on; verify it when it has ended");
    let status = folder.read().with_context(|| {
        format!(
            "{}: the run ended before its agents had joined, so there is nothing to verify",
            folder.path().display()
        )
    })?;
    let FleetStatus { directories, .. } = status;
    let directories: Vec<_> = directories.iter().map(|directory| folder.out().join(directory)).collect();
    let Verified { agents, blocks, repetitions, findings } = verify(&folder, &directories)?;
    findings.iter().for_each(|finding| output::line(&format!("bench-host: {finding}")));
    let found = match findings.len() {
        0 => "all unchanged, and each repetition once".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    };
    let runs: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
    let runs = if runs.is_empty() { "no results were merged".to_owned() } else { runs.join(", ") };
    output::print(&bench_report::escape(&format!(
        "run {id}: {blocks} blocks of the agents {}; {repetitions} repetitions in {runs}: {found}",
        agents.join(", ")
    )))?;
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Finding })
}
