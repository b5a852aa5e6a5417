//! `fleet`: one run that several machines measure.

use crate::cli::{FleetCommand, MergeArgs};
use crate::{Exit, execute, output};
use bench_fleet::{Checks, merge};

pub(crate) fn run(command: &FleetCommand) -> anyhow::Result<Exit> {
    match command {
        FleetCommand::Merge(arguments) => merged(arguments),
    }
}

fn merged(arguments: &MergeArgs) -> anyhow::Result<Exit> {
    let MergeArgs { runs, across_machines, share_machine, out, show } = arguments;
    let checks = Checks { across_machines: *across_machines, share_machine: *share_machine };
    let merged = merge(runs, out, checks)?;
    for copy in merged.copies {
        output::line(&format!("bench-host: {}: left out, because it is a copy of another directory", copy.display()));
    }
    execute::show(&merged.directory, show)
}
