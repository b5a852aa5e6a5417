//! The unsafe code that needs no system call, under Miri, which finds undefined behaviour and data races. Miri is part of
//! the nightly toolchain only, and nothing else here needs that.

use std::process::Command;

use anyhow::Result;

use super::Outcome;
use crate::project::Project;
use crate::tool;

/// Each package with the tests of it that Miri can run: those that map no file and create no shared memory.
/// Of wal-log those of modules that have unsafe code, without the one that flips every bit, which would take an hour.
const TESTS: [&[&str]; 2] = [
    &["--package", "wal-log", "--lib", "--", "checksum", "record", "turn", "--skip", "flipped_bit"],
    &["--package", "shm-ring", "--test", "heap"],
];

/// Tests look at the process's id.
/// Stores out of order are loom's to try: Miri fails to emulate them where a word is now an atomic and now a payload.
const FLAGS: (&str, &str) = ("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-disable-weak-memory-emulation");

const ADD: &str = "rustup toolchain install nightly --profile minimal --component miri,rust-src";

/// Runs the tests where there is a nightly toolchain with Miri.
pub(super) fn run(project: &Project) -> Result<Outcome> {
    if tool::ask(miri(project).arg("--version")).is_none() {
        return Ok(Outcome::Skipped(format!("there is no nightly toolchain with Miri; to add it, run: {ADD}")));
    }
    for tests in TESTS {
        tool::run(miri(project).arg("test").args(tests))?;
    }
    Ok(Outcome::Passed)
}

/// The commands that do this step.
pub(super) fn shown() -> String {
    let (name, value) = FLAGS;
    let command = |tests: &&[&str]| format!("{name}='{value}' cargo +nightly miri test {}", tests.join(" "));
    TESTS.iter().map(command).collect::<Vec<_>>().join(" && ")
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
