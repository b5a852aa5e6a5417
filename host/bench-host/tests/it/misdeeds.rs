//! Hostile modules: their cells fail with the right reason and without figure, and do not affect other cells.

use crate::host::{Host, cells};
#[cfg(target_os = "linux")]
use crate::modules::{builds, library, project};
use serde_json::Value;
use std::fs;

/// The expected reason of each scenario: in the component, and in the probe.
const DEEDS: &[(&str, Deed, Deed)] = &[
    ("trap", Deed::Failed("a deliberate panic"), Deed::Failed("a deliberate panic")),
    (
        "loop",
        Deed::Failed("while doing the first operation, so the worker was killed; allow more time with --deadline"),
        Deed::Failed("while doing the first operation, so the worker was killed"),
    ),
    ("grow", Deed::Failed("the limit is 64 MiB; allow more with --memory"), Deed::Skipped("nothing bounds the memory")),
    ("checksum", Deed::Failed("the checksum changed from"), Deed::Failed("the checksum changed from")),
    (
        "wrong-count",
        Deed::Failed("it must execute and report exactly"),
        Deed::Failed("it must execute and report exactly"),
    ),
    (
        "bad-verify",
        Deed::Failed("check `result` failed: expected 1, found 2"),
        Deed::Failed("check `result` failed: expected 1, found 2"),
    ),
    ("no-verify", Deed::Failed("`verify` returned no checks"), Deed::Failed("`verify` returned no checks")),
    ("arms-differ", Deed::Failed("must yield equal results"), Deed::Failed("must yield equal results")),
    ("abort", Deed::Skipped("not in a component"), Deed::Failed("SIGABRT")),
    ("segfault", Deed::Skipped("not in a component"), Deed::Failed("SIGSEGV")),
    ("exit", Deed::Skipped("not in a component"), Deed::Failed("exited with status 3")),
    ("log-elsewhere", Deed::Skipped("is not a scratch folder of this session"), Deed::Skipped("is not a folder")),
    ("unavailable", Deed::Skipped("nothing here to measure it with"), Deed::Skipped("nothing here to measure it with")),
];

