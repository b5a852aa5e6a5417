//! `fleet`: one run that several machines measure.

mod agreement;
mod attach;
mod clocks;
mod kubernetes;
mod machines;
mod members;
#[cfg(feature = "nats")]
pub(crate) mod nats;
mod run;
mod start;
mod status;
mod verify;

pub(crate) use run::spec_of;

use crate::cli::{FleetCommand, FleetRunName, MergeArgs};
use crate::{Exit, execute, output};
use bench_fleet::{Checks, FleetFolder, Queue, merge};

/// The queue of a run: in this process, or also on a server.
type AnyQueue = Box<dyn Queue>;

pub(crate) fn run(command: FleetCommand) -> anyhow::Result<Exit> {
    match command {
        FleetCommand::Run(arguments) => run::run(*arguments),
        FleetCommand::Status(arguments) => status::show(&arguments),
        FleetCommand::Attach(arguments) => attach::run(&arguments),
        FleetCommand::Resume(arguments) => start::resume(&arguments),
        FleetCommand::Verify(arguments) => verify::run(&arguments),
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
    merged.findings.iter().for_each(|finding| output::line(&format!("bench-host: {finding}")));
    let found = if merged.findings.is_empty() { Exit::Done } else { Exit::Finding };
    Ok(worse(found, execute::show(&merged.directory, show)?))
}

/// The fleet run of this name, or the newest one.
fn find(run: &FleetRunName) -> anyhow::Result<FleetFolder> {
    let FleetRunName { out, run: named } = run;
    let folders = FleetFolder::all(out)?;
    let found = match named {
        Some(named) => folders.iter().find(|folder| folder.id() == *named),
        None => folders.first(),
    };
    let what = named.as_ref().map_or_else(|| "no run".to_owned(), |named| format!("no run {named}"));
    found.cloned().ok_or_else(|| {
        anyhow::anyhow!(
            "{} has {what} of a fleet; start one with `bench-host fleet run`, or give --out DIR",
            out.display()
        )
    })
}

/// The one that says more of what went wrong.
fn worse(a: Exit, b: Exit) -> Exit {
    match (a, b) {
        (Exit::NotMeasured, _) | (_, Exit::NotMeasured) => Exit::NotMeasured,
        (Exit::Finding, _) | (_, Exit::Finding) => Exit::Finding,
        (Exit::Done, Exit::Done) => Exit::Done,
    }
}

/// The exit status as a number, which the state of a run has.
fn number(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Finding => 1,
        Exit::NotMeasured => 2,
    }
}

/// The exit status of a number; any other number, and none, is of a run that failed.
fn exit_of(number: Option<u8>) -> Exit {
    match number {
        Some(0) => Exit::Done,
        Some(1) => Exit::Finding,
        _ => Exit::NotMeasured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Exit; 3] = [Exit::Done, Exit::Finding, Exit::NotMeasured];

    #[test]
    fn worst_exit_wins() {
        for (first, a) in ALL.into_iter().enumerate() {
            for (second, b) in ALL.into_iter().enumerate() {
                assert_eq!(worse(a, b), ALL[first.max(second)]);
            }
        }
    }

    #[test]
    fn exit_is_read_from_its_number() {
        ALL.into_iter().for_each(|exit| assert_eq!(exit_of(Some(number(exit))), exit));
        assert_eq!([exit_of(None), exit_of(Some(130))], [Exit::NotMeasured; 2]);
    }
}
