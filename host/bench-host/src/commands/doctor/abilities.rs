//! What the machine supports. Each missing ability says what needs it and how to get it.

use super::conditions::conditions;
use super::counters::counters;
use super::isolation::isolation;
use crate::paths;
use bench_sink::fingerprint::Fingerprint;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that a machine may support.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ability {
    /// A short name.
    pub(super) name: &'static str,
    /// Whether the machine supports it; `None` if the system does not tell.
    pub(super) present: Option<bool>,
    /// What was found, or what does not work without it.
    pub(super) found: String,
    /// How to get it, if it is missing.
    pub(super) next_step: Option<String>,
}

pub(super) fn abilities(fingerprint: &Fingerprint) -> Vec<Ability> {
    vec![
        wasm_target(),
        tool("C compiler", &["cc", "--version"], "probes in C cannot be built", "install gcc or clang"),
        tool("Go", &["go", "version"], "plug-ins in Go cannot be built", "install Go 1.25 or later"),
        postgresql(),
        criu(),
    ]
    .into_iter()
    .chain(counters())
    .chain(isolation())
    .chain(conditions(fingerprint))
    .collect()
}

pub(super) fn present(name: &'static str, found: impl Into<String>) -> Ability {
    Ability { name, present: Some(true), found: found.into(), next_step: None }
}

pub(super) fn lacking(name: &'static str, found: impl Into<String>, next_step: impl Into<String>) -> Ability {
    Ability { name, present: Some(false), found: found.into(), next_step: Some(next_step.into()) }
}

pub(super) fn unknown(name: &'static str, found: impl Into<String>, next_step: impl Into<String>) -> Ability {
    Ability { name, present: None, found: found.into(), next_step: Some(next_step.into()) }
}

/// The first line that a command prints, or the first line of its error message if it fails.
fn first_line(command: &[&str]) -> Result<String, String> {
    let output =
        Command::new(command[0]).args(&command[1..]).output().map_err(|error| format!("`{}`: {error}", command[0]))?;
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().trim().to_owned();
    if output.status.success() {
        Ok(line(&output.stdout))
    } else {
        Err([line(&output.stderr), line(&output.stdout)].into_iter().find(|line| !line.is_empty()).unwrap_or_default())
    }
}

fn tool(name: &'static str, command: &[&str], without: &str, next_step: &str) -> Ability {
    match first_line(command) {
        Ok(version) => present(name, version),
        Err(reason) => lacking(name, format!("{without} ({reason})"), next_step),
    }
}

fn wasm_target() -> Ability {
    const NAME: &str = "wasm target";
    match first_line(&["rustc", "--print", "target-libdir", "--target", "wasm32-wasip2"]) {
        Ok(folder) if Path::new(&folder).is_dir() => present(NAME, "wasm32-wasip2 of the Rust toolchain"),
        Ok(_) => lacking(NAME, "plug-ins in Rust cannot be built as components", "rustup target add wasm32-wasip2"),
        Err(reason) => {
            lacking(NAME, format!("no Rust toolchain ({reason})"), "install Rust with rustup, then `cargo xtask setup`")
        }
    }
}

/// Searches the path, and the folders where Debian installs the servers of each version.
fn postgresql() -> Ability {
    const NAME: &str = "PostgreSQL";
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = versions.map(|entry| entry.path().join("bin/postgres")).filter(|path| path.is_file()).max();
    let server = packaged.unwrap_or_else(|| PathBuf::from("postgres"));
    match first_line(&[&server.to_string_lossy(), "--version"]) {
        Ok(version) => present(NAME, version),
        Err(reason) => lacking(NAME, format!("no temporary server can be started ({reason})"), "install postgresql"),
    }
}

/// The CRIU that `cargo xtask setup` has unpacked into the cache, with its own loader and libraries, else the system's.
fn criu() -> Ability {
    const NAME: &str = "CRIU";
    const NEXT: &str = "run `cargo xtask setup` as root, or install criu, at least 4.1 on a recent kernel";
    let unpacked = paths::criu_cache().filter(|folder| folder.join("usr/sbin/criu").is_file());
    let words: Vec<String> = match &unpacked {
        None => vec!["criu".to_owned()],
        Some(folder) => {
            let path = |inside: &str| folder.join(inside).to_string_lossy().into_owned();
            let libraries = path("usr/lib/x86_64-linux-gnu");
            vec![path("usr/lib64/ld-linux-x86-64.so.2"), "--library-path".to_owned(), libraries, path("usr/sbin/criu")]
        }
    };
    let call = |before: &[&str], argument| {
        let words: Vec<&str> =
            before.iter().copied().chain(words.iter().map(String::as_str)).chain([argument]).collect();
        first_line(&words)
    };
    let version = match call(&[], "--version") {
        Err(reason) => return lacking(NAME, format!("processes cannot be checkpointed and restored ({reason})"), NEXT),
        Ok(version) => version,
    };
    // In its own mount namespace, because CRIU leaves a file in /run.
    let apart = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /run && exec \"$@\"", "sh"];
    match call(&apart, "check") {
        Ok(_) => present(NAME, version),
        Err(reason) => lacking(
            NAME,
            format!("{version} does not work here: {reason}"),
            format!("run bench-host as root; else {NEXT}"),
        ),
    }
}
