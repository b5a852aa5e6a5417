//! The same function as a script, started with its interpreter.

use super::spawn::Program;
use super::{Spawn, Start, system_error};
use crate::listener::Listener;
use crate::options::Options;
use bench_model::ModuleError;
use rustix::fd::BorrowedFd;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// An interpreted language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Node,
}

/// How a language is run.
struct Interpreter {
    /// Its command, which may be a wrapper script that looks for the interpreter. That is not what is measured.
    command: &'static str,
    /// Arguments that make it print its real path.
    locate: [&'static str; 2],
    /// Options that leave out what the function does not use.
    options: &'static [&'static str],
    script: &'static str,
    extension: &'static str,
}

impl Language {
    fn interpreter(self) -> Interpreter {
        match self {
            Self::Python => Interpreter {
                command: "python3",
                locate: ["-c", "import sys; print(sys.executable)"],
                options: &["-S", "-E"],
                script: include_str!("../../functions/function.py"),
                extension: "py",
            },
            Self::Node => Interpreter {
                command: "node",
                locate: ["-p", "process.execPath"],
                options: &[],
                script: include_str!("../../functions/function.js"),
                extension: "js",
            },
        }
    }
}

/// Spawns an interpreter.
#[derive(Debug)]
pub(crate) struct Script {
    spawn: Spawn,
    file: PathBuf,
}

impl Script {
    /// Finds the interpreter and writes the script.
    pub(crate) fn new(language: Language, options: &Options, listener: &Listener) -> Result<Self, ModuleError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let interpreter = language.interpreter();
        let program = located(interpreter.command, &interpreter.locate)?;
        let name = format!("function-{}.{}", NEXT.fetch_add(1, Ordering::Relaxed), interpreter.extension);
        let file = options.directory.join(name);
        fs::write(&file, interpreter.script).map_err(system_error(&format!("cannot write {}", file.display())))?;
        let arguments = interpreter.options.iter().map(Into::into).chain([file.clone().into()]).collect();
        let environment = options.environment().to_vec();
        let spawn = Spawn::program(Program { program, arguments, environment }, listener)?;
        Ok(Self { spawn, file })
    }
}

/// The path of the interpreter that `command` runs.
fn located(command: &str, locate: &[&str]) -> Result<PathBuf, ModuleError> {
    let asked = Command::new(command).args(locate).stdin(Stdio::null()).output();
    let path =
        asked.ok().filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
    let path = path.map(|path| PathBuf::from(path.trim())).filter(|path| path.is_file());
    path.ok_or_else(|| ModuleError::Unavailable(format!("`{command}` does not run; install it")))
}

impl Start for Script {
    fn prepare(&mut self) -> Result<(), ModuleError> {
        self.spawn.prepare()
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        self.spawn.start()
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.spawn.watch()
    }

    fn handle_change(&mut self, asked: Instant) -> Result<(), ModuleError> {
        self.spawn.handle_change(asked)
    }

    fn failure(&mut self) -> String {
        self.spawn.failure()
    }

    fn end(&mut self, asked: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError> {
        self.spawn.end(asked)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
