//! Ladders: each rung against the one before and against native code, as a person and as a program read it.

use crate::compared::{BATCH, account, of_pairs, turns, wobbling};
use crate::fixture::{Block, Run, compared};
use bench_model::Arguments;
use bench_report::{ComparisonDetail, ComparisonReport, Json, Layout, Renderer, Text, comparison_document};
use bench_sink::environment::Witness;
use bench_sink::runfile::{AccountRecord, HardwareRecord, LadderRecord, Record, RungRecord, Status};
use insta::assert_snapshot;

fn rung(name: &str, cell: Option<u32>, skipped: Option<&str>) -> RungRecord {
    RungRecord { name: name.to_owned(), step: format!("step to {name}"), cell, skipped: skipped.map(str::to_owned) }
}

/// Rungs of 100, 150 and 300 ns, one that is not built, and one that is measured if `last` is ok.
fn ladder(last: Status) -> ComparisonReport {
    let mut run = Run::begin(4, 10);
    let missing = "no-simd/ring.wasm does not exist; build it with `cargo xtask plugins ring --variants`";
    let rungs = vec![
        rung("native", Some(0), None),
        rung("wasm", Some(1), None),
        rung("no-simd", None, Some(missing)),
        rung("bounds", Some(2), None),
        rung("pulley", Some(3), None),
    ];
    let scenario = "ring/stream".to_owned();
    run.append(&[Record::Ladder(LadderRecord { scenario, arguments: Arguments::default(), rungs })]);
    for process in 0..10 {
        let block = |cell, arm: &str, level| {
            Block::new(cell, process, "ring/stream", arm).timed(BATCH, wobbling(level, process, u64::from(cell)))
        };
        let pulley = block(3, "wasm", 900.0).variant("pulley");
        let pulley = if last == Status::Ok { pulley } else { pulley.ended(last, "trapped") };
        run.append(&turns(vec![
            block(0, "native", 100.0),
            block(1, "wasm", 150.0),
            block(2, "wasm", 300.0).variant("bounds"),
            pulley,
        ]));
    }
    run.end(None);
    of_pairs(&run)
}

/// Title, ratio and number of each comparison that the ladder needs.
fn comparisons(comparison: &ComparisonReport) -> Vec<(String, f64)> {
    let ratio = |figures: &bench_report::Figures| (figures.ratios.medians.ratio() * 10.0).round() / 10.0;
    let found = comparison.comparisons.iter().map(|one| (one.title(), one.figures.as_ref().map_or(f64::NAN, ratio)));
    found.collect()
}

#[test]
fn each_rung_is_compared_with_native_code_and_with_the_last_measured_rung() {
    let comparison = ladder(Status::Ok);
    let expect = [
        ("wasm / native", 1.5),
        ("wasm+bounds / native", 3.0),
        ("wasm+pulley / native", 9.0),
        ("wasm+bounds / wasm", 2.0),
        ("wasm+pulley / wasm+bounds", 3.0),
    ];
    assert_eq!(comparisons(&comparison), expect.map(|(title, ratio)| (title.to_owned(), ratio)));
    let [ladder] = &comparison.ladders[..] else { panic!("{:?}", comparison.ladders) };
    let places: Vec<_> = ladder.rungs.iter().map(|rung| (rung.to_baseline, rung.to_previous)).collect();
    assert_eq!(places, [(None, None), (Some(0), Some(0)), (None, None), (Some(1), Some(3)), (Some(2), Some(4))]);
}

#[test]
fn rung_that_failed_is_a_finding_and_has_no_ratio() {
    let comparison = ladder(Status::Failed);
    assert!(comparison.findings() > 0);
    let text = compared(&Text, &comparison);
    assert!(text.contains("pulley skipped: trapped"), "{text}");
}

