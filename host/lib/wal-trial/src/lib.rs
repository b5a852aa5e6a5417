//! Helpers for the tests of probes of write-ahead logs; each panics if the log or the session misbehaves.

#![cfg(target_os = "linux")]

use bench_model::{Arguments, ModuleError, Session, Value};
use probe_abi::Probe;
use std::fs;
use std::path::Path;
use wal_load::self_timed::Bench;
use wal_load::{Journal, Payloads, ReadBack};

/// Opens a session of a probe: scenario, arguments, and where samples go.
pub type Open = fn(&str, &Arguments, Bench) -> Result<Box<dyn Session>, ModuleError>;

/// Expects the last `wanted` of the payloads so far to be read back as they were.
#[track_caller]
pub fn check(journal: &mut impl Journal, payloads: &Payloads, wanted: u64) {
    let mut read_back = ReadBack::of_newest(payloads.count(), wanted);
    journal.read_last(wanted, &mut |payload| read_back.take(payloads, payload)).expect("the log can be read");
    for check in read_back.checks(payloads, wanted) {
        assert!(check.passed, "{}: {}", check.name, check.detail);
    }
}

/// Appends the next `count` payloads as a batch, as a session does.
#[track_caller]
pub fn batch<J: Journal>(journal: &mut J, payloads: &mut Payloads, count: usize) {
    journal.make_way(count as u64, payloads.bytes()).expect("maintenance succeeds");
    journal.append_batch(&J::prepare(payloads.advance_batch(count))).expect("a batch is appended");
}

/// Expects the payloads of a new log to be readable, and readable again after it is reopened.
#[track_caller]
pub fn check_reopened<J: Journal>(payload_bytes: usize, open: impl Fn(&Path) -> Result<J, ModuleError>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut payloads = Payloads::new(payload_bytes, 10).expect("ten payloads");
    let mut journal = open(folder.path()).expect("a new log is opened");
    check(&mut journal, &payloads, 0);
    for number in 0..10 {
        assert_eq!(journal.append(payloads.advance()).expect("a payload is appended"), number);
    }
    batch(&mut journal, &mut payloads, 10);
    check(&mut journal, &payloads, 20);
    drop(journal);
    let mut journal = open(folder.path()).expect("the log is opened again");
    check(&mut journal, &payloads, 20);
    journal.append(payloads.advance()).expect("a payload is appended to it");
    check(&mut journal, &payloads, 1);
}

/// Expects a few operations of `scenario`, with the defaults changed by `given`, to pass every check and to leave no file.
#[track_caller]
pub fn check_session<P: Probe>(open: Open, scenario: &str, given: &[(&str, Value)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut session = open(scenario, &arguments::<P>(scenario, given, folder.path()), Bench::without_host())
        .unwrap_or_else(|error| panic!("{scenario} {given:?}: {error}"));
    for times in [0, 1, 7] {
        assert_eq!(session.iterate(times).expect("operations succeed").operations, times);
        for check in session.verify().expect("verification succeeds") {
            assert!(check.passed, "{scenario} {given:?}: {}: {}", check.name, check.detail);
        }
    }
    drop(session);
    let left = fs::read_dir(folder.path()).expect("the folder is there").count();
    assert_eq!(left, 0, "{scenario} {given:?} leaves files");
}

/// Expects opening `scenario` to fail because of the environment, with an error that contains `expect`.
#[track_caller]
pub fn check_refused<P: Probe>(open: Open, scenario: &str, given: &[(&str, Value)], expect: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let opened = open(scenario, &arguments::<P>(scenario, given, folder.path()), Bench::without_host());
    let error = opened.err().unwrap_or_else(|| panic!("{scenario} {given:?} is not refused"));
    assert!(error.is_environment() && error.to_string().contains(expect), "{scenario} {given:?}: {error}");
}

fn arguments<P: Probe>(scenario: &str, given: &[(&str, Value)], folder: &Path) -> Arguments {
    let descriptor = P::describe();
    descriptor.validate().expect("a valid descriptor");
    let known = descriptor.scenarios.iter().find(|known| known.name == scenario).expect("a scenario of the probe");
    let defaults = known.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone()));
    let mut arguments: Arguments = defaults.collect();
    for (name, value) in given {
        assert!(arguments.get(name).is_some(), "{scenario} has no parameter {name}");
        arguments.set(*name, value.clone());
    }
    arguments.set("directory", folder.to_str().expect("a path that is text"));
    arguments
}
