//! The tables that a person reads, whole. Knows how they look, not how figures come about.

use crate::fixture::{Block, Run, eventful};
use bench_report::{Style, table};
use bench_sink::runfile::Status;
use insta::assert_snapshot;

#[test]
fn arms_stand_next_to_each_other_and_what_is_amiss_below() {
    assert_snapshot!(table(&eventful().view(), Style::Table), @r#"
    scenario            arm     arguments                     n       p50     p99       max             limit  check
    ring/roundtrip      native                                –         –       –         –                 –  skipped
    ring/stream         wasm    payload_bytes=64    1000 × 1024    500 ns  990 ns   1.00 µs  142× memory-read  ok
    ring/stream         native  payload_bytes=64    1000 × 1024    125 ns  248 ns    250 ns   36× memory-read  ok
    ring/stream         wasm    payload_bytes=4096           40     10 ns       –     20 ns  2.8× memory-read  ok
      ↳ lag{side=left}                                       20  2.00 KiB       –  2.00 KiB
    ring/stream         native  payload_bytes=4096            –         –       –         –                 –  FAILED

    broken.wasm: refused: not a component:\nbad magic
    ring/roundtrip native: skipped: needs 4 processors, there are 2
    ring/stream native payload_bytes=4096: failed: check `payload` failed: \u{1b}[31m1 of 64
    1 of 6 cells were not run: interrupted
    memory-read drifted by +20 % during the run: 0.0500 ns/By before, 0.0600 ns/By after; compare figures with care

    A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 2 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`
    "#);
}

#[test]
fn markdown_has_the_same_rows_and_no_markup_of_modules() {
    assert_snapshot!(table(&eventful().view(), Style::Markdown), @r#"
    | scenario | arm | arguments | n | p50 | p99 | max | limit | check |
    | --- | --- | --- | --: | --: | --: | --: | --: | --- |
    | ring/roundtrip | native |  | – | – | – | – | – | skipped |
    | ring/stream | wasm | payload_bytes=64 | 1000 × 1024 | 500 ns | 990 ns | 1.00 µs | 142× memory-read | ok |
    | ring/stream | native | payload_bytes=64 | 1000 × 1024 | 125 ns | 248 ns | 250 ns | 36× memory-read | ok |
    | ring/stream | wasm | payload_bytes=4096 | 40 | 10 ns | – | 20 ns | 2.8× memory-read | ok |
    | ↳ lag{side=left} |  |  | 20 | 2.00 KiB | – | 2.00 KiB |  |  |
    | ring/stream | native | payload_bytes=4096 | – | – | – | – | – | FAILED |

    - broken.wasm: refused: not a component:\\nbad magic
    - ring/roundtrip native: skipped: needs 4 processors, there are 2
    - ring/stream native payload_bytes=4096: failed: check \`payload\` failed: \\u{1b}\[31m1 of 64
    - 1 of 6 cells were not run: interrupted
    - memory-read drifted by +20 % during the run: 0.0500 ns/By before, 0.0600 ns/By after; compare figures with care

    - A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 2 processes × 1 s per cell; seed 7
    - per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`
    "#);
}

#[test]
fn a_run_without_trouble_has_no_notes() {
    let mut run = Run::begin(1, 1);
    run.append(&Block::new(0, 0, "m/s", "wasm").timed(1, 1..=1000).records());
    run.end(None);
    assert_snapshot!(table(&run.view(), Style::Table), @r#"
    scenario  arm   arguments     n     p50     p99      max  limit  check
    m/s       wasm             1000  500 ns  990 ns  1.00 µs      –  ok

    A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`
    "#);
}

#[test]
fn a_killed_run_shows_what_it_has() {
    let mut run = Run::begin(2, 3);
    run.append(&Block::new(0, 0, "m/s", "wasm").timed(1, 1..=1000).records());
    run.append(&Block::new(0, 1, "m/s", "wasm").timed(4, 1..=1000).records());
    run.tear();
    assert_snapshot!(table(&run.view(), Style::Table), @r#"
    scenario  arm   arguments          n     p50     p99      max  limit  check
    m/s       wasm             2000 × ~3  200 ns  980 ns  1.00 µs      –  ok

    m/s wasm: 2 of 3 processes finished
    1 of 2 cells were not run: the run file has no end, so the run was killed or is still going on
    line 10 of the run file was never finished; its 11 bytes are left out

    A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`
    "#);
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
    assert_snapshot!(table(&run.view(), Style::Table), @r#"
    scenario                  arm   arguments     n     p50     p99      max  limit  check
    m/s (plugins/wasm)        wasm             1000  500 ns  990 ns  1.00 µs      –  ok
    m/s (other/\u{202e}wasm)  wasm                –       –       –        –      –  FAILED

    m/s (plugins/wasm) wasm: 3 samples were lost, late or failed; 1000 were recorded
    m/s (other/\u{202e}wasm) wasm: failed: no

    A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`
    "#);
}

#[test]
fn variants_stand_behind_the_arm_they_are_variants_of() {
    let mut run = Run::begin(3, 1);
    run.append(&Block::new(0, 0, "m/s", "wasm").variant("fuel").timed(1, 1..=1000).records());
    run.append(&Block::new(1, 0, "m/s", "native").timed(1, 1..=1000).records());
    run.append(&Block::new(2, 0, "m/s", "wasm").timed(1, 1..=1000).records());
    let text = table(&run.view(), Style::Table);
    let arms: Vec<_> = text.lines().skip(1).take(3).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(arms, ["wasm", "wasm+fuel", "native"]);
}

#[test]
fn no_line_has_trailing_spaces_or_is_wrapped() {
    let mut run = Run::begin(1, 1);
    run.append(
        &Block::new(0, 0, "m/s", "wasm").argument("path", "x".repeat(500).as_str()).timed(1, 1..=1000).records(),
    );
    run.end(None);
    let text = table(&run.view(), Style::Table);
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    assert!(text.lines().any(|line| line.len() > 500), "{text}");
}
