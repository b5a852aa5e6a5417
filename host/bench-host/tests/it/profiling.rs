//! `profile`: which functions a cell spends its time in, in both arms. Skipped where there is no profiler.

use crate::host::{Host, skip};
use crate::modules::{plugins, project};
use std::fs;
use std::process::Command;

/// Whether the profiler can be used here.
fn has_perf(host: &Host) -> bool {
    let data = host.path("perf.data");
    let ran =
        Command::new("perf").args(["record", "-q", "-e", "cpu-clock", "-o"]).arg(&data).args(["--", "true"]).output();
    ran.is_ok_and(|output| output.status.success())
}

#[test]
fn functions_of_both_arms_are_named_and_compared() {
    let host = Host::new();
    if !has_perf(&host) {
        return skip("`perf record` does not work here");
    }
    if plugins(&["kernels"]).is_none() {
        return;
    }
    let line = format!(
        "profile kernels/json-parse --arm wasm,native --time 500ms --modules {}",
        project().join("plugins").display()
    );
    let document = host.check(&format!("{line} --format json"), 0).json();
    let cells = document["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2, "{document:#}");
    for cell in cells {
        assert!(cell["samples"].as_u64().unwrap() > 0 && cell["operations"].as_u64().unwrap() > 0, "{cell:#}");
        let functions = cell["functions"].as_array().unwrap();
        let is_own =
            |function: &&serde_json::Value| function["owner"] == "guest" && function["own_ns"].as_u64().unwrap() > 0;
        let guest: Vec<&str> =
            functions.iter().filter(is_own).map(|function| function["name"].as_str().unwrap()).collect();
        assert!(guest.iter().any(|name| name.contains("kernels::")), "{}: {guest:?}", cell["arm"]);
    }
    let [difference] = &document["differences"].as_array().unwrap()[..] else { panic!("{document:#}") };
    assert_eq!((&difference["baseline"], &difference["candidate"]), (&"native".into(), &"wasm".into()));
    assert!(difference["candidate_matched"].as_f64().unwrap() > 0.0, "{difference:#}");
    let directory = host.runs().into_iter().find(|path| path.to_string_lossy().ends_with("-profile")).unwrap();
    let names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for end in [".svg", ".folded", ".firefox.json"] {
        assert_eq!(names.iter().filter(|name| name.ends_with(end)).count(), 2, "{end}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.ends_with(".perf")), "what perf wrote is removed: {names:?}");
}

#[test]
fn cells_are_listed_without_profiling_them() {
    let host = Host::with_hostile();
    let listed = host.check("profile hostile/good --modules . --dry-run", 0).stdout;
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["hostile/good wasm n=1", "hostile/good native n=1"], "{listed}");
    assert!(host.runs().is_empty());
}
