//! `compare --decide` and `doctor --prove`: verdicts by looks, and comparisons of known truth. No test asserts a verdict.

use crate::host::Host;
use serde_json::Value;
use std::fs;

const DECIDE: &str = "compare hostile/good --modules . --quick --decide --within 4s";

#[test]
fn comparison_goes_on_until_it_is_decided_or_the_time_is_spent() {
    let host = Host::with_hostile();
    let document = host.check(&format!("{DECIDE} --format json"), 0).json();
    let comparison = &document["comparisons"][0];
    let verdict = comparison["verdict"].as_str().unwrap_or_else(|| panic!("{document:#}"));
    assert!(["different", "equivalent", "undecided", "withheld"].contains(&verdict), "{verdict}");
    let text = fs::read_to_string(host.run().join("run.jsonl")).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let looks: Vec<&Value> = records.iter().filter(|record| record["record"] == "look").collect();
    let spent: Vec<f64> = looks.iter().map(|look| look["spent"].as_f64().unwrap()).collect();
    assert!(
        !spent.is_empty() && spent.is_sorted() && spent.iter().all(|share| (0.0..=1.0).contains(share)),
        "{spent:?}"
    );
    // Either the last look decided it, or the time was spent.
    let is_decided = ["different", "equivalent"].contains(&verdict);
    assert!(is_decided || spent.last() == Some(&1.0), "{verdict} after {spent:?}");
    assert_eq!(records[0]["planned"]["within_ns"], 4_000_000_000_u64);
    let again = host.check(&format!("compare {} --format json", host.run().display()), 0).json();
    assert_eq!(document["comparisons"], again["comparisons"], "the run file is enough");
}

#[test]
fn decide_takes_a_time_and_no_other_effort() {
    let host = Host::with_hostile();
    host.check(&format!("{DECIDE} --processes 3"), 2).one_line(&["--within", "--processes"]);
    host.check("compare hostile/good --modules . --within 4s", 2);
}

#[test]
fn every_repetition_keeps_the_layout_that_was_drawn_for_it() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --quick --processes 3 --seed 5", 0);
    let runs: Vec<_> = host.runs().into_iter().filter(|run| run.is_dir()).collect();
    let text = fs::read_to_string(runs[0].join("run.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let layouts: Vec<Value> =
        records.filter(|record| record["record"] == "outcome").map(|record| record["layout"].clone()).collect();
    assert!(layouts.len() >= 3, "{layouts:?}");
    for layout in &layouts {
        for offset in ["environment_bytes", "stack_bytes", "heap_bytes"] {
            assert!(layout[offset].as_u64().is_some_and(|bytes| bytes < 4096), "{layout:#}");
        }
    }
    assert!(layouts.iter().any(|layout| *layout != layouts[0]), "each process has its own: {layouts:?}");
}

#[test]
fn class_of_each_repetition_is_in_the_run_file_and_in_the_document() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/good --quick --processes 3 --seed 5 --format json";
    let document = host.check(line, 0).json();
    let text = fs::read_to_string(host.run().join("run.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let kept: Vec<Value> =
        records.filter(|record| record["record"] == "outcome").map(|record| record["steadiness"].clone()).collect();
    let classes = ["flat", "warm-up", "slow-down", "no-steady-state"];
    let is_known = |class: &Value| class.as_str().is_some_and(|class| classes.contains(&class));
    assert!(kept.len() >= 3 && kept.iter().all(is_known), "{kept:?}");
    let cells = document["cells"].as_array().unwrap();
    let counts = cells.iter().flat_map(|cell| cell["steadiness"].as_object().unwrap().values());
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), kept.len() as u64, "{document:#}");
}

#[test]
fn comparisons_of_known_truth_are_counted() {
    let host = Host::new();
    let ran = crate::host::Ran::of(&mut host.command("doctor --quick --prove 1s --format json"));
    assert!(matches!(ran.status, Some(0 | 1)), "{}", ran.stderr);
    let proof = &ran.json()["proof"];
    let trials = proof["trials"].as_u64().unwrap();
    assert!(trials >= 1, "{proof:#}");
    let differences = proof["differences"].as_array().unwrap();
    let permille: Vec<_> = differences.iter().map(|one| one["permille"].as_u64().unwrap()).collect();
    assert_eq!(permille, [0, 2, 5, 10, 20, 50]);
    assert!(differences.iter().all(|one| one["different"].as_u64().unwrap() <= trials), "{proof:#}");
    let longer = proof["longer"].as_array().unwrap();
    let seconds: Vec<_> = longer.iter().map(|one| one["seconds"].as_u64().unwrap()).collect();
    assert_eq!(seconds, [60, 600]);
    assert!(longer.iter().all(|one| one["comparisons"] == 0 && one["extrapolated"].is_number()), "{proof:#}");
}