#[test]
fn a_row_stands_for_each_rung_and_a_line_for_each_that_is_missing() {
    assert_snapshot!(compared(&Text, &ladder(Status::Ok)), @r"
    ring/stream
      rung        p50  × before         95 %  verdict    × native         95 %  step             pairs
      native   100 ns         –            –                    –            –  step to native       –
      wasm     150 ns    1.500×  1.499–1.500  different    1.500×  1.499–1.500  step to wasm      2000
      no-simd       –         –            –  skipped           –            –  step to no-simd      –
      bounds   300 ns    2.000×  1.999–2.001  different    3.000×  2.999–3.001  step to bounds    2000
      pulley   900 ns    3.000×  2.999–3.001  different    9.000×  8.996–9.003  step to pulley    2000
      no-simd skipped: no-simd/ring.wasm does not exist; build it with `cargo xtask plugins ring --variants`

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 10 processes × 1 s for all arms, interleaved; seed 7
    ratio = candidate / baseline, of median times with processes brought to one level
    interval 95 %, bootstrap over whole processes, seed 7; A/A = an arm against itself
    verdicts are Holm-adjusted over 5 comparisons; equivalent = within ±2 %; –: not measured, or too few samples
    ");
}

/// Two rungs, the first of which is the baseline, and what an operation of each used.
fn used(names: [&str; 2], arms: [&str; 2]) -> ComparisonReport {
    let mut run = Run::begin(2, 10);
    let rungs = vec![rung(names[0], Some(0), None), rung(names[1], Some(1), None)];
    let scenario = "ring/stream".to_owned();
    run.append(&[Record::Ladder(LadderRecord { scenario, arguments: Arguments::default(), rungs })]);
    for process in 0..10 {
        let block = |cell: u32, level| {
            let samples = wobbling(level, process, u64::from(cell));
            let block = Block::new(cell, process, "ring/stream", arms[cell as usize]).timed(BATCH, samples);
            if cell == 1 { block.variant("bounds") } else { block }
        };
        run.append(&turns(vec![block(0, 100.0), block(1, 150.0)]));
    }
    let hardware = HardwareRecord::Counted {
        cycles: 9_000_000,
        instructions: 5_000_000,
        cache_misses: 0,
        branch_misses: 0,
        reading_ns: None,
    };
    let first = AccountRecord {
        faults_minor: Some(93_000),
        faults_major: Some(1_000),
        hardware: Some(hardware),
        ..account(0, 0, None)
    };
    run.append(&[Record::Account(first), Record::Account(account(1, 0, Some(12_040)))]);
    run.end(None);
    of_pairs(&run)
}

#[test]
fn rungs_show_what_an_operation_used() {
    let comparison = used(["native", "bounds"], ["native", "wasm"]);
    let layout = Layout { is_wide: true, ..Layout::default() };
    let text = Text.render(&comparison_document(&comparison, ComparisonDetail::default()), &layout);
    let head = text.lines().nth(1).unwrap();
    assert!(head.contains("× native") && head.contains("faults  wasm instr.  CPU instr."), "{text}");
    let check = |rung: &str, expect: [&str; 3]| {
        let row = text.lines().find(|line| line.trim_start().starts_with(rung)).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert!(words.windows(3).any(|three| three == expect), "{expect:?}: {row}");
    };
    check("native", ["94", "–", "5000"]);
    check("bounds", ["0.0120", "1204", "–"]);
    assert!(text.contains("what an operation of each rung used: --breakdown"), "{text}");
}

#[test]
fn ratios_are_named_after_the_rung_that_they_are_to() {
    let comparison = used(["wasm", "bounds"], ["wasm", "wasm"]);
    let text = compared(&Text, &comparison);
    assert!(text.contains("× wasm") && !text.contains("× native"), "{text}");
    let document: serde_json::Value = serde_json::from_str(&compared(&Json, &comparison)).unwrap();
    let ladder = &document["ladders"][0];
    assert_eq!(ladder["baseline"], "wasm");
    let rung = &ladder["rungs"][1];
    assert!(rung["ratio_to_native"].is_null() && rung["verdict_to_native"].is_null(), "{rung:#}");
    assert_eq!(rung["verdict_to_baseline"], "different");
    assert_eq!(rung["ratio_to_baseline"], rung["ratio_to_previous"]);
}

#[test]
fn rung_of_a_disturbed_cell_is_marked() {
    let mut run = Run::begin(2, 3);
    let rungs = vec![rung("native", Some(0), None), rung("wasm", Some(1), None)];
    let scenario = "ring/stream".to_owned();
    run.append(&[Record::Ladder(LadderRecord { scenario, arguments: Arguments::default(), rungs })]);
    for process in 0..3 {
        let block = |cell: u32, arm: &str| {
            let samples = wobbling(100.0, process, u64::from(cell));
            let mut block = Block::new(cell, process, "ring/stream", arm).timed(BATCH, samples);
            block.outcome.witness = Some(Witness { wall_ns: 100, stolen_ns: Some(20), ..Witness::default() });
            block
        };
        run.append(&turns(vec![block(0, "native"), block(1, "wasm")]));
    }
    run.end(None);
    let text = compared(&Text, &of_pairs(&run));
    let row = text.lines().find(|line| line.trim_start().starts_with("wasm ")).unwrap_or_default();
    assert!(row.contains(", disturbed "), "{text}");
}

#[test]
fn programs_read_the_rungs_with_their_ratios() {
    let document: serde_json::Value = serde_json::from_str(&compared(&Json, &ladder(Status::Ok))).unwrap();
    let rungs = document["ladders"][0]["rungs"].as_array().unwrap();
    let names: Vec<_> = rungs.iter().map(|rung| rung["rung"].as_str().unwrap()).collect();
    assert_eq!(names, ["native", "wasm", "no-simd", "bounds", "pulley"]);
    assert_eq!(rungs[3]["verdict_to_previous"], "different");
    assert_eq!(document["ladders"][0]["baseline"], "native");
    assert_eq!(rungs[3]["ratio_to_native"], rungs[3]["ratio_to_baseline"]);
    let ratio = rungs[3]["ratio_to_previous"]["ratio"].as_f64().unwrap();
    assert!((1.9..2.1).contains(&ratio), "{ratio}");
    assert!(rungs[2]["skipped"].as_str().unwrap().contains("--variants") && rungs[2]["p50_ns"].is_null());
    assert_eq!(rungs[0]["p50_ns"].as_f64().unwrap().round(), 100.0, "from the comparison of the next rung");
}
