//! What is said of the resource usage of cells, of hardware counters and of the slowest samples, and why there are none.

use crate::compared::{of_pairs, turns};
use crate::fixture::{Block, Run, compared, json, rendered};
use bench_report::{Detail, Text, run_document};
use bench_sink::runfile::{AccountRecord, HardwareRecord, OutlierCause, OutlierCounts, OutlierRecord};
use serde_json::{Value, json};

/// A reason that a module gave, which is shown without being obeyed.
const CRASHED: &str = "it crashed:\n\u{1b}[31m";

/// Ten operations whose cycles were counted, and a session whose slowest samples were looked at.
fn counted() -> AccountRecord {
    let hardware = HardwareRecord::Counted {
        cycles: 2_000,
        instructions: 5_000,
        cache_misses: 10,
        branch_misses: 20,
        reading_ns: Some(812.0),
    };
    let cause = |name: &str, slow, all| OutlierCause { name: name.to_owned(), slow, all };
    let outliers = OutlierCounts {
        samples: 1_000,
        batch: 4,
        threshold_ns: 2_500,
        slow: 10,
        causes: vec![cause("page fault", 3, 20), cause("migration", 0, 1)],
        unexplained: 7,
        reading_ns: 900.0,
    };
    AccountRecord {
        watched: 10,
        counted: 8,
        hardware: Some(hardware),
        outliers: Some(OutlierRecord::Counted(outliers)),
        ..AccountRecord::default()
    }
}

/// An operation that is too long to be looked at, on a machine without counters.
fn uncounted() -> AccountRecord {
    AccountRecord {
        watched: 1,
        counted: 8,
        hardware: Some(HardwareRecord::Absent("this machine has no such counters".to_owned())),
        outliers: Some(OutlierRecord::Absent("an operation takes longer than 150 µs".to_owned())),
        ..AccountRecord::default()
    }
}

fn run() -> Run {
    let mut run = Run::begin(4, 1);
    let crashed = AccountRecord::without_counts(0, 0, CRASHED);
    let cells = [("short", counted()), ("long", uncounted()), ("longer", uncounted()), ("crash", crashed)];
    for (cell, (name, account)) in (0..).zip(cells) {
        run.append(&Block::new(cell, 0, &format!("m/{name}"), "native").timed(1, 1..=40).account(account).records());
    }
    run.end(None);
    run
}

#[test]
fn slowest_samples_and_counters_are_said_once_for_each_reason() {
    let detail = Detail { all_cells: true, all_series: false };
    let text = rendered(&Text, &run_document(&run().view(), &[], detail));
    let (_, section) = text.split_once("Slowest samples\n").unwrap();
    let lines: Vec<&str> = section.lines().take_while(|line| !line.is_empty()).map(str::trim_start).collect();
    let why = "this machine has no such counters; page faults and switches are the kernel's counts";
    let no_counters = format!("2 cells of m/long, m/longer: hardware counters: {why}");
    assert_eq!(
        lines,
        [
            "m/crash native: resource usage: not counted: it crashed:\\n\\u{1b}[31m",
            "2 cells of m/long, m/longer: outliers: not looked at: an operation takes longer than 150 µs",
            "m/long native",
            "m/longer native",
            no_counters.as_str(),
            "m/long native",
            "m/longer native",
            "m/short native: slowest 1 % (n 10 of 1000 samples × 4, from 2.50 µs): 3 page fault (2.0 % of all); 7 unexplained; a reading took \
             900 ns between samples",
            "m/short native: 200 cycles, 2.50 instructions per cycle, 1 cache misses, 2 branch misses an operation (n 10); a reading took \
             812 ns before and after them",
        ]
    );
    let brief = rendered(&Text, &run_document(&run().view(), &[], Detail::default()));
    assert!(!brief.contains("outliers: ") && !brief.contains("hardware counters: "), "{brief}");
}

#[test]
fn json_has_what_was_counted_or_why_not() {
    let document: Value = serde_json::from_str(&json(&run().view())).unwrap();
    let account = |name: &str| {
        let is_it = |cell: &&Value| cell["scenario"] == name;
        document["cells"].as_array().unwrap().iter().find(is_it).unwrap()["account"].as_object().unwrap()
    };
    let short = account("m/short");
    assert_eq!(short["hardware"]["counted"]["reading_ns"], 812.0);
    assert_eq!((&short["outliers"]["slow"], &short["outliers"]["reading_ns"]), (&json!(10), &json!(900.0)));
    assert!(!short.contains_key("absent"), "{short:?}");
    let long = account("m/long");
    assert_eq!(long["hardware"], json!({"absent": "this machine has no such counters"}));
    assert_eq!(long["outliers"], json!({"absent": "an operation takes longer than 150 µs"}));
    let crash = account("m/crash");
    assert_eq!((&crash["absent"], &crash["counted"]), (&json!(CRASHED), &json!(0)));
    assert!(!crash.contains_key("hardware") && !crash.contains_key("outliers"), "{crash:?}");
}

#[test]
fn row_of_a_page_says_them_below_resource_usage() {
    let html = sample_run::page(&run(), None);
    for expect in [
        "<h3>Resource usage</h3><ul><li>resource usage: not counted: it crashed:\\n\\u{1b}[31m</li></ul>",
        "<li>outliers: not looked at: an operation takes longer than 150 µs</li>",
        "<li>hardware counters: this machine has no such counters; ",
        "<li>slowest 1 % (n 10 of 1000 samples × 4, from 2.50 µs): 3 page fault ",
        "; a reading took 812 ns before and after them</li>",
    ] {
        assert!(html.contains(expect), "{expect}");
    }
}

#[test]
fn arms_of_a_comparison_share_a_reason() {
    let mut run = Run::begin(3, 2);
    for process in 0..2 {
        let block = |cell, arm: &str| Block::new(cell, process, "m/s", arm).timed(1, 1..=40);
        run.append(&turns(vec![
            block(0, "native").account(uncounted()),
            block(1, "wasm").account(counted()),
            block(2, "wasm").variant("fuel").account(uncounted()),
        ]));
    }
    run.end(None);
    let text = compared(&Text, &of_pairs(&run));
    let reason = "outliers: not looked at: an operation takes longer than 150 µs";
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.ends_with(reason)).collect();
    assert_eq!(lines, [format!("wasm+fuel, native: {reason}")], "{text}");
    assert!(text.contains("wasm: slowest 1 % (n 10 of 1000 samples × 4, from 2.50 µs): "), "{text}");
    assert_eq!(text.matches("hardware counters: ").count(), 1, "{text}");
}
