//! `fleet`: one run that several machines measure.

mod agreement;
mod run;
mod status;

use crate::cli::{FleetCommand, MergeArgs};
use crate::{Exit, execute, output};
use bench_fleet::{Checks, FleetFolder, merge};
use std::path::Path;

pub(crate) fn run(command: FleetCommand) -> anyhow::Result<Exit> {
    match command {
        FleetCommand::Run(arguments) => run::run(*arguments),
        FleetCommand::Status(arguments) => status::show(&arguments),
        FleetCommand::Stop(arguments) => status::stop(&arguments),
        FleetCommand::Merge(arguments) => merged(&arguments),
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

/// The fleet run `named` in `out`, or the newest one.
fn find(out: &Path, named: Option<&str>) -> anyhow::Result<FleetFolder> {
    let folders = FleetFolder::all(out)?;
    let found = match named {
        Some(named) => folders.iter().find(|folder| folder.id() == named),
        None => folders.first(),
    };
    let what = named.map_or_else(|| "no run".to_owned(), |named| format!("no run {named}"));
    found.cloned().ok_or_else(|| {
        anyhow::anyhow!(
            "{} has {what} of a fleet; start one with `bench-host fleet run`, or give --out DIR",
            out.display()
        )
    })
}
