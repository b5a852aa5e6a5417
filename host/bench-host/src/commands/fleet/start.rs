//! Starts the process that coordinates a run. It is a process of its own, so that Ctrl-C and the end of the terminal end only what shows
//! the run.

use super::attach::{follow, say_going_on};
use super::{exit_of, find};
use crate::Exit;
use crate::cli::{RunArgs, ShownFleetRun};
use crate::execute::{command, interrupt, run_id};
use crate::show::ShowArgs;
use anyhow::Context;
use bench_engine::Interrupt;
use bench_fleet::FleetFolder;
use bench_sink::regular;
use pg_connection::redact;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The option that makes this program the process that coordinates a run.
const COORDINATE: &str = "--coordinate";

/// Starts a run, and shows it until it ends; if `detach`, only until it has begun.
pub(super) fn start(run: &RunArgs, detach: bool) -> anyhow::Result<Exit> {
    let shown = &run.common.shown;
    let folder = FleetFolder::new(&shown.out, &run_id(jiff::Timestamp::now()));
    let interrupt = interrupt()?;
    let next = || format!("cannot create {}; give another folder with --out DIR", folder.path().display());
    let launch = Launch {
        arguments: words(given()?, &folder.id())?,
        directory: std::env::current_dir().context("the working directory is not known")?,
    };
    let launched = serde_json::to_vec(&launch);
    let launched = launched.context("the name of the working directory is not UTF-8; start the run in another one")?;
    remove_left(&shown.out);
    fs::create_dir_all(folder.path()).with_context(next)?;
    fs::write(folder.launch(), launched).with_context(next)?;
    let child = spawn(&folder, &launch)?;
    show_run(&folder, child, detach, (&shown.show, shown.quiet), interrupt)
}

/// Starts the process of a run again that was killed.
pub(super) fn resume(arguments: &ShownFleetRun) -> anyhow::Result<Exit> {
    let folder = find(&arguments.of)?;
    let id = folder.id();
    anyhow::ensure!(!folder.is_going_on()?, "run {id} goes on; see it with `bench-host fleet attach {id}`");
    if folder.has_ended() {
        folder.remove_parts();
        anyhow::bail!("run {id} has ended; see it with `bench-host fleet attach {id}`");
    }
    let launch = regular::read(&folder.launch(), LAUNCH_BYTES_MAX);
    let launch =
        launch.with_context(|| format!("{}: the run cannot be resumed; start a new one", folder.path().display()))?;
    let launch: Launch = serde_json::from_slice(&launch)?;
    let interrupt = interrupt()?;
    let child = spawn(&folder, &launch)?;
    show_run(&folder, child, false, (&arguments.show, false), interrupt)
}

/// Removes what runs in `out` no longer need whose process was killed when they had just ended.
fn remove_left(out: &Path) {
    // A new run does not depend on it.
    for folder in FleetFolder::all(out).unwrap_or_default() {
        if folder.has_parts() && folder.has_ended() && matches!(folder.is_going_on(), Ok(false)) {
            folder.remove_parts();
        }
    }
}

/// How the process that coordinates a run is started.
#[derive(Debug, Serialize, Deserialize)]
struct Launch {
    arguments: Vec<String>,
    directory: PathBuf,
}

/// Maximum size of the file that says it.
const LAUNCH_BYTES_MAX: u64 = 4 << 20;

/// Shows a run whose process was just started, until it ends; if `detach`, only until it has begun.
fn show_run(
    folder: &FleetFolder,
    mut child: Child,
    detach: bool,
    (shown, is_quiet): (&ShowArgs, bool),
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let has_begun = has_begun(&mut child);
    if detach && has_begun {
        say_going_on(folder);
        return Ok(Exit::Done);
    }
    if let Some(exit) = follow(folder, shown, is_quiet, interrupt)? {
        return Ok(exit);
    }
    let status = child.wait()?;
    if folder.read().is_err() {
        folder.discard();
    }
    anyhow::ensure!(
        status.code().is_some(),
        "the process of run {0} was killed ({status}); go on with `bench-host fleet resume {0}`",
        folder.id()
    );
    Ok(exit_of(status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0)))
}

fn spawn(folder: &FleetFolder, launch: &Launch) -> anyhow::Result<Child> {
    let log = File::options().create(true).append(true).open(folder.log());
    let log = log
        .with_context(|| format!("cannot write to {}; give another folder with --out DIR", folder.path().display()))?;
    let program = std::env::current_exe().context("cannot find this program to start agents with")?;
    let mut command = Command::new(program);
    command.args(&launch.arguments).current_dir(&launch.directory);
    // Ctrl-C is for this process, which only shows the run.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).process_group(0);
    command.spawn().context("cannot start the process that coordinates the run")
}

/// Waits until watchers can connect. Returns whether the run has begun, and not ended before.
fn has_begun(child: &mut Child) -> bool {
    child.stdout.as_mut().is_some_and(|output| output.read(&mut [0]).is_ok_and(|read| read > 0))
}

/// The arguments of this process.
pub(super) fn given() -> anyhow::Result<Vec<String>> {
    texts(std::env::args_os().skip(1))
}

/// These arguments as texts, which other processes and other machines get.
fn texts(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Vec<String>> {
    let text = |argument: OsString| {
        argument.into_string().map_err(|argument| {
            let shown = redact(&argument.to_string_lossy());
            anyhow::anyhow!("the argument {shown} is not UTF-8, so it cannot travel to agents; give another name")
        })
    };
    arguments.map(text).collect()
}

/// The arguments `given` to `fleet run`, as the process that coordinates the run `id` gets them.
fn words(mut given: Vec<String>, id: &str) -> anyhow::Result<Vec<String>> {
    let at = given.windows(2).position(|pair| pair[0] == "fleet" && pair[1] == "run").context("not `fleet run`")? + 2;
    given.splice(at..at, [COORDINATE.to_owned(), id.to_owned()]);
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
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn arguments_of_the_coordinator_are_those_of_the_user() {
        let given = ["-v", "fleet", "run", "kernels", "--on", "local:2"];
        let words = words(given.iter().map(|word| (*word).to_owned()).collect(), "r").unwrap();
        assert_eq!(words[..5], ["-v", "fleet", "run", COORDINATE, "r"]);
        assert_eq!(without(words), given);
    }

    #[test]
    fn argument_that_is_not_text_is_refused() {
        let arguments = [OsString::from("--out"), OsString::from_vec(b"results-\xff".to_vec())];
        assert_eq!(texts(arguments[..1].iter().cloned()).unwrap(), ["--out"]);
        let error = texts(arguments.into_iter()).unwrap_err().to_string();
        assert!(error.starts_with("the argument results-\u{fffd} is not UTF-8"), "{error}");
    }
}
