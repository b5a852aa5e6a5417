//! `check` finds the mistakes that authors make, says what to do about each, and is never weaker than `load`.

use crate::host::{Host, eventually};
use crate::modules::{builds, library, source};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{self, File};

/// A folder with the probe `wrong`; `None`, with a message, if there is no C compiler.
fn wrong() -> Option<Host> {
    let host = Host::new();
    builds(&host, &source("wrong.c"), &[]).then_some(host)
}

/// The rules of the first module that a scenario breaks, each with its detail; those of the module with `None`.
fn broken(document: &Value, scenario: Option<&str>) -> Vec<String> {
    let rules = document["modules"][0]["rules"].as_array().expect("rules");
    let of_scenario = |rule: &&Value| rule["scenario"].as_str() == scenario && rule["outcome"] == "broken";
    let line = |rule: &Value| format!("{}: {}", rule["rule"].as_str().unwrap(), rule["detail"].as_str().unwrap());
    rules.iter().filter(of_scenario).map(line).collect()
}

#[test]
fn each_mistake_is_found_with_its_remedy() {
    let Some(host) = wrong() else { return };
    let document = host.check(&format!("check {} --format json", library("wrong")), 1).json();
    for right in ["right", "ends-first"] {
        assert_eq!(broken(&document, Some(right)), [""; 0], "{document:#}");
    }
    for (scenario, expect) in [
        ("does-one", "time grows with the number of operations: "),
        ("bytes", "is measured as `load` does: "),
        ("edge", "works at an edge of its domain: n=0: the worker was killed by SIGABRT"),
        ("default", "works with a further default: step=2: "),
        ("leak", "memory does not grow with the operations: "),
        ("print", "operations print nothing: "),
        ("twice", "names of checks are unique: twice: value; give each check its own name"),
        ("unrecorded", "declared metrics are recorded: no samples of lag; record them in `iterate`"),
        ("metric-unit", "samples are in base units: `nsec` of the metric `lag`; record samples in ns, By or 1"),
        ("unit", "unit is known: `bytez` of the parameter `size`; use a UCUM name"),
        ("capability", "capability is known: `gpu`; use one of probe:NAME"),
        ("driver", "driver is known: `wrkload`; use one of workload"),
    ] {
        let found = broken(&document, Some(scenario));
        assert!(found.iter().any(|line| line.starts_with(expect)), "{scenario}: {found:#?}");
    }
    assert_eq!(broken(&document, Some("default")).len(), 1, "{document:#}");
    let printed = document["modules"][0]["printed"].as_array().expect("lines");
    assert!(printed.iter().any(|line| line == "divided by n"), "{printed:?}");
    assert_eq!(document["broken"].as_u64().map(|broken| broken >= 12), Some(true));
}

#[test]
fn each_subtle_mistake_is_found_with_its_remedy() {
    let host = Host::new();
    if !builds(&host, &source("subtle.c"), &[]) {
        return;
    }
    let document = host.check(&format!("check {} --format json", library("subtle")), 1).json();
    for right in ["by-argument", "own-right"] {
        assert_eq!(broken(&document, Some(right)), [""; 0], "{document:#}");
    }
    assert_eq!(broken(&document, None), [""; 0], "{document:#}");
    for (scenario, expect) in [
        ("own-long", "is measured as `load` does: it recorded a time of 300"),
        ("own-nothing", "is measured as `load` does: "),
        ("own-bytes", "is measured as `load` does: "),
        ("zero", "iterate(0) executes 0 operations: 1 reported; execute `times` operations, also for 0"),
        ("one", "iterate(1) executes 1 operations: 2 reported"),
        // As many as a slow machine has time for.
        ("many", "iterate("),
        ("unverified", "verify returns at least one check: 0 checks; compare the result"),
        ("undeclared", "every series is opened: metric `pace` is not declared by the scenario; declare each metric"),
        ("stray", "iterate(1) executes 1 operations: `iterate` broke the contract: it appended samples to series"),
        ("by-process", "two processes have equal checksums: "),
        ("by-session", "equal arguments have equal checksums: "),
        ("one-session", "a second session works: there was a session before; share no state between sessions"),
        ("accepts", "unknown scenario is refused with the right error: it was opened; compare the name"),
    ] {
        let found = broken(&document, Some(scenario));
        assert!(found.iter().any(|line| line.starts_with(expect)), "{scenario}: {found:#?}");
    }
    // What only follows from it is not told.
    let alone = ["own-long", "own-nothing", "own-bytes", "undeclared", "stray", "by-process", "by-session", "accepts"];
    for scenario in alone {
        assert_eq!(broken(&document, Some(scenario)).len(), 1, "{scenario}: {document:#}");
    }
    for (scenario, expect) in
        [("own-nothing", "which no processor can do"), ("own-bytes", "× as fast as this processor reads its cache")]
    {
        let found = broken(&document, Some(scenario));
        assert!(found.iter().any(|line| line.contains(expect)), "{scenario}: {found:#?}");
    }
    let rules = document["modules"][0]["rules"].as_array().expect("rules");
    let of_argument = |rule: &str| rules.iter().find(|one| one["scenario"] == "by-argument" && one["rule"] == rule);
    let outcome = |rule: &str| of_argument(rule).map(|rule| (rule["outcome"].as_str(), rule["detail"].as_str()));
    assert_eq!(outcome("declared metrics are recorded"), Some((Some("held"), Some("1 metrics"))), "{document:#}");
    assert_eq!(outcome("works with its further defaults"), Some((Some("held"), Some("step=2"))), "{document:#}");
}

