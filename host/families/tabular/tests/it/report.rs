//! The report of tables, made of chosen figures: stages, parity, orders, and the document `benchmark_stage_model_v1`.

use crate::schema::violation;
use bench_family::Family;
use bench_model::Unit;
use bench_report::{Body, Line, Panel};
use bench_sink::runfile::{AccountRecord, CheckRecord, Record};
use family_tabular::Tabular;
use sample_run::{Block, Part, Run, csv, merged, text};
use serde_json::Value;

fn block(cell: u32, scenario: &str, arm: &str) -> Block {
    let block = Block::new(cell, 0, scenario, arm).family("tabular");
    block.argument("rows", 2_000_i64).argument("seed", 1_i64)
}

fn pipeline(cell: u32) -> Block {
    let mut block = block(cell, "tabular/pipeline", "wasm").argument("format", "json");
    for (name, ms) in [("decode", 6), ("join", 3), ("other", 1)] {
        block = block.series("stage", Unit::Nanoseconds, &[("name", name)], 1, [ms * 1_000_000]);
    }
    block.timed(1, [10_000_000]).checksum(0x60)
}

fn fetch(cell: u32, workers: i64, order: &str, ms: u64) -> Block {
    let mut block = block(cell, "mine/fetch", "native").argument("workers", workers).argument("order", order);
    block = block.argument("latency", "fixed").argument("latency_us", 5_000_i64);
    for (metric, sample) in
        [("in_flight", workers.unsigned_abs()), ("buffered", 3), ("wire", 70_000), ("content", 90_000), ("retries", 2)]
    {
        block = block.series(metric, Unit::Count, &[], 1, [sample]);
    }
    block.timed(1, [ms * 1_000_000])
}

/// Everything that is equal, and one scan that is not.
fn run() -> Run {
    let mut run = Run::begin(8, 1);
    run.append(&pipeline(0).records());
    run.append(&fetch(1, 1, "ordered", 80).records());
    run.append(&fetch(2, 4, "ordered", 20).records());
    let timed = |cell, scenario, arm, checksum| block(cell, scenario, arm).timed(1, [2_000_000]).checksum(checksum);
    let mut decode = timed(3, "tabular/decode", "wasm", 0xab).argument("format", "json");
    decode = decode.series("allocated", Unit::Bytes, &[], 1, [4_096]);
    let detail = "schema_fingerprint=00000000000000aa row_count=2000 groupby_count=900 sample_hash=00000000000000bb";
    let (name, detail) = ("invariants".to_owned(), detail.to_owned());
    decode.checks.push(CheckRecord { cell: 3, process: 0, name, passed: true, detail });
    run.append(&decode.records());
    let scan = timed(4, "tabular/parquet-scan", "wasm", 0xab).series("allocated", Unit::Bytes, &[], 1, [3 << 20]);
    run.append(&scan.series("allocated_peak", Unit::Bytes, &[], 1, [2 << 20]).records());
    // Four operations of the cell before were watched.
    run.append(&[Record::Account(AccountRecord {
        cell: 4,
        watched: 4,
        cpu_ns: Some(6_000_000),
        memory_bytes_before: Some(40 << 20),
        memory_bytes_peak: Some(48 << 20),
        ..AccountRecord::default()
    })]);
    run.append(&timed(5, "tabular-duckdb/parquet-scan", "native", 0xab).records());
    run.append(&timed(6, "tabular/join", "wasm", 0x10).records());
    run.append(&timed(7, "tabular-duckdb/join", "native", 0x11).records());
    run.end(None);
    run
}

#[test]
fn stages_are_parts_of_the_whole() {
    let report = text(&run().view(), Tabular.report());
    let has = |words: [&str; 4]| report.lines().any(|line| line.split_whitespace().eq(words.into_iter().chain(["%"])));
    assert!(has(["whole", "10.0", "ms", "100"]) && has(["decode", "6.00", "ms", "60"]), "{report}");
    assert!(has(["join", "3.00", "ms", "30"]) && has(["other", "1.00", "ms", "10"]), "{report}");
    assert!(report.contains("tabular/pipeline wasm rows=2000 format=json"), "{report}");
}

