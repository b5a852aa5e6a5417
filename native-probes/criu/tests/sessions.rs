//! Cold starts as the host would ask for them, and everything that can go wrong with them. Where there is no CRIU that works,
//! what needs one says so. It must not know how anything is started.

#![cfg(target_os = "linux")]

use bench_model::{Arguments, ModuleError, Session, Value};
use criu::{Companion, Criu, Deed};
use probe_abi::Probe;
use std::fs;
use std::path::{Path, PathBuf};

fn companion(deed: Option<Deed>) -> Companion {
    Companion { program: env!("CARGO_BIN_EXE_criu-server").into(), deed }
}

/// The defaults, changed by `given`, in `folder`.
fn arguments(given: &[(&str, Value)], folder: &Path) -> Arguments {
    let descriptor = Criu::describe();
    let parameters = descriptor.scenarios[0].parameters.iter();
    let mut arguments: Arguments =
        parameters.map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone())).collect();
    for (name, value) in given {
        assert!(arguments.get(name).is_some(), "there is no parameter {name}");
        arguments.set(*name, value.clone());
    }
    arguments.set("directory", folder.to_str().unwrap());
    arguments
}

fn open(given: &[(&str, Value)], deed: Option<Deed>, folder: &Path) -> Result<Box<dyn Session>, ModuleError> {
    criu::open("cold-start", &arguments(given, folder), companion(deed), None)
}

/// A session, or nothing and a word where this machine cannot.
fn opened(given: &[(&str, Value)], folder: &Path) -> Option<Box<dyn Session>> {
    match open(given, None, folder) {
        Ok(session) => Some(session),
        Err(error) if error.is_environment() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{given:?}: {error}"),
    }
}

/// Starts a few times, and expects right answers and nothing left behind.
#[track_caller]
fn check(given: &[(&str, Value)]) {
    let folder = tempfile::tempdir().unwrap();
    let before = children();
    if let Some(mut session) = opened(given, folder.path()) {
        assert_eq!(session.iterate(0).unwrap().operations, 0);
        let first = session.iterate(1).unwrap();
        let more = session.iterate(3).unwrap();
        assert_eq!((first.operations, more.operations, first.checksum), (1, 3, more.checksum), "{given:?}");
        for check in session.verify().unwrap() {
            assert!(check.passed, "{given:?}: {}: {}", check.name, check.detail);
        }
    }
    nothing_is_left(&before, folder.path());
}

/// Everybody below this thread, by number, with what they run: a session's processes, and theirs.
fn children() -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut open = vec![std::process::id()];
    while let Some(pid) = open.pop() {
        let path = format!("/proc/{pid}/task/{}/children", if pid == std::process::id() { thread() } else { pid });
        for child in fs::read_to_string(path).unwrap_or_default().split_whitespace() {
            let child: u32 = child.parse().unwrap();
            let command = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
            found.push((child, command.replace('\0', " ")));
            open.push(child);
        }
    }
    found
}

/// The number of this thread: tests run side by side, each in its own.
fn thread() -> u32 {
    let path = fs::read_link("/proc/thread-self").unwrap();
    path.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

#[track_caller]
fn nothing_is_left(before: &[(u32, String)], folder: &Path) {
    assert_eq!(children(), before, "processes are left");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [""; 0].map(PathBuf::from), "files are left");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()), "a mount is left");
    assert!(!Path::new("/run/images").exists(), "the namespace's mounts are seen outside");
}

const MIB: i64 = 1 << 20;

#[test]
fn spawned() {
    check(&[("start", "spawn".into())]);
    check(&[("start", "spawn".into()), ("heap_bytes", (3 * MIB + 1).into()), ("init_ms", 2.into())]);
}

#[test]
fn scripts() {
    check(&[("start", "spawn-python".into()), ("init_ms", 2.into())]);
    check(&[("start", "spawn-node".into()), ("init_ms", 2.into())]);
}

#[test]
fn forked() {
    check(&[("start", "fork-zygote".into()), ("heap_bytes", (16 * MIB).into()), ("init_ms", 5.into())]);
}

#[test]
fn restored() {
    for images in ["tmpfs", "disk"] {
        for cache in ["warm", "cold"] {
            for caller in ["command", "standby"] {
                let given = [
                    ("start", "criu-restore".into()),
                    ("images", images.into()),
                    ("cache", cache.into()),
                    ("caller", caller.into()),
                ];
                check(&given);
            }
        }
    }
    check(&[("start", "criu-restore".into()), ("heap_bytes", (16 * MIB).into()), ("init_ms", 5.into())]);
}

#[test]
fn restored_lazily() {
    check(&[("start", "criu-lazy-pages".into())]);
    check(&[("start", "criu-lazy-pages".into()), ("images", "disk".into()), ("heap_bytes", (16 * MIB).into())]);
}
