//! Sessions of every scenario, as the host uses them.

#![cfg(target_os = "linux")]

use bench_model::{Arguments, Value};
use probe_abi::Probe;
use std::path::Path;
use wal::Wal;
use wal_load::self_timed::Bench;

/// The defaults of `scenario`, changed by `given`, in `folder`.
fn arguments(scenario: &str, given: &[(&str, Value)], folder: &Path) -> Arguments {
    let descriptor = Wal::describe();
    let scenario = descriptor.scenarios.iter().find(|known| known.name == scenario).expect("a scenario of the probe");
    let defaults = scenario.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone()));
    let mut arguments: Arguments = defaults.collect();
    for (name, value) in given {
        assert!(arguments.get(name).is_some(), "{} has no parameter {name}", scenario.name);
        arguments.set(*name, value.clone());
    }
    if arguments.get("directory").is_some() {
        arguments.set("directory", folder.to_str().unwrap());
    }
    arguments
}

/// Runs a few operations, and expects passing checks, equal checksums and no leftover files.
#[track_caller]
fn check(scenario: &str, given: &[(&str, Value)]) {
    let folder = tempfile::tempdir().unwrap();
    let mut session = wal::open(scenario, &arguments(scenario, given, folder.path()), Bench::without_host()).unwrap();
    assert_eq!(session.iterate(0).unwrap().operations, 0);
    let first = session.iterate(1).unwrap();
    let more = session.iterate(7).unwrap();
    assert_eq!((first.operations, more.operations, first.checksum), (1, 7, more.checksum), "{scenario} {given:?}");
    for check in session.verify().unwrap() {
        assert!(check.passed, "{scenario} {given:?}: {}: {}", check.name, check.detail);
    }
    drop(session);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{scenario} {given:?} leaves files");
}

/// Expects an error from opening.
#[track_caller]
fn refused(scenario: &str, given: &[(&str, Value)], expect: &str, is_environment: bool) {
    let folder = tempfile::tempdir().unwrap();
    let opened = wal::open(scenario, &arguments(scenario, given, folder.path()), Bench::without_host());
    let error = opened.err().expect("it is refused");
    assert!(error.to_string().contains(expect), "{error}");
    assert_eq!(error.is_environment(), is_environment, "{error}");
}

const MIB: i64 = 1 << 20;

#[test]
fn single_appends_pass_their_checks() {
    for durability in ["none", "process-crash", "interval", "group", "each"] {
        check("append", &[("durability", durability.into())]);
    }
    for page_state in ["fresh", "written", "resident"] {
        check("append", &[("page_state", page_state.into()), ("payload_bytes", 1024.into())]);
    }
    check("append", &[("rate", 1_000.into()), ("payload_bytes", 3.into())]);
}

#[test]
fn batches_pass_their_checks() {
    check("append-batch", &[("batch", 10_000.into())]);
    check("append-batch", &[("batch", 10.into()), ("durability", "group".into())]);
    check("append-batch", &[("batch", 1_000.into()), ("file", "new".into())]);
    // Five of these fill the new files, so that the log starts over.
    check("append-batch", &[("batch", 400.into()), ("payload_bytes", 65_536.into()), ("file", "new".into())]);
    refused(
        "append-batch",
        &[("batch", 10_000.into()), ("payload_bytes", 65_536.into())],
        "10000 payloads of 65536 bytes",
        true,
    );
}

#[test]
fn other_scenarios_pass_their_checks() {
    for threads in [1, 3, 16] {
        check("concurrent-append", &[("threads", threads.into())]);
    }
    for pattern in ["sequential", "random", "range"] {
        check("read", &[("pattern", pattern.into()), ("log_bytes", MIB.into())]);
    }
    check("segment-rotation", &[("segment_bytes", 65_536.into())]);
    check("segment-rotation", &[("segment_bytes", 65_536.into()), ("durability", "each".into())]);
    check("stream-memory", &[("streams", 1_000.into())]);
    check("message-conversion", &[("payload_bytes", 100.into())]);
    check("transaction", &[("entries", 3.into())]);
    check("transaction", &[("durability", "group".into())]);
    check("replay", &[("messages", 1_000.into())]);
    check("stress", &[("rate", 1_000.into())]);
    for limit in ["memcpy", "crc32c", "append", "fdatasync", "scan"] {
        check("machine-limits", &[("limit", limit.into()), ("bytes", 65_536.into())]);
    }
}

#[test]
fn each_damage_and_policy_has_its_expected_recovery() {
    for state in ["clean", "torn", "corrupted"] {
        for policy in ["fail", "truncate", "skip"] {
            for mode in ["fast", "thorough"] {
                let given = [
                    ("state", state.into()),
                    ("policy", policy.into()),
                    ("mode", mode.into()),
                    ("wal_bytes", MIB.into()),
                ];
                check("recovery", &given);
            }
        }
    }
    // Enough segments for numbers of two digits, with the damage in one in the middle.
    check("recovery", &[("wal_bytes", (720 * MIB).into()), ("state", "corrupted".into())]);
}

#[test]
fn invalid_arguments_are_refused_with_a_reason() {
    refused("append", &[("durability", "eventual".into())], "give one of process-crash, none", false);
    refused("stress", &[("rate", 0.into())], "`rate` is 0", false);
    let arguments = arguments("append", &[], Path::new("/nowhere"));
    let error = wal::open("append", &arguments, Bench::without_host()).err().unwrap();
    assert!(error.is_environment() && error.to_string().contains("/nowhere"), "{error}");
    assert!(wal::open("nothing", &arguments, Bench::without_host()).is_err());
}
