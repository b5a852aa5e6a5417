//! What a person reads of rows that were moved: a tree of stages, ways side by side, and ratios. Knows how it looks, not how
//! figures come about.

use crate::fixture::{Block, Run};
use bench_model::Unit;
use bench_report::{Style, table};
use insta::assert_snapshot;

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
    assert_snapshot!(table(&run().view(), Style::Table), @r"
    scenario      arm     arguments                          n  p50  p99      max  limit  check
    pg-dest/load  wasm    rows=1000 load_method=copy-binary  6    –    –  12.0 ms      –  ok
    pg-dest/load  native  rows=1000 load_method=copy-binary  6    –    –  9.60 ms      –  ok
    pg-dest/load  native  rows=1000 load_method=insert       6    –    –  24.0 ms      –  ok
    psql/pipe     native  rows=10                            6    –    –  1.00 µs      –  ok
    psql/pipe     native  rows=1000                          6    –    –  9.60 ms      –  ok

    with fsync=on

    pg-dest/load wasm rows=1000 load_method=copy-binary: 1000 rows read, 1000 written; 128 KiB read, 128 KiB written, 64.0 KiB in between, 6 repetitions in 3 proc.
      duration              12.0 ms         83.3k rows/s, 10.4 MiB/s
      source                11.0 ms         4 host calls
        fetch               6.00 ms   55 %
        emit                4.00 ms   36 %
          of which blocked  3.00 ms   27 %
        other               1.00 ms  9.1 %
        module load          500 µs         once, before, cached code
      destination           12.0 ms         4 host calls
        flush               10.0 ms   83 %
        module load          500 µs         once, before

    pg-dest/load native rows=1000 load_method=copy-binary: 1000 rows read, 1000 written; 128 KiB read, 128 KiB written, 64.0 KiB in between, 6 repetitions in 3 proc.
      duration              9.60 ms         104k rows/s, 13.0 MiB/s
      source                8.80 ms         4 host calls
        fetch               4.80 ms   55 %
        emit                3.20 ms   36 %
          of which blocked  2.40 ms   27 %
        other                800 µs  9.1 %
        module load          500 µs         once, before, cached code
      destination           9.60 ms         4 host calls
        flush               8.00 ms   83 %
        module load          500 µs         once, before

    pg-dest/load native rows=1000 load_method=insert: 1000 rows read, 1000 written; 128 KiB read, 128 KiB written, 64.0 KiB in between, 6 repetitions in 3 proc.
      duration              24.0 ms         41.7k rows/s, 5.21 MiB/s
      source                22.0 ms         4 host calls
        fetch               12.0 ms   55 %
        emit                8.00 ms   36 %
          of which blocked  6.00 ms   27 %
        other               2.00 ms  9.1 %
        module load          500 µs         once, before, cached code
      destination           24.0 ms         4 host calls
        flush               20.0 ms   83 %
        module load          500 µs         once, before

    pg-dest/load native rows=1000, means side by side
                     insert  copy-binary
      duration      24.0 ms      9.60 ms
      source        22.0 ms      8.80 ms
        fetch       12.0 ms      4.80 ms
        emit        8.00 ms      3.20 ms
        other       2.00 ms       800 µs
      destination   24.0 ms      9.60 ms
        flush       20.0 ms      8.00 ms
      rows/s          41.7k         104k
      bytes/s      5.21 MiB     13.0 MiB
      speed-up       1.000×       2.500×

    compared                                     arguments  of means  95 % interval  processes  verdict
    pg-dest/load copy-binary, wasm / native      rows=1000    1.250×    1.250–1.250          3  different
    pg-dest/load native, copy-binary / insert    rows=1000    0.400×    0.400–0.400          3  different
    pg-dest/load copy-binary native / psql/pipe  rows=1000    1.000×    1.000–1.000          3  equivalent ±2 %

    A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`
    ");
}

#[test]
fn a_page_has_every_series_as_a_row() {
    let page = table(&run().view(), Style::Markdown);
    assert!(page.contains("stage{side=source,name=emit/blocked}") && !page.contains("of which"), "{page}");
}

#[test]
fn one_process_is_not_compared_and_says_so() {
    let mut run = Run::begin(2, 1);
    for (cell, arm) in [(0, "wasm"), (1, "native")] {
        run.append(&transfer(cell, 0, arm, "copy", 1_000_000).records());
    }
    run.end(None);
    let text = table(&run.view(), Style::Table);
    assert!(text.contains("nothing is compared, because cells have fewer than two processes"), "{text}");
}
