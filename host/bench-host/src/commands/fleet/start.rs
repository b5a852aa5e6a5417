//! Starts the process that coordinates a run. It is a process of its own, so that Ctrl-C and the end of the terminal end only what shows
//! the run.

use super::attach::{follow, say_going_on};
use super::exit_of;
use crate::Exit;
use crate::cli::RunArgs;
use crate::execute::{command, interrupt, run_id};
use anyhow::Context;
use bench_fleet::FleetFolder;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The option that makes this program the process that coordinates a run.
const COORDINATE: &str = "--coordinate";

/// Starts a run, and shows it until it ends; if `detach`, only until it has begun.
pub(super) fn start(run: &RunArgs, detach: bool) -> anyhow::Result<Exit> {
    let shown = &run.common.shown;
    let folder = FleetFolder::new(&shown.out, &run_id(jiff::Timestamp::now()));
    let interrupt = interrupt()?;
    let mut child = spawn(&folder)?;
    let has_begun = has_begun(&mut child);
    if detach && has_begun {
        say_going_on(&folder);
        return Ok(Exit::Done);
    }
    if let Some(exit) = follow(&folder, &shown.show, shown.quiet, interrupt)? {
        return Ok(exit);
    }
    let status = child.wait()?;
    if folder.read().is_err() {
        folder.discard();
    }
    if status.code().is_none() {
        anyhow::bail!("the process of run {} was killed ({status})", folder.id());
    }
    Ok(exit_of(status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0)))
}

fn spawn(folder: &FleetFolder) -> anyhow::Result<Child> {
    let log = fs::create_dir_all(folder.path()).and_then(|()| File::create_new(folder.log()));
    let log =
        log.with_context(|| format!("cannot create {}; give another folder with --out DIR", folder.path().display()))?;
    let program = std::env::current_exe().context("cannot find this program to start agents with")?;
    let mut command = Command::new(program);
    command.args(words(std::env::args_os().skip(1).collect(), &folder.id())?);
    // Ctrl-C is for this process, which only shows the run.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).process_group(0);
    command.spawn().context("cannot start the process that coordinates the run")
}

/// Waits until watchers can connect. Returns whether the run has begun, and not ended before.
fn has_begun(child: &mut Child) -> bool {
    child.stdout.as_mut().is_some_and(|output| output.read(&mut [0]).is_ok_and(|read| read > 0))
}

/// The arguments `given` to `fleet run`, as the process that coordinates the run `id` gets them.
fn words(mut given: Vec<OsString>, id: &str) -> anyhow::Result<Vec<OsString>> {
    let at = given.windows(2).position(|pair| pair[0] == "fleet" && pair[1] == "run").context("not `fleet run`")? + 2;
    given.splice(at..at, [OsString::from(COORDINATE), OsString::from(id)]);
    Ok(given)
}

/// The command line as the user gave it.
pub(super) fn recorded() -> Vec<String> {
    without(command())
}

/// The arguments without what `words` adds.
pub(super) fn without(mut words: Vec<String>) -> Vec<String> {
    if let Some(at) = words.iter().position(|word| word == COORDINATE) {
        words.drain(at..(at + 2).min(words.len()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_the_coordinator_are_those_of_the_user() {
        let given = ["-v", "fleet", "run", "kernels", "--on", "local:2"];
        let words = words(given.iter().map(OsString::from).collect(), "r").unwrap();
        assert_eq!(words[..5], ["-v", "fleet", "run", COORDINATE, "r"]);
        let words = words.into_iter().map(|word| word.into_string().unwrap()).collect();
        assert_eq!(without(words), given);
    }
}