enum Deed {
    Failed(&'static str),
    Skipped(&'static str),
}

#[test]
fn every_misdeed_fails_only_its_cell_with_a_reason() {
    let host = Host::with_hostile();
    let document = host.check("load hostile.wasm --quick --deadline 3s --memory 64Mi --format json", 1).json();
    for (scenario, component, probe) in DEEDS {
        check(&document, scenario, "wasm", component);
        check(&document, scenario, "native", probe);
    }
    for scenario in ["hostile/good", "hostile/shout", "hostile/litter", "hostile/needless"] {
        for cell in cells(&document, scenario) {
            assert_eq!((&cell["status"], cell["series"].as_array().map(Vec::len)), (&"ok".into(), Some(1)), "{cell:#}");
        }
    }
    for cell in cells(&document, "hostile/flood") {
        assert_eq!(cell["status"], "ok", "{cell:#}");
        let series = cell["series"].as_array().unwrap().iter().find(|series| series["metric"] == "lag");
        // Whole operations of a million samples each, of which only the first million are kept in order.
        let count = series.and_then(|series| series["count"].as_u64()).unwrap();
        assert!(count > 0 && count % (1 << 20) == 0, "{cell:#}");
    }
    // Misdeeds of functions and operators, what is asked for, and what is left behind, have tests of their own.
    let of_others = ["hostile/asks", "hostile/cold-start", "hostile/chain"];
    let of_sessions = document["cells"].as_array().unwrap().iter();
    let of_sessions = of_sessions.filter(|cell| !of_others.iter().any(|other| cell["scenario"] == *other));
    assert_eq!(of_sessions.count(), 2 * (DEEDS.len() + 6), "a deed is not looked at");
}

#[track_caller]
fn check(document: &Value, scenario: &str, arm: &str, expect: &Deed) {
    let scenario = format!("hostile/{scenario}");
    let cell = cells(document, &scenario).into_iter().find(|cell| cell["arm"] == arm);
    let cell = cell.unwrap_or_else(|| panic!("no cell {scenario} {arm}"));
    let (status, part) = match expect {
        Deed::Failed(part) => ("failed", part),
        Deed::Skipped(part) => ("skipped", part),
    };
    assert_eq!(cell["status"], status, "{cell:#}");
    assert!(cell["reason"].as_str().unwrap().contains(part), "{part:?} is not in {cell:#}");
    assert!(cell["series"].as_array().unwrap().is_empty(), "{cell:#}");
    let figures = ["iterations", "bytes", "recorded", "processes"];
    assert!(figures.iter().all(|name| cell[*name] == 0) && cell["checksum"].is_null(), "{cell:#}");
}

#[test]
fn skipped_cell_is_not_a_finding() {
    let host = Host::with_hostile();
    // With something that has a figure all is done, without it nothing was measured.
    host.check("load hostile.wasm --filter hostile/{good,unavailable} --quick --time 20ms", 0);
    host.check("load hostile.wasm --filter hostile/unavailable --quick --time 20ms", 2);
}

#[test]
fn output_of_a_module_is_bounded_and_never_reaches_the_terminal() {
    let host = Host::with_hostile();
    let ran = host.check("load hostile.wasm --filter hostile/{shout,trap} --quick --time 20ms", 1);
    // The deliberate panic is shown, and shows that text of the module does come through.
    assert!(ran.stdout.contains("a deliberate panic"), "{}", ran.stdout);
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\r']), "{text:?}");
        assert!(!text.contains("I AM EVERYWHERE"), "{text:?}");
    }
    let logs = fs::read_dir(host.run().join("logs")).unwrap();
    let logs: Vec<_> = logs.map(|log| fs::read(log.unwrap().path()).unwrap()).collect();
    assert!(logs.iter().all(|log| log.len() < 100 * 1024), "{:?}", logs.iter().map(Vec::len).collect::<Vec<_>>());
    let left_out = |log: &&Vec<u8>| String::from_utf8_lossy(log).contains("bytes omitted]");
    assert_eq!(logs.iter().filter(left_out).count(), 4, "two arms shouted to two streams each");
}

#[test]
fn check_fails_and_escape_sequences_in_a_summary_are_shown_as_text() {
    let host = Host::with_hostile();
    let shown = |line: &str, status: i32| {
        let ran = host.check(line, status);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "`{line}`");
        ran.stdout
    };
    shown("list hostile.wasm", 0);
    shown("list hostile.wasm --format json", 0);
    let checked = shown("check hostile.wasm --deadline 1s", 1);
    let failed = |begin: &str| {
        let lines = checked.lines().filter_map(|line| line.strip_prefix("  FAILED  "));
        lines.filter(|line| line.starts_with(begin)).count()
    };
    // Once in each arm, and nothing that only follows from it.
    assert_eq!((failed("trap: "), failed("trap: iterate(1) executes 1 operations: ")), (2, 2), "{checked}");
    assert_eq!(failed("arms-differ: arms have equal checksums: wasm "), 1, "{checked}");
    // What native code calls is not seen.
    assert_eq!(failed("needless: uses what it requires: it calls nothing for scratch:directory; "), 1, "{checked}");
    assert_eq!(failed("needless: "), 1, "{checked}");
}

#[cfg(target_os = "linux")]
#[test]
fn forged_measurement_has_no_figure() {
    let host = Host::new();
    if !builds(&host, &project().join("native-probes/hostile/forged.c"), &[]) {
        return;
    }
    for (scenario, expect) in [
        ("long", "the samples of `long` need 2000000000.000 s, and the worker ran for "),
        ("many", "1000000000000000000 operations took "),
    ] {
        let file = library("forged");
        let line = format!("load {file} --filter forged/{scenario} --quick --quiet --processes 1 --format json");
        let document = host.check(&line, 1).json();
        let cell = &document["cells"][0];
        let reason = cell["reason"].as_str().unwrap_or_default();
        let forged = format!("the worker's reply is not one of this program: {expect}");
        assert!(reason.starts_with(&forged) && reason.ends_with("its module may have forged it"), "{cell:#}");
        assert_eq!((&cell["status"], cell["series"].as_array().map(Vec::len)), (&"failed".into(), Some(0)), "{cell:#}");
    }
}
