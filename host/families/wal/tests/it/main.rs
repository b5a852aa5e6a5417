//! The family through its trait, as the host uses it.

use bench_family::Family;
use bench_model::Unit;
use family_wal::Wal;
use sample_run::{Block, Run};
use serde_json::Value;

/// An append of `log_ns` on a disk where a raw commit takes `raw_ns`, in one process.
fn durable(process: u32, log_ns: u64, raw_ns: u64) -> Block {
    let commits = [raw_ns + u64::from(process) * 1_000; 30];
    Block::new(0, process, "wal/append", "native")
        .family("wal")
        .argument("durability", "each")
        .timed(1, [log_ns + u64::from(process) * 1_000; 30])
        .series("raw_commit", Unit::Nanoseconds, &[], 1, commits)
}

/// The rows of the family's section.
fn rows(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&sample_run::json(&run.view(), Wal.report())).unwrap();
    assert_eq!(document["sections"][0]["name"], "wal.baselines");
    document["sections"][0]["rows"].as_array().unwrap().clone()
}

#[test]
fn log_is_shown_against_the_raw_commit_of_its_processes() {
    let mut run = Run::begin(3, 3);
    for process in 0..3 {
        run.append(&durable(process, 1_100_000, 1_000_000).records());
        let in_memory = Block::new(1, process, "wal/append", "native").family("wal").argument("durability", "none");
        run.append(&in_memory.timed(1, [50; 30]).records());
        let other = Block::new(2, process, "other/append", "native").timed(1, [50; 30]);
        run.append(&other.series("raw_commit", Unit::Nanoseconds, &[], 1, [50; 30]).records());
    }
    run.end(None);
    let text = sample_run::text(&run.view(), Wal.report());
    let section = text.split("\n\n").find(|part| part.starts_with("against")).unwrap_or(&text);
    for expect in ["wal/append", "raw_commit", "1.10 ms", "1.00 ms", "1.100×"] {
        assert!(section.contains(expect), "{expect}: {section}");
    }
    let page = sample_run::page(&run, Wal.report());
    for expect in [
        "Against baselines that the same processes measured interleaved",
        "/ raw_commit</text>",
        ">1.100×  n = 90 in 3 proc.</text>",
    ] {
        assert!(page.contains(expect), "{expect}");
    }
    let rows = rows(&run);
    assert_eq!(rows.len(), 1, "only the durable appends of the family have a baseline: {rows:#?}");
    let [low, value, high] = ["low", "value", "high"].map(|part| rows[0]["ratio"][part].as_f64().unwrap());
    assert!((value - 1.1).abs() < 1e-3 && low < value && value < high && high < 1.2, "{low} {value} {high}");
}

#[test]
fn two_processes_have_a_ratio_without_an_interval() {
    let mut run = Run::begin(1, 2);
    for process in 0..2 {
        run.append(&durable(process, 2_000_000, 1_000_000).records());
    }
    run.end(None);
    let rows = rows(&run);
    assert_eq!((&rows[0]["baseline"], &rows[0]["processes"]["value"]), (&"raw_commit".into(), &2.into()), "{rows:#?}");
    let ratio = &rows[0]["ratio"];
    assert!((ratio["value"].as_f64().unwrap() - 2.0).abs() < 1e-2 && ratio["low"].is_null(), "{ratio}");
}

#[test]
fn page_has_small_multiples_of_appends() {
    let mut run = Run::begin(2, 1);
    for (cell, bytes) in [(0, 64i64), (1, 1024)] {
        let block = Block::new(cell, 0, "wal/append", "native").family("wal").argument("payload_bytes", bytes);
        run.append(&block.timed(1, [50 + bytes as u64; 30]).records());
    }
    run.end(None);
    let page = sample_run::page(&run, Wal.report());
    assert!(page.contains("<h2>Family wal</h2>") && page.contains("aria-label=\"wal/append\""));
}

#[test]
fn run_without_baselines_has_no_section() {
    let mut run = Run::begin(1, 1);
    run.append(&Block::new(0, 0, "wal/append", "native").family("wal").timed(1, [50; 30]).records());
    run.end(None);
    assert!(Wal.report().expect("the family has a report").sections(&run.view()).is_empty());
}