#[test]
fn results_that_differ_are_named() {
    let report = text(&run().view(), Tabular.report());
    let line = |name: &str| report.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
    assert!(line("genes  ").contains("equal"), "{report}");
    assert!(line("genes ⟗").contains("differ"), "{report}");
    assert!(line("differ: ").contains("tabular-duckdb/join native: 0000000000000011"), "{report}");
}

#[test]
fn results_that_differ_are_a_finding_of_the_run() {
    let findings = |run: &Run| Tabular.report().unwrap().findings(&run.view());
    let expect = "genes ⟗ publications: results that must be equal differ: tabular-duckdb/join native: 0000000000000011, \
                  tabular/join wasm: 0000000000000010; do not compare their times";
    assert_eq!(findings(&run()), [expect]);
    let mut equal = Run::begin(2, 1);
    for (cell, form) in [(0, "pages"), (1, "ipc")] {
        let block = Block::new(cell, 0, "tabular/replay", "native").family("tabular");
        let block = block.argument("replay", "kept").argument("form", form);
        equal.append(&block.timed(1, [2_000_000]).checksum(0x7).records());
    }
    equal.end(None);
    assert_eq!(findings(&equal), [""; 0]);
    assert!(text(&equal.view(), Tabular.report()).contains("genes by organism of kept"));
}

#[test]
fn own_file_is_compared_between_engines() {
    let mut run = Run::begin(2, 1);
    for (cell, scenario, arm) in [(0, "tabular/own-csv", "wasm"), (1, "tabular-duckdb/own-csv", "native")] {
        let block = Block::new(cell, 0, scenario, arm).family("tabular").argument("csv", "my.csv");
        run.append(&block.timed(1, [2_000_000]).checksum(0x7).records());
    }
    run.end(None);
    let report = text(&run.view(), Tabular.report());
    let row = ["my.csv", "exactly", "2", "0000000000000007", "equal"];
    assert!(report.lines().any(|line| line.split_whitespace().eq(row)), "{report}");
}

#[test]
fn workers_are_a_table_and_a_figure() {
    let report = text(&run().view(), Tabular.report());
    assert!(report.contains("pages by order and workers"), "{report}");
    let row = ["fixed", "5.00", "ms", "ordered", "4", "1", "20.0", "ms", "100k/s"];
    assert!(report.lines().any(|line| line.split_whitespace().take(9).eq(row)), "{report}");
    let files = Tabular.report().unwrap().files(&run().view());
    assert_eq!(files.len(), 1);
    assert!(files[0].name == "fetch-orders.png" && files[0].content.is_ok(), "{:?}", files[0].name);
}

#[test]
fn lines_of_fetches_are_of_equal_arguments() {
    let mut run = Run::begin(12, 1);
    let pages = |cell, workers, order: &str, window: i64, page_rows: i64| {
        fetch(cell, workers, order, 80).argument("window", window).argument("page_rows", page_rows)
    };
    let kinds = [("ordered", 8, 100), ("ordered", 8, 500), ("window", 8, 100), ("window", 16, 100)];
    for (number, (order, window, page_rows)) in (0..).zip(kinds) {
        for (cell, workers) in [(3 * number, 1), (3 * number + 1, 2), (3 * number + 2, 4)] {
            run.append(&pages(cell, workers, order, window, page_rows).records());
        }
    }
    run.end(None);
    let sections = Tabular.report().unwrap().sections(&run.view());
    let figure = sections.iter().find_map(|section| match &section.body {
        Body::Figure(figure) => Some(figure),
        _ => None,
    });
    let panel = |panel: &Panel| {
        let line = |line: &Line| format!("{}: {}", line.name, line.points.len());
        format!("{}: {}", panel.title, panel.lines.iter().map(line).collect::<Vec<_>>().join("; "))
    };
    let found: Vec<_> = figure.unwrap().panels.iter().map(panel).collect();
    let expect = [
        "latency fixed 5000 µs, page_rows=100: ordered: 3; window, window=8: 3; window, window=16: 3",
        "latency fixed 5000 µs, page_rows=500: ordered: 3",
    ];
    assert_eq!(found, expect);
    let table = csv(&run.view(), Tabular.report());
    assert!(table.contains(",window=16 page_rows=100,"), "{table}");
}

