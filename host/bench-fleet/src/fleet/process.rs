//! The process of an agent on this machine.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The process of an agent: the agent itself, or the `ssh` to it.
#[derive(Debug)]
pub(super) struct Process {
    command: Command,
    child: Child,
    /// What it prints to standard error.
    log: PathBuf,
}

impl Process {
    pub(super) fn start(mut command: Command, log: PathBuf) -> io::Result<Self> {
        let child = spawn(&mut command, &log)?;
        Ok(Self { command, child, log })
    }

    /// Starts it once more; the one before has ended.
    pub(super) fn start_again(&mut self) -> io::Result<()> {
        self.child = spawn(&mut self.command, &self.log)?;
        Ok(())
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input and output, the first time.
    pub(super) fn pipes(&mut self) -> Option<(impl Write + Send + use<>, impl Read + Send + use<>)> {
        Some((self.child.stdin.take()?, self.child.stdout.take()?))
    }

    /// Kills it.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// Ends it, if it goes on although its output has ended or cannot be understood: it would keep all others waiting. Returns what it printed
    /// last, or how it ended.
    pub(super) fn end(&mut self) -> String {
        // The output of a process ends when it exits, and what is killed then ends as it would have.
        self.kill();
        let printed = |log: &Path| fs::read(log).ok().and_then(|log| last_line(&log));
        match self.child.wait() {
            Err(error) => error.to_string(),
            // What it printed before it was killed does not say why.
            Ok(status) if status.code().is_none() => format!("it was killed ({status})"),
            Ok(status) => printed(&self.log).unwrap_or_else(|| format!("it ended ({status})")),
        }
    }
}

/// Starts the program of an agent, with pipes for messages and a log for its standard error.
fn spawn(command: &mut Command, log: &Path) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn()
}

/// The last line that is not empty.
fn last_line(log: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(log);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(|line| line.chars().take(500).collect())
}
