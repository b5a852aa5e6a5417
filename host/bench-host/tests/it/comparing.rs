//! `compare` on arms, engine settings and runs: its results, and what it withholds and refuses.

use crate::host::{Host, Ran, cells};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const GOOD: &str = "compare hostile/good --modules . --quick";

/// The comparisons of a document.
fn comparisons(document: &Value) -> &Vec<Value> {
    document["comparisons"].as_array().expect("a comparison has comparisons")
}

/// A copy of the run in `from` whose text was changed on purpose.
fn changed_run(from: &Path, name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let to = from.with_file_name(name);
    fs::create_dir(&to).unwrap();
    let text = fs::read_to_string(from.join("run.jsonl")).unwrap().replace("\"digest\"", "\"was\"");
    fs::write(to.join("run.jsonl"), change(text)).unwrap();
    to
}

fn load(host: &Host, options: &str) -> PathBuf {
    let before = host.runs();
    host.check(&format!("load hostile.wasm --filter hostile/good --quick --time 60ms {options}"), 0);
    host.runs().into_iter().find(|run| !before.contains(run)).expect("a run was made")
}

#[test]
fn both_arms_are_measured_interleaved_with_a_verdict() {
    let host = Host::with_hostile();
    let document = host.check(&format!("{GOOD} --format json"), 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert_eq!((&compared["scenario"], &compared["status"]), (&"hostile/good".into(), &"ok".into()));
    assert_eq!((&compared["baseline"]["arm"], &compared["contender"]["arm"]), (&"native".into(), &"wasm".into()));
    assert_eq!(compared["processes"], 3);
    for side in ["baseline", "contender"] {
        let compiler = compared[side]["compiler"].as_str().unwrap_or_default();
        assert!(compiler.contains("rustc"), "{side}: {compared:#}");
    }
    let ratio = &compared["ratio_of_medians"];
    let [low, middle, high] = ["low", "ratio", "high"].map(|name| ratio[name].as_f64().unwrap());
    assert!(0.0 < low && low <= middle && middle <= high, "{ratio}");
    let (base, candidate) = (&compared["baseline"]["p50_ns"], &compared["contender"]["p50_ns"]);
    let of_medians = candidate.as_f64().unwrap() / base.as_f64().unwrap();
    // Only roughly, because the ratio brings the processes to one level and other tests run at the same time. The tests of
    // `paired_ratios` hold the ratio to the medians exactly, on samples that are made up.
    let times = middle / of_medians;
    assert!((0.5..2.0).contains(&times), "{middle} is not the ratio of {candidate} and {base}");
    let verdict = compared["verdict"].as_str().unwrap();
    assert!(["different", "equivalent", "undecided"].contains(&verdict), "{verdict}");
    assert_eq!(compared["aa"].as_array().unwrap().len(), 2, "each arm is compared with itself");
    assert!(compared["band"]["high"].as_f64().unwrap() >= 1.0);

    let [ledger] = &document["ledgers"].as_array().unwrap()[..] else { panic!("{document:#}") };
    let mean = |value: &Value| value["mean"].as_f64().unwrap();
    let terms = ledger["terms"].as_array().unwrap();
    let names: Vec<_> = terms.iter().map(|term| term["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["entry", "lower", "guest", "host-calls", "host-transition", "lift", "residual"]);
    let sum: f64 = terms.iter().map(|term| mean(&term["ns"])).sum();
    let total = mean(&ledger["total_ns"]);
    // Each is printed with three digits.
    assert!((sum - total).abs() < total * 0.01, "the terms are {sum}, the total is {total}");

    let accounts = document["accounts"].as_array().unwrap();
    let of_wasm = accounts.iter().find(|account| account["arm"] == "wasm").unwrap();
    assert!(of_wasm["instructions"].as_f64().unwrap() > 0.0, "{of_wasm:#}");
    assert!(of_wasm["code_bytes"].as_u64().unwrap() > 0, "{of_wasm:#}");
    let of_native = accounts.iter().find(|account| account["arm"] == "native").unwrap();
    assert!(of_native["instructions"].is_null(), "what cannot be counted is absent: {of_native:#}");
}

#[test]
fn module_file_alone_has_its_arms_compared() {
    let host = Host::with_hostile();
    let line = "compare hostile.wasm hostile/good --quick --processes 2 --format json";
    let document = host.check(line, 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert_eq!((&compared["scenario"], &compared["status"]), (&"hostile/good".into(), &"ok".into()));
    assert_eq!((&compared["baseline"]["arm"], &compared["contender"]["arm"]), (&"native".into(), &"wasm".into()));
}

#[test]
fn comparison_read_from_its_run_file_is_the_same() {
    let host = Host::with_hostile();
    let first = host.check(&format!("{GOOD} --format json"), 0).json();
    let run = host.run();
    let again = host.check(&format!("compare {} --format json", run.display()), 0).json();
    assert_eq!(first["comparisons"], again["comparisons"]);
    assert_eq!(first["ledgers"], again["ledgers"]);
    let table = host.check(&format!("compare {}", run.display()), 0).stdout;
    for part in ["hostile/good", "wasm / native", "residual", "A/A"] {
        assert!(table.contains(part), "{part:?} is not in:\n{table}");
    }
    // It is a run like any other, too.
    let listed = host.check(&format!("list --run {} --format json", run.display()), 0).json();
    assert_eq!(listed["cells"].as_array().unwrap().len(), 2);
}

#[test]
fn arms_with_different_results_have_no_ratio() {
    let host = Host::with_hostile();
    let document = host.check("compare hostile/arms-differ --modules . --quick --format json", 1).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert!(compared["ratio_of_medians"].is_null() && compared["verdict"].is_null(), "{compared:#}");
    let reason = compared["reason"].as_str().unwrap();
    for part in ["the checksum of native is 0000000000000000", "that of wasm is 0000000000000001"] {
        assert!(reason.contains(part), "{part:?} is not in: {reason}");
    }
}

#[test]
fn failure_of_one_arm_only_removes_the_ratio() {
    let host = Host::with_hostile();
    let line = "compare hostile/{good,segfault,trap} --modules . --quick --deadline 5s --format json";
    let document = host.check(line, 1).json();
    let compared = |scenario: &str| {
        let of_scenario = |compared: &&Value| compared["scenario"] == format!("hostile/{scenario}").as_str();
        comparisons(&document).iter().find(of_scenario).unwrap_or_else(|| panic!("{document:#}"))
    };
    for (scenario, status) in [("good", "ok"), ("segfault", "failed"), ("trap", "failed")] {
        assert_eq!(compared(scenario)["status"], status, "{document:#}");
    }
    // The worker of all arms is gone, and still it is known which one it was.
    let reason = compared("segfault")["reason"].as_str().unwrap();
    assert!(reason.contains("SIGSEGV") && reason.contains("while doing the first operation of native"), "{reason}");
}

#[test]
fn what_the_first_verification_of_an_arm_found_is_kept() {
    let host = Host::with_hostile();
    host.check("compare hostile/bad-verify --modules . --quick", 1);
    let listed = host.check(&format!("list --run {} --format json", host.run().display()), 0).json();
    let failed = cells(&listed, "hostile/bad-verify").into_iter().find(|cell| cell["status"] == "failed").unwrap();
    let [check] = &failed["checks"].as_array().unwrap()[..] else { panic!("{failed:#}") };
    assert_eq!((&check["name"], &check["passed"]), (&"result".into(), &false.into()), "{failed:#}");
}

#[test]
fn missing_arm_is_reported_with_how_to_build_it() {
    let host = Host::with_hostile();
    fs::remove_file(host.path("hostile.so")).unwrap();
    host.check(GOOD, 2).one_line(&[
        "hostile/good has no arm native",
        "hostile.so does not exist",
        "cargo xtask plugins",
    ]);
    let ran = host.check("compare hostile/good --modules . --quick --arm wasm", 2);
    ran.one_line(&["at least two arms"]);
    host.check("compare results/a results/b --modules .", 2).one_line(&["results/a", "run directory"]);
}

#[test]
fn fewer_than_three_processes_give_a_ratio_without_verdict() {
    let host = Host::with_hostile();
    let document = host.check(&format!("{GOOD} --processes 2 --format json"), 0).json();
    let [compared] = &comparisons(&document)[..] else { panic!("{document:#}") };
    assert!(compared["ratio_of_medians"]["ratio"].as_f64().unwrap() > 0.0);
    assert_eq!(compared["verdict"], "withheld");
    let table = host.check(&format!("{GOOD} --processes 2"), 0).stdout;
    assert!(table.contains("withheld") && table.contains("--processes"), "{table}");
}

#[test]
fn every_engine_option_is_compared_with_the_default_settings() {
    let host = Host::with_hostile();
    let document = host.check(&format!("{GOOD} --engine all --format json"), 0).json();
    let mut variants: Vec<_> =
        comparisons(&document).iter().map(|compared| compared["contender"]["variant"].as_str().unwrap()).collect();
    variants.sort_unstable();
    // Winch and Pulley are there only with a cargo feature.
    variants.retain(|variant| !["pulley", "winch"].contains(variant));
    let expect = [
        "bounds",
        "concurrency",
        "epoch",
        "fuel",
        "inlining",
        "nan",
        "no-cow",
        "on-demand",
        "opt-none",
        "regalloc",
        "spectre",
    ];
    assert_eq!(variants, expect);
    for compared in comparisons(&document) {
        assert_eq!(
            (&compared["status"], &compared["baseline"]["variant"]),
            (&"ok".into(), &Value::Null),
            "{compared:#}"
        );
    }
    host.check(&format!("{GOOD} --engine warp"), 2).one_line(&["`warp`", "fuel"]);
}

#[test]
fn two_runs_are_compared_from_their_files() {
    let host = Host::with_hostile();
    let [a, b] = ["--processes 3", "--processes 3"].map(|options| load(&host, options));
    fs::remove_file(host.path("hostile.wasm")).unwrap();
    let line = format!("compare {} {} --format json", a.display(), b.display());
    let ran = Ran::of(&mut host.command(&line));
    assert!(matches!(ran.status, Some(0 | 1)), "{}", ran.stderr);
    let document = ran.json();
    assert_eq!(comparisons(&document).len(), 2, "one an arm: {document:#}");
    for compared in comparisons(&document) {
        assert_eq!(compared["processes"], 3);
        assert!(compared["ratio_of_medians"]["ratio"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn runs_of_other_machines_are_refused_without_an_option() {
    let host = Host::with_hostile();
    let here = load(&host, "--processes 3");
    let elsewhere = changed_run(&here, "elsewhere", |text| text.replace("\"cpus\":", "\"cpus\":1"));
    let line = format!("compare {} {}", here.display(), elsewhere.display());
    host.check(&line, 2).one_line(&["--across-machines"]);
    let ran = Ran::of(&mut host.command(&format!("{line} --across-machines")));
    assert!(matches!(ran.status, Some(0 | 1)), "{}", ran.stderr);
    assert!(ran.stdout.contains("machine"), "{}", ran.stdout);
}

#[test]
fn runs_with_different_results_have_no_ratio() {
    let host = Host::with_hostile();
    let right = load(&host, "--processes 3");
    let wrong = changed_run(&right, "wrong", |text| text.replace("\"checksum\":\"0", "\"checksum\":\"f"));
    let line = format!("compare {} {} --format json", right.display(), wrong.display());
    let document = host.check(&line, 1).json();
    for compared in comparisons(&document) {
        assert!(compared["ratio_of_medians"].is_null(), "{compared:#}");
        assert!(compared["reason"].as_str().unwrap().contains("checksum"), "{compared:#}");
    }
}