#[test]
fn titles_of_pipelines_tell_them_apart() {
    let mut run = Run::begin(2, 1);
    for (cell, form) in [(0, "pages"), (1, "ipc")] {
        let block = Block::new(cell, 0, "tabular/replay", "native").family("tabular").argument("replay", "kept");
        let block = block.argument("form", form).series("stage", Unit::Nanoseconds, &[("name", "decode")], 1, [1_000]);
        run.append(&block.timed(1, [2_000]).records());
    }
    run.end(None);
    let report = text(&run.view(), Tabular.report());
    for form in ["pages", "ipc"] {
        assert!(report.contains(&format!("tabular/replay native replay=kept form={form}")), "{report}");
    }
}

#[test]
fn stages_are_bars_of_the_page() {
    let page = sample_run::page(&run(), Tabular.report());
    for expect in
        ["<h2>Family tabular</h2>", "aria-label=\"Stages of pipelines\"", ">decode</text>", ">10.0 ms  n = 1</text>"]
    {
        assert!(page.contains(expect), "{expect}");
    }
}

fn stage_model_schema() -> Value {
    serde_json::from_str(include_str!("../../stage-model.schema.json")).unwrap()
}

#[test]
fn documents_that_break_the_schema_are_found() {
    let stage_model = stage_model_schema();
    let export = Tabular.report().unwrap().exports()[0];
    let document: Value = serde_json::from_str(&(export.print)(&run().view()).unwrap()).unwrap();
    let check = |pointer: &str, change: fn(&mut Value), expect: &str| {
        let mut document = document.clone();
        change(document.pointer_mut(pointer).unwrap());
        assert_eq!(violation(&stage_model, &stage_model, &document, "").as_deref(), Some(expect));
    };
    let lose = |value: &mut Value| drop(value.as_object_mut().unwrap().remove("rows"));
    check("/scenarios/0/stages/decode", lose, "/scenarios/0/stages/decode has no `rows`");
    let gain = |value: &mut Value| drop(value.as_object_mut().unwrap().insert("more".to_owned(), Value::Null));
    check("/scenarios/0/correctness", gain, "/scenarios/0/correctness has `more`");
    let expect = "/scenarios/0/stages/decode/enabled is null, not of the type \"boolean\"";
    check("/scenarios/0/stages/decode/enabled", |enabled| *enabled = Value::Null, expect);
    let expect = "/schema_version is 1, not \"benchmark_stage_model_v1\"";
    check("/schema_version", |version| *version = Value::from(1), expect);
}

#[test]
fn processor_time_and_memory_are_a_table() {
    let report = text(&run().view(), Tabular.report());
    assert!(report.contains("processor time and memory of stages"), "{report}");
    let row = ["tabular/parquet-scan", "wasm", "2000", "2.00", "ms", "1.50", "ms", "40.0", "MiB", "48.0", "MiB", "4"];
    let allocated = ["3.00", "MiB", "2.00", "MiB"];
    let row = row.into_iter().chain(allocated);
    assert!(report.lines().any(|line| line.split_whitespace().eq(row.clone())), "{report}");
    let mut unwatched = Run::begin(1, 1);
    unwatched.append(&pipeline(0).records());
    unwatched.end(None);
    assert!(!text(&unwatched.view(), Tabular.report()).contains("processor time"));
}

#[test]
fn starts_of_modules_are_a_table() {
    let mut run = Run::begin(2, 2);
    for (cell, process, ms) in [(0, 0, 30), (0, 1, 4), (1, 0, 5)] {
        let mut block = Block::new(cell, process, "tabular/model", "wasm").family("tabular");
        block.outcome.load_ns = Some(ms * 1_000_000);
        block.outcome.printed_bytes = Some(10);
        run.append(&block.argument("objects", i64::from(cell)).timed(1, [2_000_000]).records());
    }
    run.end(None);
    let report = text(&run.view(), Tabular.report());
    let row = ["tabular", "wasm", "3", "4.00", "ms", "30.0", "ms", "30", "B"];
    assert!(report.lines().any(|line| line.split_whitespace().eq(row)), "{report}");
    assert!(!text(&self::run().view(), Tabular.report()).contains("starts and output"));
}

