//! The report of transfers, made of chosen figures: a tree of stages, load methods side by side, and ratios, in every format.

use bench_family::Family;
use bench_model::Unit;
use family_pipelines::Pipelines;
use insta::assert_snapshot;
use sample_run::{Block, Part, Run, csv, json, markdown, merged, text};

/// A transfer whose sides take `unit_ns` for each of their stages, in one process.
fn transfer(cell: u32, process: u32, arm: &str, way: &str, unit_ns: u64) -> Block {
    let mut block = Block::new(cell, process, "pg-dest/load", arm).argument("rows", 1_000_i64);
    block.cell.conditions =
        [("fsync", "on"), ("source_code", "cached")].map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    // Processes differ a little, as they do.
    let times = |units: u64| [units * unit_ns, units * unit_ns + u64::from(process) * 1_000];
    let mut block = block.argument("load_method", way).timed(1, times(12));
    let stages = [
        ("source", "fetch", 6),
        ("source", "emit", 4),
        ("source", "emit/blocked", 3),
        ("source", "other", 1),
        ("destination", "flush", 10),
    ];
    for (side, name, units) in stages {
        block = block.series("stage", Unit::Nanoseconds, &[("side", side), ("name", name)], 1, times(units));
    }
    for (side, wall) in [("source", 11), ("destination", 12)] {
        let label = [("side", side)];
        block = block.series("wall", Unit::Nanoseconds, &label, 1, times(wall));
        block = block.series("records", Unit::Count, &label, 1, [1_000; 2]);
        block = block.series("bytes", Unit::Bytes, &label, 1, [131_072; 2]);
        block = block.series("host_calls", Unit::Count, &label, 1, [4; 2]);
        block = block.series("module_load", Unit::Nanoseconds, &label, 1, [500_000]);
    }
    block.series("bytes", Unit::Bytes, &[("side", "channel")], 1, [65_536; 2])
}

/// Two ways in two arms, and the database's own client.
fn run() -> Run {
    let mut run = Run::begin(5, 3);
    for process in 0..3 {
        run.append(&transfer(0, process, "wasm", "copy-binary", 1_000_000).records());
        run.append(&transfer(1, process, "native", "copy-binary", 800_000).records());
        run.append(&transfer(2, process, "native", "insert", 2_000_000).records());
        let pipe = Block::new(3, process, "psql/pipe", "native").argument("rows", 1_000_i64);
        run.append(&pipe.timed(1, [9_600_000, 9_601_000 + u64::from(process)]).records());
        // Of other rows, so nothing is held against it.
        let other = Block::new(4, process, "psql/pipe", "native").argument("rows", 10_i64);
        run.append(&other.timed(1, [1_000, 1_001]).records());
    }
    run.end(None);
    run
}

