//! `field`: runs the host on inputs that people met and that harm a careless host, and holds what comes of each: no hang, no panic, no
//! process left behind, no secret shown, and the exit status that the documentation promises.

mod corpus;
mod rows;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::corpus::Corpus;
use self::rows::{Row, rows};
use crate::artifact;
use crate::output::say;
use crate::project::Project;

/// A row that takes longer hangs. The slowest waits for a deadline of ten seconds, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// The name of processes that the corpus starts and that must end with their worker, as `/proc` shows it.
const LEFT: &str = "hostile-left";

/// What came of a row.
enum Outcome {
    /// As it should be, with the exit status.
    Right(i32),
    /// Otherwise: what was wrong, with the exit status if there was one.
    Wrong(Option<i32>, String),
    /// It cannot be tried here.
    Skipped(String),
}

/// Builds the host, makes the corpus, runs every row, and prints a table. An error if a row does not come out right.
pub(crate) fn run(project: &Project) -> Result<()> {
    let program = artifact::program_of_tests(project, "bench-host")?;
    let folder = scratch_folder()?;
    let corpus = Corpus::make(project, &folder)?;
    let rows = rows();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut wrong = Vec::new();
    for row in &rows {
        let begin = Instant::now();
        let outcome = outcome(&program, &folder, &corpus, row);
        let (word, status, detail) = match &outcome {
            Outcome::Right(status) => ("right", Some(*status), String::new()),
            Outcome::Wrong(status, detail) => ("WRONG", *status, format!("  {detail}")),
            Outcome::Skipped(reason) => ("skipped", None, format!("  {reason}")),
        };
        let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let seconds = begin.elapsed().as_secs_f64();
        say(format_args!("{:width$}  {word:7}  exit {status:>3}  {seconds:5.1} s{detail}", row.name));
        if matches!(outcome, Outcome::Wrong(..)) {
            wrong.push(row.name);
        }
    }
    let _ = fs::remove_dir_all(&folder);
    ensure!(wrong.is_empty(), "{} of {} rows came out wrong: {}", wrong.len(), rows.len(), wrong.join(", "));
    Ok(())
}

fn scratch_folder() -> Result<std::path::PathBuf> {
    let folder = std::env::temp_dir().join(format!("bench-host-field-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn outcome(program: &Path, folder: &Path, corpus: &Corpus, row: &Row) -> Outcome {
    if let Some(reason) = corpus.missing(row) {
        return Outcome::Skipped(reason);
    }
    let before = left_behind();
    let mut command = row.command(program);
    command
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("BENCH_HOST_MODULES", folder.join("none"));
    let (status, text) = match finish(&mut command, folder) {
        Ok(Some(ended)) => ended,
        Ok(None) => return Outcome::Wrong(None, format!("it had not ended after {} s", PATIENCE.as_secs())),
        Err(error) => return Outcome::Wrong(None, format!("{error:#}")),
    };
    let left = left_behind().difference(&before).count();
    let mut faults = row.faults(status, &text);
    if left > 0 {
        faults.push(format!("{left} processes are left"));
    }
    if faults.is_empty() { Outcome::Right(status) } else { Outcome::Wrong(Some(status), faults.join("; ")) }
}

/// Runs `command` to its end; its exit status and all that it printed. `None` if it had to be killed.
fn finish(command: &mut Command, folder: &Path) -> Result<Option<(i32, String)>> {
    let log = folder.join("output");
    let output = fs::File::create(&log)?;
    // Into a file, because a process that is left behind may hold a pipe open.
    let mut child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
    let process = child.id().to_string();
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    let Ok(status) = ended.recv_timeout(PATIENCE) else {
        Command::new("kill").args(["-KILL", &process]).status()?;
        return Ok(None);
    };
    let status = status?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    // As shells show a signal.
    let signal = || status.signal().map_or(1, |signal| 128 + signal);
    Ok(Some((status.code().unwrap_or_else(signal), text)))
}

/// The processes that the corpus has started and that still run.
fn left_behind() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_left = |process: &String| {
        fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim_end() == LEFT)
            && fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    names.filter(is_left).collect()
}