#[test]
fn stages_through_the_boundary_are_next_to_those_without() {
    let mut run = Run::begin(5, 1);
    for (cell, scenario, ms) in [(0, "tabular/join", 2), (1, "tabular/stage-join", 3), (2, "tabular/stage-pass", 1)] {
        run.append(&block(cell, scenario, "wasm").timed(1, [ms * 1_000_000]).checksum(0x1).records());
    }
    // Of another module, which has no join without the boundary.
    run.append(&block(3, "theirs/stage-join", "wasm").timed(1, [4_000_000]).checksum(0x2).records());
    // Of other rows.
    let other = block(4, "tabular/stage-join", "wasm").argument("seed", 2_i64).argument("rows", 3_000_i64);
    run.append(&other.timed(1, [5_000_000]).checksum(0x3).records());
    run.end(None);
    let report = text(&run.view(), Tabular.report());
    let has = |row: &[&str]| report.lines().any(|line| line.split_whitespace().eq(row.iter().copied()));
    assert!(has(&["tabular/stage-join", "wasm", "2000", "3.00", "ms", "2.00", "ms", "1.5×"]), "{report}");
    assert!(has(&["tabular/stage-pass", "wasm", "2000", "1.00", "ms"]), "{report}");
    assert!(has(&["theirs/stage-join", "wasm", "2000", "4.00", "ms"]), "{report}");
    assert!(has(&["tabular/stage-join", "wasm", "3000", "5.00", "ms"]), "{report}");
    let findings = Tabular.report().unwrap().findings(&run.view());
    assert!(matches!(findings.as_slice(), [one] if one.contains("theirs/stage-join wasm")), "{findings:?}");
    assert!(!text(&self::run().view(), Tabular.report()).contains("through the boundary"));
}

#[test]
fn stage_model_has_its_schema() {
    let export = Tabular.report().unwrap().exports()[0];
    let document: Value = serde_json::from_str(&(export.print)(&run().view()).unwrap()).unwrap();
    assert_eq!(document["schema_version"], "benchmark_stage_model_v1");
    let scenario = &document["scenarios"][0];
    assert_eq!(scenario["scenario_name"], "wasm rows=2000 workers=1");
    let stages = &scenario["stages"];
    assert_eq!(stages["decode"]["elapsed_seconds"], 0.002);
    assert_eq!(stages["decode"]["result_hash"], "00000000000000ab");
    assert_eq!(stages["fetch"]["bytes_in"], 70_000.0);
    assert_eq!(stages["duckdb_scan"]["rows"], 2_000);
    let stage_model = stage_model_schema();
    assert_eq!(violation(&stage_model, &stage_model, &document, ""), None);
    assert_eq!(stages["parquet_scan"]["cpu_seconds"], 0.0015);
    assert_eq!(stages["parquet_scan"]["peak_rss_bytes"], 48 << 20);
    assert_eq!(stages["decode"]["cpu_seconds"], Value::Null);
    assert_eq!(stages["fetch"]["rows_fetched"], 2_000);
    assert_eq!(stages["fetch"]["retries"], 2.0);
    assert_eq!(stages["decode"]["enabled"], true);
    assert_eq!(stages["decode"]["rows_fetched"], 2_000);
    // What was not measured is null, and never 0.
    for stage in ["csv_write", "parquet_write", "analytics", "polars_scan"] {
        let members = stages[stage].as_object().unwrap();
        assert_eq!(members["enabled"], false, "{stage}");
        assert!(members.iter().all(|(name, value)| name == "enabled" || value.is_null()), "{stage}: {members:?}");
    }
    assert_eq!(stages["decode"]["allocations_bytes"], 4_096.0);
    let correctness = serde_json::json!({
        "schema_fingerprint": "00000000000000aa", "row_count": 2_000, "groupby_count": 900, "sample_hash": "00000000000000bb",
    });
    assert_eq!(scenario["correctness"], correctness);
    let empty = (export.print)(&Run::begin(0, 1).view()).unwrap_err();
    assert!(empty.contains("bench-host run tabular-quick"), "{empty}");
}

