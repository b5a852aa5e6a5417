//! `compare` on builds of one module, on scenarios side by side, and on the ladder.

use crate::host::Host;
use serde_json::Value;
use std::fs;

/// The comparisons of a document.
fn comparisons(document: &Value) -> &Vec<Value> {
    document["comparisons"].as_array().expect("a comparison has comparisons")
}

/// A folder with two builds of the hostile module, which are equal.
fn with_builds() -> Host {
    let host = Host::with_hostile();
    fs::copy(host.path("hostile.wasm"), host.path("new.wasm")).unwrap();
    fs::rename(host.path("hostile.wasm"), host.path("old.wasm")).unwrap();
    host
}

#[test]
fn builds_are_compared_under_their_names() {
    let host = with_builds();
    let document = host.check("compare old.wasm new.wasm hostile/good --quick --format json", 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert_eq!((&compared["baseline"]["variant"], &compared["contender"]["variant"]), (&"old".into(), &"new".into()));
    assert_eq!((&compared["baseline"]["arm"], &compared["status"]), (&"wasm".into(), &"ok".into()));
    assert!(compared["contender"]["module"]["file"].as_str().unwrap().ends_with("new.wasm"), "{compared:#}");
    assert_eq!(compared["aa"].as_array().unwrap().len(), 2);
    let accounts = document["accounts"].as_array().unwrap();
    let instructions: Vec<_> = accounts.iter().map(|account| account["instructions"].as_f64().unwrap()).collect();
    assert_eq!(instructions.len(), 2);
    assert!(instructions[0] > 0.0 && instructions[0] == instructions[1], "{instructions:?}");
    assert_eq!(document["ledgers"].as_array().unwrap().len(), 2, "each build has its cost breakdown");
    let table = host.check(&format!("compare {}", host.run().display()), 0).stdout;
    assert!(table.contains("wasm+new / wasm+old"), "{table}");
}

#[test]
fn variant_option_names_builds_and_a_filter_selects_scenarios() {
    let host = with_builds();
    let line =
        "compare --variant a=old.wasm --variant b=new.wasm --filter hostile/good --quick --processes 2 --format json";
    let document = host.check(line, 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert_eq!((&compared["baseline"]["variant"], &compared["contender"]["variant"]), (&"a".into(), &"b".into()));
    host.check("compare old.wasm --quick", 2).one_line(&["at least two builds"]);
    host.check("compare --variant a=old.wasm --variant a=new.wasm", 2).one_line(&["same name"]);
    host.check("compare old.wasm none.wasm", 2).one_line(&["none.wasm", "cannot be read"]);
}

#[test]
fn scenarios_are_compared_side_by_side_and_must_agree() {
    let host = Host::with_hostile();
    // One checksum is 1, the other 42.
    let line = "compare hostile/shout --against hostile/arms-differ --modules . --quick --format json";
    let document = host.check(line, 1).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert_eq!(compared["scenario"], "hostile/arms-differ");
    assert_eq!(compared["contender"]["variant"], "hostile/shout");
    assert!(compared["reason"].as_str().unwrap().contains("the arms disagree"), "{compared:#}");
    let line = "compare hostile/good --against hostile/good --modules . --quick";
    host.check(line, 2).one_line(&["two builds have the same name"]);
    let line = "compare hostile/good --against hostile/trap --modules . --quick";
    host.check(line, 2).one_line(&["is not in `hostile/good`"]);
}

#[test]
fn ladder_measures_what_there_is_and_says_what_is_missing() {
    let host = Host::with_hostile();
    let line = "compare hostile/good --ladder --modules . --quick --format json";
    let document = host.check(line, 0).json();
    let rungs = document["ladders"][0]["rungs"].as_array().unwrap();
    let measured: Vec<_> =
        rungs.iter().filter(|rung| rung["skipped"].is_null()).map(|rung| rung["rung"].as_str().unwrap()).collect();
    assert_eq!(measured[..5], ["native", "wasm", "bounds", "spectre", "opt-none"]);
    for rung in rungs.iter().filter(|rung| !rung["skipped"].is_null()) {
        let reason = rung["skipped"].as_str().unwrap();
        let next_steps = ["cargo xtask plugins hostile", "cargo feature `code-generators`"];
        assert!(next_steps.iter().any(|step| reason.contains(step)), "{rung:#}");
    }
    let slowest = rungs.iter().find(|rung| rung["rung"] == "opt-none").unwrap();
    assert!(slowest["ratio_to_native"]["ratio"].as_f64().unwrap() > 0.0, "{slowest:#}");
    assert!(slowest["ratio_to_previous"]["ratio"].as_f64().unwrap() > 0.0, "{slowest:#}");
    let table = host.check(&format!("compare {}", host.run().display()), 0).stdout;
    assert!(table.contains("no-simd skipped: "), "{table}");
    assert!(table.contains("at most 3 processes × 500 ms within 30 s for all arms"), "{table}");
    // As few as there was time for is no interruption.
    assert!(!table.contains("processes finished"), "{table}");
}