#[test]
fn metric_of_other_arguments_is_not_missing_where_one_is_chosen() {
    let host = Host::new();
    if !builds(&host, &source("subtle.c"), &[]) {
        return;
    }
    let document = host.check(&format!("check {} -p step=1 --format json", library("subtle")), 1).json();
    let rules = document["modules"][0]["rules"].as_array().expect("rules");
    let is_of_metrics =
        |rule: &&Value| rule["scenario"] == "by-argument" && rule["rule"] == "declared metrics are recorded";
    let found = rules.iter().find(is_of_metrics).unwrap_or_else(|| panic!("{document:#}"));
    let detail = found["detail"].as_str().unwrap_or_default();
    assert!(found["outcome"] == "skipped" && detail.starts_with("no samples of lag with the given values"), "{found}");
}

#[test]
fn module_that_describes_itself_otherwise_in_each_process_is_found() {
    let host = Host::new();
    if !builds(&host, &source("subtle.c"), &["IMPURE"]) {
        return;
    }
    let document = host.check(&format!("check {} --within 1ms --format json", library("subtle")), 1).json();
    let found = broken(&document, None);
    let expect = "describes itself in the same way each time: two processes were told different things; ";
    assert!(found.len() == 1 && found[0].starts_with(expect), "{found:#?}");
}

#[test]
fn scenarios_that_the_time_does_not_allow_are_named() {
    let Some(host) = wrong() else { return };
    let document = host.check(&format!("check {} --within 1ms --format json", library("wrong")), 1).json();
    let rules = document["modules"][0]["rules"].as_array().expect("rules");
    let further: Vec<_> = rules.iter().filter(|rule| rule["rule"] == "further scenarios").collect();
    assert_eq!(further.len(), 1, "{document:#}");
    let detail = further[0]["detail"].as_str().expect("a detail");
    assert_eq!((&further[0]["outcome"], detail.ends_with("allow more with --within")), (&"skipped".into(), true));
    let is_measured = |rule: &&serde_json::Value| rule["rule"] == "is measured as `load` does";
    assert_eq!(rules.iter().filter(is_measured).count(), 1, "only the first is tested: {document:#}");
}

#[test]
fn load_has_no_figure_that_cannot_be() {
    let Some(host) = wrong() else { return };
    let check = |scenario: &str, status: &str, expect: &str| {
        let line = format!("load {} --filter wrong/{scenario} --quick --quiet --format json", library("wrong"));
        let document = host.check(&line, if status == "ok" { 0 } else { 1 }).json();
        let cell = &document["cells"][0];
        assert_eq!(cell["status"], status, "{cell:#}");
        assert!(cell["reason"].as_str().unwrap_or_default().contains(expect), "{cell:#}");
        let has_figure = cell["series"].as_array().is_some_and(|series| !series.is_empty());
        assert_eq!(has_figure, status == "ok", "{cell:#}");
    };
    check("right", "ok", "");
    check("does-one", "failed", "which no processor can do");
    check("bytes", "failed", "× as fast as this processor reads its cache");
}