#[test]
fn stages_are_a_tree_and_ways_stand_side_by_side() {
    assert_snapshot!(text(&run().view(), Pipelines.report()), @r"
      arm     load_method  n           p50  p99      max        rate  check
    pg-dest/load  rows=1000
      wasm    copy-binary  6  mean 12.0 ms    –  12.0 ms  5.21 KiB/s  ok
      native  copy-binary  6  mean 9.60 ms    –  9.60 ms  6.51 KiB/s  ok
      native  insert       6  mean 24.0 ms    –  24.0 ms  2.60 KiB/s  ok

      arm     rows  n           p50  p99      max        rate  check
    psql/pipe
      native    10  6  mean 1.00 µs    –  1.00 µs  61.0 MiB/s  ok
      native  1000  6  mean 9.60 ms    –  9.60 ms  6.51 KiB/s  ok

    with fsync=on

    pg-dest/load wasm rows=1000 load_method=copy-binary
                               mean  share     rows       bytes  host calls
      duration              12.0 ms         83.3k/s  10.4 MiB/s
      source                11.0 ms                                       4
        fetch               6.00 ms   55 %
        emit                4.00 ms   36 %
          of which blocked  3.00 ms   27 %
        other               1.00 ms  9.1 %
        module load          500 µs                                          once, before, cached code
      destination           12.0 ms                                       4
        flush               10.0 ms   83 %
        module load          500 µs                                          once, before
      1000 rows read, 1000 written; 128 KiB read, 128 KiB written, 64.0 KiB in between; 6 repetitions in 3 proc.

    pg-dest/load native rows=1000 load_method=copy-binary
                               mean  share    rows       bytes  host calls
      duration              9.60 ms         104k/s  13.0 MiB/s
      source                8.80 ms                                      4
        fetch               4.80 ms   55 %
        emit                3.20 ms   36 %
          of which blocked  2.40 ms   27 %
        other                800 µs  9.1 %
        module load          500 µs                                         once, before, cached code
      destination           9.60 ms                                      4
        flush               8.00 ms   83 %
        module load          500 µs                                         once, before
      1000 rows read, 1000 written; 128 KiB read, 128 KiB written, 64.0 KiB in between; 6 repetitions in 3 proc.

    pg-dest/load native rows=1000 load_method=insert
                               mean  share     rows       bytes  host calls
      duration              24.0 ms         41.7k/s  5.21 MiB/s
      source                22.0 ms                                       4
        fetch               12.0 ms   55 %
        emit                8.00 ms   36 %
          of which blocked  6.00 ms   27 %
        other               2.00 ms  9.1 %
        module load          500 µs                                          once, before, cached code
      destination           24.0 ms                                       4
        flush               20.0 ms   83 %
        module load          500 µs                                          once, before
      1000 rows read, 1000 written; 128 KiB read, 128 KiB written, 64.0 KiB in between; 6 repetitions in 3 proc.

    pg-dest/load native rows=1000, means side by side
                       insert  copy-binary
      duration        24.0 ms      9.60 ms
      source          22.0 ms      8.80 ms
        fetch         12.0 ms      4.80 ms
        emit          8.00 ms      3.20 ms
        other         2.00 ms       800 µs
      destination     24.0 ms      9.60 ms
        flush         20.0 ms      8.00 ms
      rows            41.7k/s       104k/s
      bytes        5.21 MiB/s   13.0 MiB/s
      speed-up         1.000×       2.500×

    compared                              arguments  of means  95 % interval  processes  verdict
    pg-dest/load copy-binary, wasm /      rows=1000    1.250×    1.250–1.250          3  different
    native
    pg-dest/load copy-binary wasm /       rows=1000    1.250×    1.250–1.250          3  different
    psql/pipe
    pg-dest/load native, copy-binary /    rows=1000    0.400×    0.400–0.400          3  different
    insert
    pg-dest/load copy-binary native /     rows=1000    1.000×    1.000–1.000          3  equivalent ±2 %
    psql/pipe

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

/// The titles and the arguments of the pairs of a run with three processes of each of these repetitions.
fn compared(blocks: &dyn Fn(u32) -> Vec<Block>) -> Vec<String> {
    let mut run = Run::begin(blocks(0).len() as u32, 3);
    (0..3).flat_map(blocks).for_each(|block| run.append(&block.records()));
    run.end(None);
    let table = csv(&run.view(), Pipelines.report());
    let table = table.split("\n\n").last().unwrap().to_owned();
    let row = |line: &str| {
        let pair = line.strip_prefix("transfers.compared,").unwrap();
        let (pair, _) = pair.split_once(",1.").or_else(|| pair.split_once(",0.")).unwrap();
        pair.replace('"', "")
    };
    table.lines().skip(1).map(row).collect()
}

#[test]
fn pair_is_of_one_variant() {
    let blocks = |process: u32| -> Vec<Block> {
        let block = |cell: u32, arm: &str, method: &str, variant: &str| {
            let unit_ns = 1_100_000 + 100_000 * u64::from(cell);
            transfer(cell, process, arm, method, unit_ns).variant(variant)
        };
        let of_variant = |first: u32, variant: &str| {
            let wasm = ["insert", "copy"].into_iter().zip(first..);
            let wasm = wasm.map(|(method, cell)| block(cell, "wasm", method, variant)).collect::<Vec<_>>();
            [wasm, vec![block(first + 2, "native", "copy", variant)]].concat()
        };
        [of_variant(0, "old"), of_variant(3, "new")].concat()
    };
    let mut found = compared(&blocks);
    found.sort();
    let expect = [
        "pg-dest/load copy, wasm+new / native+new,rows=1000",
        "pg-dest/load copy, wasm+old / native+old,rows=1000",
        "pg-dest/load wasm+new, copy / insert,rows=1000",
        "pg-dest/load wasm+old, copy / insert,rows=1000",
    ];
    assert_eq!(found, expect);
}

#[test]
fn pair_is_of_one_server_and_names_the_arguments_of_its_baseline() {
    let blocks = |process: u32| -> Vec<Block> {
        let block = |cell: u32, arm: &str, server: &str| {
            let unit_ns = 1_100_000 + 100_000 * u64::from(cell);
            transfer(cell, process, arm, "insert", unit_ns).argument("database_url", server)
        };
        let client = |cell: u32, folder: &str| {
            let block = Block::new(cell, process, "psql/insert", "native").argument("rows", 1_000_i64);
            let block = block.argument("database_url", "postgres://a").argument("folder", folder);
            block.timed(1, [9_600_000, 9_601_000 + u64::from(process)])
        };
        let servers = ["postgres://a", "postgres://b"].into_iter().zip([0, 2]);
        let loads = servers.flat_map(|(server, cell)| [block(cell, "wasm", server), block(cell + 1, "native", server)]);
        loads.chain([client(4, "disk"), client(5, "memory")]).collect()
    };
    let mut found = compared(&blocks);
    found.sort();
    let expect = [
        "pg-dest/load insert native / psql/insert,rows=1000 database_url=postgres://a folder=disk",
        "pg-dest/load insert native / psql/insert,rows=1000 database_url=postgres://a folder=memory",
        "pg-dest/load insert wasm / psql/insert,rows=1000 database_url=postgres://a folder=disk",
        "pg-dest/load insert wasm / psql/insert,rows=1000 database_url=postgres://a folder=memory",
        "pg-dest/load insert, wasm / native,rows=1000 database_url=postgres://a",
        "pg-dest/load insert, wasm / native,rows=1000 database_url=postgres://b",
    ];
    assert_eq!(found, expect);
}

#[test]
fn every_format_has_the_sections_of_transfers() {
    let view = run().view();
    let page = markdown(&view, Pipelines.report());
    assert!(page.contains("of which blocked") && page.contains("means side by side"), "{page}");
    let document: serde_json::Value = serde_json::from_str(&json(&view, Pipelines.report())).unwrap();
    let names: Vec<_> = document["sections"].as_array().unwrap().iter().map(|section| &section["name"]).collect();
    let breakdown = "transfers.breakdown";
    let side_by_side = "transfers.side-by-side";
    let expect = ["transfers.conditions", breakdown, breakdown, breakdown, side_by_side, "transfers.compared"];
    assert_eq!(names, expect);
    let source = &document["sections"][1]["parts"][1];
    assert_eq!((&source["name"], &source["values"]["mean"]["value"]), (&"source".into(), &11_000_500.into()));
    let ratio = &document["sections"][5]["rows"][0]["ratio_of_means"];
    assert!(["value", "low", "high"].iter().all(|part| ratio[part].is_number()), "{ratio}");
    let csv = csv(&view, Pipelines.report());
    let compared = csv.split("\n\n").last().unwrap();
    assert_snapshot!(compared, @r#"
    section,compared,arguments,ratio_of_means,ratio_of_means_low,ratio_of_means_high,processes,verdict
    transfers.compared,"pg-dest/load copy-binary, wasm / native",rows=1000,1.24999,1.24985,1.25012,3,different
    transfers.compared,pg-dest/load copy-binary wasm / psql/pipe,rows=1000,1.24999,1.24986,1.25012,3,different
    transfers.compared,"pg-dest/load native, copy-binary / insert",rows=1000,0.400012,0.399968,0.400057,3,different
    transfers.compared,pg-dest/load copy-binary native / psql/pipe,rows=1000,1,0.999871,1.00013,3,equivalent ±2 %
    "#);
}

#[test]
fn stages_of_each_side_are_bars_of_the_page() {
    let page = sample_run::page(&run(), Pipelines.report());
    assert!(page.contains("<h2>Family pipelines</h2>") && page.contains("aria-label=\"Stages of transfers\""));
    for side in ["source", "destination"] {
        assert_eq!(page.matches(&format!(">{side}: pg-dest/load ")).count(), 3, "{side}");
    }
    // Each once in the legend; a part of a stage is not a stage.
    for (stage, times) in [("fetch", 1), ("emit", 1), ("flush", 1), ("emit/blocked", 0)] {
        assert_eq!(page.matches(&format!(">{stage}</text>")).count(), times, "{stage}");
    }
    assert!(
        page.contains("aria-label=\"Ratios of transfers\"")
            && page.contains(">1.250×  different, n = 3 processes</text>")
    );
}

#[test]
fn one_process_is_not_compared_and_says_so() {
    let mut run = Run::begin(2, 1);
    for (cell, arm) in [(0, "wasm"), (1, "native")] {
        run.append(&transfer(cell, 0, arm, "copy", 1_000_000).records());
    }
    run.end(None);
    let text = text(&run.view(), Pipelines.report());
    assert!(text.contains("nothing is compared, because cells have fewer than two processes"), "{text}");
}

#[test]
fn cells_of_different_machines_have_no_ratio() {
    let (mut a, mut b) = (Part::new("a"), Part::new("b"));
    for process in 0..3 {
        a = a.block(transfer(0, process, "native", "insert", 2_000_000));
        a = a.block(transfer(1, process, "native", "copy", 1_000_000));
        b = b.block(transfer(2, process, "native", "copy-binary", 800_000));
        b = b.block(transfer(3, process, "wasm", "copy", 900_000));
    }
    let run = merged("r", "p", [a, b]);
    let shown = text(&run.view(), Pipelines.report());
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for expect in [
        "speed-up 1.000× 2.000× – no speed-up of copy-binary: measured on different machines (a, b)",
        "pg-dest/load native, copy / insert rows=1000 0.500×",
        "pg-dest/load native, copy-binary / insert rows=1000: measured on different machines (a, b)",
        "pg-dest/load copy, wasm / native rows=1000: measured on different machines (a, b)",
    ] {
        assert!(shown.contains(expect), "{expect}: {shown}");
    }
    let page = sample_run::page(&run, Pipelines.report());
    let ratios = page.split("aria-label=\"Ratios of transfers\"").nth(1).unwrap();
    assert!(ratios.contains(">0.500×  ") && ratios.contains("copy, wasm / native rows=1000: measured on different"));
    let a = Part::new("a").block(transfer(0, 0, "native", "copy", 1_000_000));
    let b = Part::new("b").block(transfer(1, 0, "wasm", "copy", 1_000_000));
    let shown = text(&merged("r", "p", [a, b]).view(), Pipelines.report());
    assert!(shown.contains("wasm / native rows=1000: measured on different machines (a, b)"), "{shown}");
    assert!(!shown.contains("fewer than two processes"), "{shown}");
}