#[test]
fn stage_model_has_a_scenario_for_all_arguments_that_differ() {
    let mut run = Run::begin(8, 1);
    let timed = |cell: u32, scenario: &str, name: &str, value: &str| {
        block(cell, scenario, "wasm").argument(name, value).timed(1, [u64::from(cell + 1) * 1_000_000])
    };
    run.append(&timed(0, "tabular/decode", "format", "json").records());
    run.append(&timed(1, "tabular/decode", "format", "csv").records());
    run.append(&timed(2, "tabular/parquet-write", "codec", "none").records());
    run.append(&timed(3, "tabular/parquet-write", "codec", "snappy").records());
    run.append(&timed(4, "tabular/parquet-scan", "codec", "snappy").records());
    // Of the rows of another seed, which nothing else is of.
    run.append(&block(5, "tabular/csv-write", "wasm").argument("seed", 2_i64).timed(1, [6_000_000]).records());
    let fetch = block(6, "mine/fetch", "native").argument("format", "csv").timed(1, [7_000_000]);
    run.append(&fetch.records());
    run.append(&block(7, "tabular-duckdb/parquet-scan", "native").timed(1, [8_000_000]).records());
    run.end(None);
    let export = Tabular.report().unwrap().exports()[0];
    let document: Value = serde_json::from_str(&(export.print)(&run.view()).unwrap()).unwrap();
    let milliseconds = |stages: &Value, name: &str| {
        let seconds = stages[name]["elapsed_seconds"].as_f64();
        seconds.map_or("–".to_owned(), |seconds| format!("{:.0}", seconds * 1e3))
    };
    let line = |scenario: &Value| {
        let stages = ["fetch", "decode", "csv_write", "parquet_write", "parquet_scan", "duckdb_scan"]
            .map(|name| milliseconds(&scenario["stages"], name));
        format!("{}: {}", scenario["scenario_name"].as_str().unwrap(), stages.join(" "))
    };
    let mut found: Vec<_> = document["scenarios"].as_array().unwrap().iter().map(line).collect();
    found.sort();
    let expect = [
        "wasm rows=2000 seed=1 format=csv codec=none: 7 2 – 3 – 8",
        "wasm rows=2000 seed=1 format=csv codec=snappy: 7 2 – 4 5 8",
        "wasm rows=2000 seed=1 format=json codec=none: – 1 – 3 – 8",
        "wasm rows=2000 seed=1 format=json codec=snappy: – 1 – 4 5 8",
        "wasm rows=2000 seed=2: – – 6 – – –",
    ];
    assert_eq!(found, expect);
    let stage_model = stage_model_schema();
    assert_eq!(violation(&stage_model, &stage_model, &document, ""), None);
}

#[test]
fn stages_of_different_machines_have_no_ratio() {
    let timed = |cell, scenario, ms: u64| {
        let mut block = block(cell, scenario, "wasm").timed(1, [ms * 1_000_000]).checksum(0x1);
        block.outcome.load_ns = Some(1_000_000);
        block
    };
    let shown = |with: &str| {
        let through = Part::new("a").block(timed(0, "tabular/stage-join", 3));
        let direct = Part::new(with).block(timed(1, "tabular/join", 2));
        text(&merged("r", "p", [through, direct]).view(), Tabular.report())
    };
    let has = |shown: &str, ratio: &str| {
        let row = ["tabular/stage-join", "wasm", "2000", "3.00", "ms", "2.00", "ms", ratio];
        shown.lines().any(|line| line.split_whitespace().eq(row))
    };
    assert!(has(&shown("a"), "1.5×") && !shown("a").contains("different machines"), "{}", shown("a"));
    let apart = shown("b");
    assert!(has(&apart, "–"), "{apart}");
    assert!(apart.contains("tabular/stage-join wasm without: measured on different machines (a, b)"), "{apart}");
    assert!(apart.contains("starts of tabular wasm were measured on different machines (b, a)"), "{apart}");
}

#[test]
fn figure_says_that_its_points_are_of_different_machines() {
    let [a, b] = [("a", fetch(0, 1, "ordered", 80)), ("b", fetch(1, 4, "ordered", 20))]
        .map(|(machine, block)| Part::new(machine).block(block));
    let page = sample_run::page(&merged("r", "p", [a, b]), Tabular.report());
    assert!(page.contains("The points were measured on different machines (a, b): do not compare them."));
    assert!(!sample_run::page(&run(), Tabular.report()).contains("different machines"));
}
