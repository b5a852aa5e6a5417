//! `compare` on builds of one module, on scenarios side by side, and on the ladder.

use crate::host::{Host, Ran, skip};
use crate::modules;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

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
fn scenarios_of_two_modules_have_a_ratio_and_each_its_compiler() {
    let host = Host::with_hostile();
    if !modules::builds(&host, &modules::source("wrong.c"), &[]) {
        return;
    }
    let line = "compare wrong/right --against hostile/shout --arm native --modules . --quick --format json";
    let document = host.check(line, 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert_eq!((&compared["scenario"], &compared["status"]), (&"hostile/shout".into(), &"ok".into()), "{compared:#}");
    let of = |side: &str, name: &str| compared[side][name].as_str().unwrap_or_default().to_owned();
    for (side, scenario) in [("baseline", "hostile/shout"), ("contender", "wrong/right")] {
        assert_eq!((of(side, "variant"), of(side, "arm")), (scenario.to_owned(), "native".to_owned()));
        assert!(compared[side]["p50_ns"].as_f64().is_some_and(|ns| ns > 0.0), "{compared:#}");
    }
    let [low, ratio, high] = ["low", "ratio", "high"].map(|name| compared["ratio_of_medians"][name].as_f64().unwrap());
    assert!(0.0 < low && low <= ratio && ratio <= high, "{compared:#}");
    if cfg!(target_os = "linux") {
        let [rust, c] = ["baseline", "contender"].map(|side| of(side, "compiler"));
        assert!(rust.contains("rustc") && !c.is_empty() && !c.contains("rustc"), "{compared:#}");
    }
    let table = host.check(&format!("compare {}", host.run().display()), 0).stdout;
    assert!(table.contains("native+wrong/right") && table.contains("native+hostile/shout"), "{table}");
    assert!(!cfg!(target_os = "linux") || table.matches("compiled by ").count() == 2, "{table}");
}

#[test]
fn ladder_has_cost_breakdowns_where_they_are_asked_for() {
    let host = Host::with_hostile();
    let line = "compare hostile/good --ladder --breakdown --modules . --quick --processes 2 --time 400ms --format json";
    let document = host.check(line, 0).json();
    let arms: Vec<_> = document["ledgers"].as_array().unwrap().iter().map(|ledger| ledger["arm"].as_str()).collect();
    assert!(arms.len() >= 2 && arms.iter().all(|arm| *arm == Some("wasm")), "{arms:?}");
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
    // Room for each column, whatever marks the verdicts have.
    let line = format!("compare {}", host.run().display());
    let table = Ran::of(host.command(&line).env("COLUMNS", "200")).check(&line, 0).stdout;
    assert!(table.contains("no-simd skipped: "), "{table}");
    assert!(table.contains("at most 3 processes × 500 ms within 30 s for all arms"), "{table}");
    assert_eq!(document["ladders"][0]["baseline"], "native");
    assert!(table.contains("× native") && table.contains("faults"), "{table}");
    assert!(table.contains("what an operation of each rung used: --breakdown"), "{table}");
    let used = host.check(&format!("compare {} --breakdown", host.run().display()), 0).stdout;
    assert!(used.contains("minor faults") && !used.contains("--breakdown"), "{used}");
    // As few as there was time for is no interruption.
    assert!(!table.contains("processes finished"), "{table}");
}

/// The builds of the plug-in `kernels`, each with its place beside the component; `None`, with a message, if one is not built.
fn variants() -> Option<Vec<(PathBuf, String)>> {
    let component = modules::plugins(&["kernels"])?.remove(0);
    let library = modules::library("kernels");
    let names = [
        "kernels.wasm".to_owned(),
        library.clone(),
        "no-simd/kernels.wasm".to_owned(),
        format!("native-portable/{library}"),
        format!("native-dlmalloc/{library}"),
    ];
    let files: Vec<_> = names.into_iter().map(|name| (component.with_file_name(&name), name)).collect();
    if files.iter().all(|(file, _)| file.is_file()) {
        return Some(files);
    }
    skip("variants of the plug-ins are not built; run cargo xtask plugins kernels --variants");
    None
}

#[test]
fn builds_of_a_kernel_with_and_without_simd_are_compared() {
    let Some(files) = variants() else { return };
    let host = Host::new();
    fs::copy(&files[0].0, host.path("kernels-simd.wasm")).unwrap();
    fs::copy(&files[2].0, host.path("kernels.wasm")).unwrap();
    let line = "compare kernels.wasm kernels-simd.wasm kernels/substring --quick --format json";
    let document = host.check(line, 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    let variants = ["baseline", "contender"].map(|side| compared[side]["variant"].as_str());
    assert_eq!(variants, [Some("kernels"), Some("kernels-simd")], "{compared:#}");
    assert_eq!(compared["status"], "ok", "{compared:#}");
    let accounts = document["accounts"].as_array().unwrap();
    let instructions: Vec<_> = accounts.iter().map(|account| account["instructions"].as_f64().unwrap()).collect();
    let [one, other] = instructions[..] else { panic!("{accounts:#?}") };
    // The crate memchr looks at sixteen bytes at once.
    assert!(one.max(other) > 1.2 * one.min(other), "{instructions:?}");
}

#[test]
fn ladder_has_the_rungs_of_all_variants() {
    let Some(files) = variants() else { return };
    let host = Host::new();
    for (file, place) in &files {
        let place = host.path(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
    }
    let line = "compare kernels/sha256 --ladder --modules . --quick --format json";
    let document = host.check(line, 0).json();
    let rungs = document["ladders"][0]["rungs"].as_array().unwrap();
    for name in ["native", "portable", "dlmalloc", "wasm", "no-simd"] {
        let rung = rungs.iter().find(|rung| rung["rung"] == name).expect("the ladder has the rung");
        assert!(rung["skipped"].is_null(), "{name}: {rung:#}");
    }
}
