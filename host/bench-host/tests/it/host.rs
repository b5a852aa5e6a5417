//! Runs the program under test in a folder of its own, and captures its output and status.

use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_bench-host");

/// A folder to run the program in.
pub(crate) struct Host {
    folder: TempDir,
}

/// The status and output of the program.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A folder with the hostile module in both arms, `hostile.wasm` and `hostile.so`.
    pub(crate) fn with_hostile() -> Self {
        let host = Self::new();
        for file in crate::modules::hostile() {
            let name = file.file_name().expect("a module has a name");
            fs::copy(file, host.path(name)).expect("the module is copied");
        }
        host
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The only run directory; there may be files next to it.
    #[track_caller]
    pub(crate) fn run_with_history(&self) -> PathBuf {
        let folders: Vec<_> = self.runs().into_iter().filter(|run| run.is_dir()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders.into_iter().next().expect("there is one")
    }

    /// The program with the arguments in `line`, in the folder.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = command(PROGRAM);
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        command
    }

    /// Runs the program with the arguments in `line`, and checks the exit status.
    #[track_caller]
    pub(crate) fn check(&self, line: &str, status: i32) -> Ran {
        Ran::of(&mut self.command(line)).check(line, status)
    }

    /// The run directories, oldest first.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("results")) else { return Vec::new() };
        // Next to them lies the index of the history.
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut runs: Vec<_> = paths.filter(|path| path.is_dir()).collect();
        runs.sort();
        runs
    }

    /// The only run directory.
    #[track_caller]
    pub(crate) fn run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().expect("there is one")
    }
}

/// A command in the environment of the tests: without the user's settings, with a cache of compiled code shared by all tests, with
/// the modules of this checkout, and ended by signals.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    handle_signals();
    let mut command = Command::new(program);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    command
        .stdin(Stdio::null())
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_CONFIG_HOME", folder.join("config"));
    let project = crate::modules::project();
    let folders = [project.join("plugins"), project.join("native-probes")];
    command.env("BENCH_HOST_MODULES", std::env::join_paths(folders).expect("paths without a separator"));
    for name in ["RUST_LOG", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// Gives this process handlers for the signals that tests send, which do what is done without them. A program ignores the signals that
/// its parent ignores, as a background job of a script does, but starts with the default for those that its parent handles (execve(2)).
fn handle_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGINT, SIGTERM] {
            register_conditional_default(signal, Arc::new(AtomicBool::new(true))).expect("a signal can be handled");
        }
    });
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().expect("the program starts").into()
    }

    #[track_caller]
    pub(crate) fn check(self, line: &str, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "`{line}`\n{}\n{}", self.essence(), self.stderr);
        self
    }

    /// The cells and comparisons of the printed run that did not succeed, or all that it printed if there are none. The document of a
    /// run is longer than what is kept of a failed test.
    fn essence(&self) -> String {
        let document: Value = serde_json::from_str(&self.stdout).unwrap_or_default();
        let cells =
            ["cells", "comparisons"].into_iter().flat_map(|part| document[part].as_array().into_iter().flatten());
        let failed: Vec<_> = cells.filter(|cell| cell["status"] != "ok").map(|cell| format!("{cell:#}")).collect();
        if failed.is_empty() { self.stdout.clone() } else { failed.join("\n") }
    }

    /// The document it printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// Checks that standard error has one line, which contains all `parts`.
    #[track_caller]
    pub(crate) fn one_line(&self, parts: &[&str]) {
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in: {}", self.stderr);
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The cells of a run's document that have this scenario.
pub(crate) fn cells<'a>(document: &'a Value, scenario: &str) -> Vec<&'a Value> {
    let cells = document["cells"].as_array().expect("a run has cells");
    cells.iter().filter(|cell| cell["scenario"] == scenario).collect()
}

/// Waits until `condition` holds. The time limit is large, so that only a hang exceeds it.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "other processes offer nothing to wait for")]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(300), "still waiting until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Prints why a test is skipped.
pub(crate) fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
