//! The tables of a run, as snapshots.

use crate::fixture::{Block, Run, calibration, eventful, markdown, text};
use bench_report::{Detail, Layout, Renderer, Text, run_document};
use bench_sink::environment::Witness;
use bench_sink::runfile::{Status, When};
use insta::assert_snapshot;
use unicode_width::UnicodeWidthStr;

#[test]
fn arms_stand_next_to_each_other_and_what_is_amiss_below() {
    assert_snapshot!(text(&eventful().view()), @r"
      arm     payload_bytes            n     p50     p90     p99      max        rate  limit  check
    ring/stream  (limit: memory-read)
      wasm               64  1000 × 1024  500 ns  900 ns  990 ns  1.00 µs   122 MiB/s   142×  ok
      native             64  1000 × 1024  125 ns  225 ns  248 ns   250 ns   488 MiB/s    36×  ok
      wasm              4Ki           40   10 ns       –       –    20 ns  5.96 GiB/s   2.8×  ok
      native            4Ki            –       –       –       –        –                  –  FAILED

    broken.wasm: refused: not a component:\nbad magic
    ring/roundtrip native: skipped: needs 4 processors, there are 2
    ring/stream native payload_bytes=4096: failed: check `payload` failed: \u{1b}[31m1 of 64
    1 of 6 cells were not run: interrupted
    memory-read drifted by +20 % during the run: 0.0500 ns/By before, 0.0600 ns/By after; compare figures with care

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 2 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    1 further series not shown: --all-series
    ");
}

#[test]
fn markdown_has_the_same_rows_and_no_markup_of_modules() {
    assert_snapshot!(markdown(&eventful().view()), @r"
    | scenario | arm | payload_bytes | n | p50 | p90 | p99 | p99.9 | max | rate | limit | check |
    | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- |
    | ring/stream (limit: memory-read) | wasm | 64 | 1000 × 1024 | 500 ns | 900 ns | 990 ns | – | 1.00 µs | 122 MiB/s | 142× | ok |
    | ring/stream (limit: memory-read) | native | 64 | 1000 × 1024 | 125 ns | 225 ns | 248 ns | – | 250 ns | 488 MiB/s | 36× | ok |
    | ring/stream (limit: memory-read) | wasm | 4Ki | 40 | 10 ns | – | – | – | 20 ns | 5.96 GiB/s | 2.8× | ok |
    | ring/stream (limit: memory-read) | native | 4Ki | – | – | – | – | – | – |  | – | FAILED |

    - broken.wasm: refused: not a component:\\nbad magic
    - ring/roundtrip native: skipped: needs 4 processors, there are 2
    - ring/stream native payload_bytes=4096: failed: check \`payload\` failed: \\u{1b}\[31m1 of 64
    - 1 of 6 cells were not run: interrupted
    - memory-read drifted by +20 % during the run: 0.0500 ns/By before, 0.0600 ns/By after; compare figures with care

    - A Processor × 2, linux 6.1.0, load 0.50
    - bench-host 0.1.0; 2 processes × 1 s per cell; seed 7
    - per operation; n = samples × operations per sample; –: not measured, or too few samples
    - limit: how many times what the machine itself takes, see \`bench-host doctor\`
    - 1 further series not shown: --all-series
    ");
}

#[test]
fn a_run_without_trouble_has_no_notes() {
    let mut run = Run::begin(1, 1);
    run.append(&Block::new(0, 0, "m/s", "wasm").timed(1, 1..=1000).records());
    run.end(None);
    assert_snapshot!(text(&run.view()), @r"
      arm      n     p50     p90     p99      max       rate  check
    m/s
      wasm  1000  500 ns  900 ns  990 ns  1.00 µs  122 MiB/s  ok

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn a_killed_run_shows_what_it_has() {
    let mut run = Run::begin(2, 3);
    run.append(&Block::new(0, 0, "m/s", "wasm").timed(1, 1..=1000).records());
    run.append(&Block::new(0, 1, "m/s", "wasm").timed(4, 1..=1000).records());
    run.tear();
    assert_snapshot!(text(&run.view()), @r"
      arm           n     p50     p90     p99      max       rate  check
    m/s
      wasm  2000 × ~3  200 ns  800 ns  980 ns  1.00 µs  305 MiB/s  ok

    m/s wasm: 2 of 3 processes finished
    1 of 2 cells were not run: the run file has no end, so the run was killed or is still going on
    line 10 of the run file was never finished; its 11 bytes are left out

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn lost_samples_are_counted_and_twins_told_apart_by_their_file() {
    let mut run = Run::begin(2, 1);
    let mut first = Block::new(0, 0, "m/s", "wasm").timed(1, 1..=1000);
    first.outcome.lost = Some(3);
    let mut second = Block::new(1, 0, "m/s", "wasm").ended(Status::Failed, "no");
    second.cell.module.file = "other/\u{202e}wasm".to_owned();
    run.append(&first.records());
    run.append(&second.records());
    run.end(None);
    assert_snapshot!(text(&run.view()), @r"
      arm      n     p50     p90     p99      max       rate  check
    m/s (plugins/wasm)
      wasm  1000  500 ns  900 ns  990 ns  1.00 µs  122 MiB/s  ok
    m/s (other/\u{202e}wasm)
      wasm     –       –       –       –        –             FAILED

    m/s (plugins/wasm) wasm: 3 samples were lost, late or failed; 1000 were recorded
    m/s (other/\u{202e}wasm) wasm: failed: no

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

/// A scenario of several arguments, of which one is the same in all cells, and one with a single cell.
fn wide() -> Run {
    let mut run = Run::begin(10, 3);
    let mut cell = 0;
    for (transport, placement) in [("shm-ring-spin", "same"), ("shm-ring-spin", "cross"), ("unix-stream", "same")] {
        for bytes in [64, 4096, 1 << 20] {
            for process in 0..3 {
                let block = Block::new(cell, process, "ipc/ping-pong", "native")
                    .argument("transport", transport)
                    .argument("placement", placement)
                    .argument("payload_bytes", bytes)
                    .argument("connections", 1)
                    .limit("cache-line");
                run.append(&block.timed(16, (1..=20_000).map(|n| n * 16)).records());
            }
            cell += 1;
        }
    }
    for process in 0..3 {
        run.append(&Block::new(cell, process, "kernels/sort", "wasm").timed(1, [3_000_000; 2]).records());
    }
    run.append(&[calibration(When::Before, &[("cache-line", Some(50.0))])]);
    run.end(None);
    run
}

fn at_width(width: usize) -> String {
    let document = run_document(&wide().view(), &[], Detail::default());
    Text.render(&document, &Layout { width, ..Layout::default() })
}

#[test]
fn the_table_fits_80_columns() {
    assert_snapshot!(at_width(80), @r"
      arm     arguments                         n      p50        rate  limit  check
    ipc/ping-pong  connections=1 (limit: cache-line)
      native  transport=shm-ring-spin  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=cross
              payload_bytes=64
      native  transport=shm-ring-spin  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=cross
              payload_bytes=4Ki
      native  transport=shm-ring-spin  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=cross
              payload_bytes=1Mi
      native  transport=shm-ring-spin  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=same
              payload_bytes=64
      native  transport=shm-ring-spin  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=same
              payload_bytes=4Ki
      native  transport=shm-ring-spin  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=same
              payload_bytes=1Mi
      native  transport=unix-stream    60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=same
              payload_bytes=64
      native  transport=unix-stream    60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=same
              payload_bytes=4Ki
      native  transport=unix-stream    60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
              placement=same
              payload_bytes=1Mi

      arm   n           p50  p99      max        rate  check
    kernels/sort
      wasm  6  mean 3.00 ms    –  3.00 ms  20.8 KiB/s  ok

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn the_table_fits_100_columns() {
    assert_snapshot!(at_width(100), @r"
      arm     transport      placement  payload_bytes           n      p50        rate  limit  check
    ipc/ping-pong  connections=1 (limit: cache-line)
      native  shm-ring-spin  cross                 64  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  cross                4Ki  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  cross                1Mi  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  same                  64  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  same                 4Ki  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  same                 1Mi  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  unix-stream    same                  64  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  unix-stream    same                 4Ki  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok
      native  unix-stream    same                 1Mi  60.0k × 16  10.0 µs  6.10 MiB/s   200×  ok

      arm   n           p50  p99      max        rate  check
    kernels/sort
      wasm  6  mean 3.00 ms    –  3.00 ms  20.8 KiB/s  ok

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn row_of_a_disturbed_cell_is_marked_and_fits_100_columns() {
    let witness = Some(Witness { wall_ns: 100, others_busy_ns: Some(40), ..Witness::default() });
    let mut run = wide();
    let mut disturbed = Block::new(0, 3, "ipc/ping-pong", "native").timed(16, [160_000; 20]);
    let mut failed = Block::new(10, 0, "kernels/sort", "process").ended(Status::Failed, "no");
    (disturbed.outcome.witness, failed.outcome.witness) = (witness, witness);
    run.append(&disturbed.records());
    run.append(&failed.records());
    let view = run.view();
    let document = run_document(&view, &[], Detail::default());
    let text = Text.render(&document, &Layout { width: 100, ..Layout::default() });
    let rows: Vec<&str> = text.split("\n\n").take(2).flat_map(str::lines).collect();
    assert!(rows.iter().map(|row| row.width()).max() <= Some(100) && rows[0].contains("  placement  "), "{text}");
    let last_words = |start: &str| {
        let rows = rows.iter().filter(|row| row.trim_start().starts_with(start));
        rows.filter_map(|row| row.split_whitespace().last()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(last_words("native  shm-ring-spin  same"), "disturbed ok ok", "{text}");
    // A failed cell has no figure that could carry a warning.
    assert_eq!((last_words("wasm"), last_words("process")), ("ok".to_owned(), "FAILED".to_owned()), "{text}");
    assert_eq!(markdown(&view).matches(" | disturbed |").count(), 1);
}

#[test]
fn the_table_fits_200_columns() {
    assert_snapshot!(at_width(200), @r"
      arm     transport      placement  payload_bytes           n      p50      p90      p99    p99.9      max        rate  limit  check
    ipc/ping-pong  connections=1 (limit: cache-line)
      native  shm-ring-spin  cross                 64  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  cross                4Ki  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  cross                1Mi  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  same                  64  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  same                 4Ki  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  shm-ring-spin  same                 1Mi  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  unix-stream    same                  64  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  unix-stream    same                 4Ki  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok
      native  unix-stream    same                 1Mi  60.0k × 16  10.0 µs  18.0 µs  19.8 µs  20.0 µs  20.0 µs  6.10 MiB/s   200×  ok

      arm   n           p50  p99      max        rate  check
    kernels/sort
      wasm  6  mean 3.00 ms    –  3.00 ms  20.8 KiB/s  ok

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn tail_is_kept_longer_than_a_rate_of_operations() {
    let mut run = Run::begin(1, 1);
    let mut block = Block::new(0, 0, "m/s", "wasm").timed(1, 1..=1000);
    block.outcome.bytes = 0;
    run.append(&block.records());
    run.end(None);
    let document = run_document(&run.view(), &[], Detail::default());
    let heading = |width: usize| {
        let text = Text.render(&document, &Layout { width, ..Layout::default() });
        text.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(heading(100), "arm n p50 p90 p99 max rate check");
    assert_eq!(heading(40), "arm n p50 p99 check");
}

#[test]
fn no_table_is_wider_than_the_terminal_unless_the_user_wants_it() {
    let widest = |text: &str| text.lines().take_while(|line| !line.is_empty()).map(UnicodeWidthStr::width).max();
    for width in [72, 80, 100, 120, 200] {
        assert!(widest(&at_width(width)) <= Some(width), "{width}: {}", at_width(width));
    }
    let document = run_document(&wide().view(), &[], Detail::default());
    let wide = Text.render(&document, &Layout { width: 80, is_wide: true, ..Layout::default() });
    assert!(widest(&wide) > Some(80) && wide.contains("p99.9"), "{wide}");
}

#[test]
fn every_series_and_every_cell_is_shown_on_request() {
    let detail = Detail { all_series: true, all_cells: true };
    let document = run_document(&eventful().view(), &[], detail);
    assert_snapshot!(Text.render(&document, &Layout::default()), @r"
      arm     n  p50  p99  check
    ring/roundtrip  (limit: cache-line)
      native  –    –    –  skipped

      arm               payload_bytes            n       p50     p99        rate  limit  check
    ring/stream  (limit: memory-read)
      wasm                         64  1000 × 1024    500 ns  990 ns   122 MiB/s   142×  ok
      native                       64  1000 × 1024    125 ns  248 ns   488 MiB/s    36×  ok
      wasm                        4Ki           40     10 ns       –  5.96 GiB/s   2.8×  ok
      ↳ lag{side=left}                          20  2.00 KiB       –
      native                      4Ki            –         –       –                  –  FAILED

    broken.wasm: refused: not a component:\nbad magic
    ring/roundtrip native: skipped: needs 4 processors, there are 2
    ring/stream native payload_bytes=4096: failed: check `payload` failed: \u{1b}[31m1 of 64
    1 of 6 cells were not run: interrupted
    memory-read drifted by +20 % during the run: 0.0500 ns/By before, 0.0600 ns/By after; compare figures with care

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 2 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn a_reason_that_cells_share_is_said_once() {
    let mut run = Run::begin(6, 1);
    for (cell, scenario) in (0..).zip(["a/x", "a/x", "a/y", "b/z"]) {
        let block = Block::new(cell, 0, scenario, "native").argument("n", i64::from(cell));
        run.append(&block.ended(Status::Skipped, "needs 4 processors, there are 2").records());
    }
    run.append(&Block::new(4, 0, "b/z", "wasm").ended(Status::Failed, "trap").records());
    run.append(&Block::new(5, 0, "b/z", "native").timed(1, 1..=1000).records());
    run.end(None);
    assert_snapshot!(text(&run.view()), @r"
      arm        n     p50     p90     p99      max       rate  check
    b/z
      wasm       –       –       –       –        –             FAILED
      native  1000  500 ns  900 ns  990 ns  1.00 µs  122 MiB/s  ok

    4 cells of a/x, a/y, b/z: skipped: needs 4 processors, there are 2 (-v lists them)
    b/z wasm: failed: trap

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn variants_stand_behind_the_arm_they_are_variants_of() {
    let mut run = Run::begin(3, 1);
    run.append(&Block::new(0, 0, "m/s", "wasm").variant("fuel").timed(1, 1..=1000).records());
    run.append(&Block::new(1, 0, "m/s", "native").timed(1, 1..=1000).records());
    run.append(&Block::new(2, 0, "m/s", "wasm").timed(1, 1..=1000).records());
    let text = text(&run.view());
    let arms: Vec<_> = text.lines().skip(2).take(3).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(arms, ["wasm", "wasm+fuel", "native"]);
}

#[test]
fn no_line_has_trailing_spaces_or_is_wrapped() {
    let mut run = Run::begin(1, 1);
    run.append(
        &Block::new(0, 0, "m/s", "wasm").argument("path", "x".repeat(500).as_str()).timed(1, 1..=1000).records(),
    );
    run.end(None);
    let text = text(&run.view());
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    assert!(text.lines().any(|line| line.len() > 500), "{text}");
}
