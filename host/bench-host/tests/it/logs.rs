//! The write-ahead log from the suite to the targets: cells are checked against targets, whether or not this machine meets them.

use crate::host::{Host, Ran, cells, skip};
use crate::modules::project;
use serde_json::Value;
use std::path::PathBuf;

/// The folder of the probes, where the log's is built.
fn probes() -> Option<PathBuf> {
    let folder = project().join("native-probes");
    let probe = folder.join("wal").with_extension(std::env::consts::DLL_EXTENSION);
    if !probe.is_file() {
        skip("the probe wal is not built; run cargo xtask probes --profile dev");
        return None;
    }
    Some(folder)
}

/// Runs the words of `line` on the probes; the document.
fn run(host: &Host, probes: &PathBuf, line: &str) -> Value {
    let mut command = host.command(&format!("run {line} --format json --modules"));
    Ran::of(command.arg(probes)).check(line, 0).json()
}

#[test]
fn scenario_that_times_itself_is_in_the_table() {
    let Some(probes) = probes() else { return };
    let host = Host::new();
    let line = "wal/append wal/recovery --quick --processes 2 --iterations 50 \
                -p wal_bytes=1Mi -p payload_bytes=64 -p durability=process-crash";
    let document = run(&host, &probes, line);
    let [append] = cells(&document, "wal/append")[..] else { panic!("{document:#}") };
    let timed = &append["series"][0];
    assert_eq!((&timed["metric"], &timed["unit"]), (&"append".into(), &"ns".into()));
    assert_eq!(timed["count"], append["recorded"], "every operation was timed");
    assert_eq!(append["iterations"], append["recorded"]);
    assert_eq!(append["arguments"]["directory"], "@temp", "what is recorded is what was asked for");
    let recoveries = cells(&document, "wal/recovery");
    assert_eq!(recoveries.len(), 3, "whole, torn and corrupted");
    for cell in recoveries {
        let names: Vec<_> = cell["series"].as_array().unwrap().iter().map(|series| &series["metric"]).collect();
        assert_eq!(names, ["recovery", "raw_scan"], "{cell:#}");
    }
}

#[test]
fn cells_are_checked_against_targets_and_missing_ones_are_named() {
    let Some(probes) = probes() else { return };
    let host = Host::new();
    run(&host, &probes, "wal/stream-memory -p streams=100000,1000000 --processes 2 --iterations 2");
    let ran = Ran::of(&mut host.command("validate --targets wal --format json"));
    assert_eq!(ran.status, Some(2), "what was not measured is told: {}", ran.stdout);
    let document = ran.json();
    let verdict = |name: &str| {
        let targets = document["targets"].as_array().unwrap();
        targets.iter().find(|target| target["name"] == name).unwrap_or_else(|| panic!("{name}: {document:#}"))
    };
    // A count of bytes is the same on every machine.
    assert_eq!(verdict("memory")["verdict"], "pass", "{document:#}");
    assert_eq!(verdict("write")["verdict"], "not measured", "{document:#}");
    assert!(verdict("write")["reason"].as_str().unwrap().contains("no cell"), "{document:#}");
}

#[test]
fn rate_that_cannot_be_achieved_voids_the_cell() {
    let Some(probes) = probes() else { return };
    let host = Host::new();
    let line = "run wal/append -p rate=100000000 -p payload_bytes=1024 --quick --modules";
    let ran = Ran::of(host.command(line).arg(&probes)).check(line, 2);
    assert!(ran.stdout.contains("`achieved-rate` failed: asked for 100000000/s"), "{}", ran.stdout);
}
