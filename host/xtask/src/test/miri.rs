//! The unsafe code that needs no system call, under Miri, which finds undefined behaviour and data races. Miri is part of
//! the nightly toolchain only, and nothing else here needs that.

use std::process::Command;

use anyhow::Result;

use super::Outcome;
use crate::package;
use crate::project::Project;
use crate::tool;
use crate::unchanged::{self, Inputs};

/// Each package with the tests of it that Miri can run: those that map no file and create no shared memory.
/// Of wal-log those of modules that have unsafe code, without the one that flips every bit, which would take an hour.
const TESTS: [(&str, &[&str]); 2] = [
    ("wal-log", &["--lib", "--", "checksum", "record", "turn", "--skip", "flipped_bit"]),
    ("shm-ring", &["--test", "heap"]),
];

/// Files of the root that decide what is built, besides the packages.
const BUILT_BY: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];

/// Tests look at the process's id.
/// Stores out of order are loom's to try: Miri fails to emulate them where a word is now an atomic and now a payload.
const FLAGS: (&str, &str) = ("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-disable-weak-memory-emulation");

const ADD: &str = "rustup toolchain install nightly --profile minimal --component miri,rust-src";

/// Runs the tests where there is a nightly toolchain with Miri. An interpreter does the same with the same sources.
pub(super) fn run(project: &Project) -> Result<Outcome> {
    let Some(version) = tool::ask(miri(project).arg("--version")) else {
        return Ok(Outcome::Skipped(format!("there is no nightly toolchain with Miri; to add it, run: {ADD}")));
    };
    let inputs = inputs(project, &version)?;
    if inputs.as_ref().is_some_and(Inputs::have_passed) {
        return Ok(Outcome::Unchanged);
    }
    for (package, tests) in TESTS {
        tool::run(miri(project).args(["test", "--package", package]).args(tests))?;
    }
    if let Some(inputs) = inputs {
        inputs.remember()?;
    }
    Ok(Outcome::Passed)
}

/// Miri, the commands, and the sources of the packages and of what they depend on.
fn inputs(project: &Project, version: &str) -> Result<Option<Inputs>> {
    let packages = package::folders_of(&package::members(project, None)?, &TESTS.map(|(package, _)| package));
    let mut files = unchanged::files(&packages)?;
    files.extend(BUILT_BY.map(|file| project.root().join(file)));
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let described = [version, &shown(), &flags].join("\n");
    Ok(Inputs::new(&unchanged::folder(project), "miri", &described, &files))
}

/// The commands that do this step.
pub(super) fn shown() -> String {
    let (name, value) = FLAGS;
    let command = |(package, tests): (&str, &[&str])| {
        format!("{name}='{value}' cargo +nightly miri test --package {package} {}", tests.join(" "))
    };
    TESTS.map(command).join(" && ")
}

fn miri(project: &Project) -> Command {
    // Not our own cargo, which is another toolchain's.
    let mut command = project.command("rustup");
    command.args(["run", "nightly", "cargo", "miri"]).envs([FLAGS]);
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}