#[test]
fn comparison_has_no_ratio_of_figures_that_cannot_be() {
    let Some(host) = wrong() else { return };
    fs::create_dir(host.path("old")).unwrap();
    // Another build.
    let bytes = [fs::read(host.path(library("wrong"))).unwrap(), vec![0]].concat();
    fs::write(host.path(format!("old/{}", library("wrong"))), bytes).unwrap();
    let check = |scenario: &str, exit: i32, expect: Option<&str>| {
        let file = library("wrong");
        let line = format!("compare old/{file} {file} --filter wrong/{scenario} --quick --quiet --format json");
        let document = host.check(&line, exit).json();
        let compared = &document["comparisons"][0];
        assert_eq!(compared["ratio_of_medians"].is_null(), expect.is_some(), "{compared:#}");
        assert!(compared["reason"].as_str().unwrap_or_default().contains(expect.unwrap_or_default()), "{compared:#}");
    };
    check("right", 0, None);
    check("does-one", 1, Some("which no processor can do"));
    check("bytes", 1, Some("× as fast as this processor reads its cache"));
}

#[test]
fn sensitivity_is_tested_on_request() {
    let Some(host) = wrong() else { return };
    let document = host.check(&format!("check {} --sensitivity --format json", library("wrong")), 1).json();
    let rules = document["modules"][0]["rules"].as_array().expect("rules");
    let outcome = |scenario: &str, rule: &str| {
        let found = rules.iter().find(|one| one["scenario"] == scenario && one["rule"] == rule);
        found.map(|found| (found["outcome"].as_str().unwrap(), found["detail"].as_str().unwrap()))
    };
    let (burdened, detail) = outcome("right", "a comparison sees 2 % more work").expect("it is tested");
    // On a busy machine it is not decided; what executes its operations is never at fault.
    assert!(["held", "skipped"].contains(&burdened), "{detail}");
    let corrupted = outcome("right", "verify sees a corrupted result").expect("it is tested");
    assert_eq!(corrupted.0, "skipped", "{corrupted:?}");
    assert!(corrupted.1.contains("the component of the same source"), "{corrupted:?}");
    assert_eq!(outcome("does-one", "a comparison sees 2 % more work"), None, "another rule is broken already");
}

#[test]
fn given_values_are_all_tested() {
    let Some(host) = wrong() else { return };
    let document = host.check(&format!("check {} -p n=0 -p n=5 --format json", library("wrong")), 1).json();
    let rules = document["modules"][0]["rules"].as_array().expect("rules");
    let of = |label: &str| -> Vec<&Value> { rules.iter().filter(|rule| rule["scenario"] == label).collect() };
    assert!(of("edge n=0").iter().any(|rule| rule["outcome"] == "broken"), "{document:#}");
    assert!(of("edge n=5").iter().all(|rule| rule["outcome"] == "held") && !of("edge n=5").is_empty(), "{document:#}");
    let refused = host.check(&format!("check {} -p n=10", library("wrong")), 2).stderr;
    assert!(refused.contains('n') && refused.contains("10"), "{refused}");
}

#[test]
fn results_are_printed_for_services_that_show_tests() {
    let Some(host) = wrong() else { return };
    let text = host.check(&format!("check {} --format junit", library("wrong")), 1).stdout;
    assert!(
        text.starts_with("<?xml") && text.contains("<failure message=") && text.ends_with("</testsuites>\n"),
        "{text}"
    );
    let text = host.check(&format!("check {0} {0}x", library("wrong")), 1).stdout;
    assert!(text.lines().last().is_some_and(|line| line.starts_with("2 modules: ")), "{text}");
}

#[test]
fn watch_checks_again_after_each_change_until_it_is_interrupted() {
    let host = Host::new();
    fs::write(host.path("a.wasm"), "one").unwrap();
    let (output, messages) = (host.path("output"), host.path("messages"));
    let mut command = host.command("check a.wasm --watch");
    command.stdout(File::create(&output).unwrap()).stderr(File::create(&messages).unwrap());
    let mut child = command.spawn().expect("the program starts");
    let waits = |times: usize| fs::read_to_string(&messages).unwrap().matches("waiting for a change").count() == times;
    eventually("it has checked once", || waits(1));
    let first = fs::read_to_string(&output).unwrap();
    assert!(first.contains("not a WebAssembly file"), "{first}");
    fs::write(host.path("a.wasm"), "two").unwrap();
    eventually("it has checked again", || waits(2));
    assert_eq!(fs::read_to_string(&output).unwrap(), first.repeat(2));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "a finding");
}
