//! Runs of correct modules: every cell in both arms, with equal results and consistent counts.

use crate::host::{Host, Ran, cells};
use crate::modules::plugins;
use serde_json::Value;
use std::collections::HashMap;

#[test]
fn every_plugin_is_ok_in_both_arms_with_equal_results() {
    let Some(files) = plugins(&["ring-client", "overhead", "kernels"]) else { return };
    let host = Host::new();
    // Of the sizes of messages the smallest and the largest; each size is also combined with every transport and placement.
    let line = "load --quick --time 20ms -p payload_bytes=64,65536 --format json";
    let ran = Ran::of(host.command(line).args(files)).check(line, 0);
    let document = ran.json();
    let cells = document["cells"].as_array().unwrap();
    assert!(cells.len() >= 2 * (2 + 2 + 4), "{} cells", cells.len());
    let mut arms: HashMap<String, Vec<(&Value, &Value)>> = HashMap::new();
    // Two processes that spin cannot take turns on one processor, which no arm can.
    let cannot_be =
        |cell: &&Value| cell["reason"].as_str().is_some_and(|reason| reason.contains("spinning needs two cores"));
    for cell in cells.iter().filter(|cell| !cannot_be(cell)) {
        check(cell);
        let key = format!("{} {}", cell["scenario"], cell["arguments"]);
        arms.entry(key).or_default().push((&cell["arm"], &cell["checksum"]));
    }
    for (key, mut found) in arms {
        found.sort_by_key(|(arm, _)| arm.to_string());
        assert!(
            matches!(found[..], [(native, a), (wasm, b)] if native == "native" && wasm == "wasm" && a == b),
            "{key}: {found:?}"
        );
    }
}

#[track_caller]
fn check(cell: &Value) {
    assert_eq!(cell["status"], "ok", "{cell:#}");
    assert_eq!((&cell["processes"], &cell["planned_processes"]), (&1.into(), &1.into()), "{cell:#}");
    let checks = cell["checks"].as_array().unwrap();
    assert!(!checks.is_empty() && checks.iter().all(|check| check["passed"] == true), "{cell:#}");
    let name = cell["scenario"].as_str().unwrap().split_once('/').unwrap().1;
    let series = cell["series"].as_array().unwrap();
    let timed = series.iter().find(|series| series["metric"] == name).expect("a cell has its timed series");
    let count = timed["count"].as_u64().unwrap();
    assert_eq!(cell["iterations"], count * timed["batch"].as_u64().unwrap(), "{cell:#}");
    assert_eq!(cell["recorded"], count, "{cell:#}");
    series.iter().for_each(check_quantiles);
}

/// A quantile is shown if and only if at least ten samples lie beyond it.
#[track_caller]
fn check_quantiles(series: &Value) {
    let count = series["count"].as_u64().unwrap();
    for (name, needed) in [("p50", 20), ("p90", 100), ("p99", 1_000), ("p999", 10_000)] {
        assert_eq!(series[name].is_number(), count >= needed, "{name} of {series:#}");
    }
    for name in ["min", "mean", "max"] {
        assert!(series[name].is_number(), "{name} of {series:#}");
    }
}

#[test]
fn figures_are_over_several_processes() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/good --quick --time 20ms --processes 3 --format json";
    let document = host.check(line, 0).json();
    for cell in cells(&document, "hostile/good") {
        assert_eq!((&cell["processes"], &cell["planned_processes"]), (&3.into(), &3.into()), "{cell:#}");
    }
    assert_eq!(document["run"]["calibration"].as_object().unwrap().len(), bench_model::MachineLimit::ALL.len());
}

#[test]
fn iterations_option_is_a_minimum() {
    let host = Host::with_hostile();
    let document =
        host.check("load hostile.wasm --filter hostile/good --quick --iterations 5000 --format json", 0).json();
    for cell in cells(&document, "hostile/good") {
        assert!(cell["iterations"].as_u64().unwrap() >= 5000, "{cell:#}");
    }
}

#[test]
fn every_format_shows_the_same_run() {
    let host = Host::with_hostile();
    let first = host.check("load hostile.wasm --filter hostile/good --quick --time 20ms --format json", 0).json();
    let run = host.run();
    let list = |format: &str| host.check(&format!("list --run {} --format {format}", run.display()), 0);
    let again = list("json").json();
    assert_eq!(again["cells"], first["cells"]);
    assert_eq!(list("csv").stdout.lines().filter(|line| line.contains("hostile/good")).count(), 2);
    assert_eq!(list("markdown").stdout.lines().filter(|line| line.starts_with("| hostile/good")).count(), 2);
    let table = list("table").stdout;
    assert!(
        ["hostile/good", "  wasm", "  native"].iter().all(|begin| table.contains(&format!("\n{begin}"))),
        "{table}"
    );
}
