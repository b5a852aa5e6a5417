//! The comparison as a person and as a program read it, whole.

use crate::compared::{BATCH, OPTIONS, SideRun, of_pairs, side, steady_arms, three_arms, turns, wobbling};
use crate::fixture::{Block, Run, calibration, compared, module};
use bench_report::{
    ComparisonDetail, ComparisonReport, Csv, Json, Layout, Markdown, Renderer, Text, comparison_document,
};
use bench_sink::environment::Witness;
use bench_sink::runfile::{ModuleRecord, Record, Status, When};
use insta::assert_snapshot;
use unicode_width::UnicodeWidthStr;

/// Arms that differ, arms that do not, and arms of which it cannot be said.
fn varied() -> Run {
    let mut run = three_arms(10);
    for process in 0..10 {
        let block = |cell, arm| Block::new(cell, process, "ring/echo", arm);
        let far = 10.0 * f64::from(process % 3);
        run.append(&turns(vec![
            block(3, "native").timed(BATCH, wobbling(100.0, process, 0)),
            block(4, "native-cpu").timed(BATCH, wobbling(100.2, process, 1)),
            block(5, "wasm").timed(BATCH, wobbling(95.0 + far, process, 2)),
        ]));
    }
    run
}

#[test]
fn candidates_stand_below_each_other_and_then_where_the_time_went() {
    assert_snapshot!(compared(&Text, &of_pairs(&varied())), @r"
      verdict                      ratio  95 % interval  compared             baseline  candidate
    ring/echo
      undecided: ~11k more pairs  1.046×    0.935–1.171  wasm / native          100 ns     105 ns
      equivalent ±2 %             1.002×    1.002–1.002  native-cpu / native    100 ns     100 ns
    ring/stream  payload_bytes=64
      different                   1.500×    1.499–1.500  wasm / native          100 ns     150 ns
      different                   1.500×    1.500–1.500  wasm+fuel / native     100 ns     150 ns

    ring/stream payload_bytes=64 wasm
                            mean          ±  share
      an operation        154 ns  ± 2.17 ns
        lower arguments    20 ns     ± 0 ns   13 %
        in the module      40 ns     ± 0 ns   26 %
        residual         94.5 ns  ± 2.17 ns   61 %
      once: read 150 µs, map 400 µs, instantiate 13.0 µs, first call 2.10 µs
      boundary: empty call 117 ns
      observing stretched an operation by 1.4×: 216 ns, 4 events of 12.5 ns each
      n 50.0k observed in 10 proc.
      wasm: 1204 instructions, 2.5 host calls (wasi:clocks/monotonic-clock#now 2, ring:io/\u{1b}bytes#read 0.50), 64 B lifted, 0 B lowered an operation (n 100)
      wasm: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 10.0k)
      wasm: machine code 175 KiB; process memory up to 24.0 MiB
      native: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 10.0k)
      native: process memory up to 24.0 MiB

    ring/echo wasm: samples have 2 modes: 95.0 ns (40 %), 106 ns (60 %); n 2000; the median says less than these

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 10 processes × 1 s for all arms, interleaved; seed 7
    ratio = candidate / baseline, of median times with processes brought to one level
    interval 95 %, bootstrap over whole processes, seed 7; A/A = an arm against itself
    verdicts are Holm-adjusted over 4 comparisons; equivalent = within ±2 %; –: not measured, or too few samples
    ");
}

fn at_width(width: usize) -> String {
    Text.render(
        &comparison_document(&of_pairs(&varied()), ComparisonDetail::default()),
        &Layout { width, breaks_notes: true, ..Layout::default() },
    )
}

#[test]
fn the_table_fits_80_columns_and_names_the_option_for_the_breakdown() {
    assert_snapshot!(at_width(80), @r"
      verdict         ratio  95 % interval  compared             baseline  candidate
    ring/echo
      undecided:     1.046×    0.935–1.171  wasm / native          100 ns     105 ns
      ~11k more
      pairs
      equivalent ±2  1.002×    1.002–1.002  native-cpu / native    100 ns     100 ns
      %
    ring/stream  payload_bytes=64
      different      1.500×    1.499–1.500  wasm / native          100 ns     150 ns
      different      1.500×    1.500–1.500  wasm+fuel / native     100 ns     150 ns

    ring/echo wasm: samples have 2 modes: 95.0 ns (40 %), 106 ns (60 %); n 2000; the
        median says less than these

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 10 processes × 1 s for all arms, interleaved; seed 7
    ratio = candidate / baseline, of median times with processes brought to one
        level
    interval 95 %, bootstrap over whole processes, seed 7; A/A = an arm against
        itself
    verdicts are Holm-adjusted over 4 comparisons; equivalent = within ±2 %; –: not
        measured, or too few samples
    where the time goes: --breakdown
    ");
}

#[test]
fn the_table_fits_any_terminal() {
    for width in [80, 100, 120, 200] {
        let text = at_width(width);
        let table = text.lines().take_while(|line| !line.is_empty());
        assert!(table.map(UnicodeWidthStr::width).max() <= Some(width), "{width}: {text}");
    }
}

#[test]
fn markdown_has_the_same() {
    assert_snapshot!(compared(&Markdown, &of_pairs(&three_arms(3))), @r"
    | scenario | verdict | ratio | 95 % interval | compared | baseline | candidate | of means | A/A | pairs | proc. |
    | --- | --- | --: | --: | --- | --: | --: | --: | --: | --: | --: |
    | ring/stream payload_bytes=64 | different | 1.500× | 1.498–1.502 | wasm / native | 100 ns | 150 ns | 1.500× | ± 0.10 % | 600 | 3 |
    | ring/stream payload_bytes=64 | different | 1.500× | 1.499–1.502 | wasm+fuel / native | 100 ns | 150 ns | 1.500× | ± 0.068 % | 600 | 3 |

    ### ring/stream payload_bytes=64 wasm

    | part | mean | ± | share |
    | --- | --: | --: | --: |
    | an operation | 151 ns | ± 2.48 ns |  |
    |  lower arguments | 20 ns | ± 0 ns | 13 % |
    |  in the module | 40 ns | ± 0 ns | 26 % |
    |  residual | 91 ns | ± 2.48 ns | 60 % |

    - once: read 150 µs, map 400 µs, instantiate 13.0 µs, first call 2.10 µs
    - boundary: empty call 117 ns
    - observing stretched an operation by 1.4×: 211 ns, 4 events of 12.5 ns each
    - n 15.0k observed in 3 proc.
    - wasm: 1204 instructions, 2.5 host calls (wasi:clocks/monotonic-clock\#now 2, ring:io/\\u{1b}bytes\#read 0.50), 64 B lifted, 0 B lowered an operation (n 30)
    - wasm: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 3000)
    - wasm: machine code 175 KiB; process memory up to 24.0 MiB
    - native: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 3000)
    - native: process memory up to 24.0 MiB

    - A Processor × 2, linux 6.1.0, load 0.50
    - bench-host 0.1.0; 3 processes × 1 s for all arms, interleaved; seed 7
    - ratio = candidate / baseline, of median times with processes brought to one level
    - interval 95 %, bootstrap over whole processes, seed 7; A/A = an arm against itself
    - verdicts are Holm-adjusted over 2 comparisons; equivalent = within ±2 %; –: not measured, or too few samples
    ");
}

/// Arms that are equal, that failed and that were skipped, in too few processes, on a machine that drifted.
fn troubled() -> Run {
    let mut run = Run::begin(6, 2);
    for process in 0..2 {
        let block = |cell, scenario, arm| Block::new(cell, process, scenario, arm);
        run.append(&turns(vec![
            block(0, "ring/stream", "native").timed(BATCH, wobbling(100.0, process, 0)),
            block(1, "ring/stream", "wasm").timed(BATCH, wobbling(100.0, process, 1)),
        ]));
        run.append(&turns(vec![
            block(2, "ring/trap\u{1b}[31m", "native").timed(BATCH, wobbling(100.0, process, 0)),
            block(3, "ring/trap\u{1b}[31m", "wasm").ended(Status::Failed, "trap: \u{1b}unreachable"),
        ]));
        run.append(&turns(vec![
            block(4, "ring/wide", "native").ended(Status::Skipped, "needs 4 processors, there are 2"),
            block(5, "ring/wide", "wasm").ended(Status::Skipped, "needs 4 processors, there are 2"),
        ]));
    }
    run.append(&[calibration(When::Before, &[("clock", Some(20.0))])]);
    run.append(&[calibration(When::After, &[("clock", Some(25.0))])]);
    run.end(None);
    run
}

#[test]
fn problems_are_noted_with_a_next_step() {
    assert_snapshot!(compared(&Text, &of_pairs(&troubled())), @r"
      verdict    ratio  95 % interval  compared       baseline  candidate       A/A  pairs  proc.
    ring/stream
      withheld  1.000×    0.992–1.008  wasm / native    100 ns     100 ns  ± 0.42 %    400      2
    ring/trap\u{1b}[31m
      FAILED         –              –  wasm / native         –          –         –      –      –
    ring/wide
      skipped        –              –  wasm / native         –          –         –      –      –

    ring/trap\u{1b}[31m wasm: failed: trap: \u{1b}unreachable
    2 cells of ring/wide: skipped: needs 4 processors, there are 2 (-v lists them)
    1 comparison: verdict withheld: 2 processes cannot tell a difference from chance; measure with `--processes 3` or more
    clock drifted by +25 % during the run: 20 ns before, 25 ns after; compare figures with care

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 2 processes × 1 s for all arms, interleaved; seed 7
    ratio = candidate / baseline, of median times with processes brought to one level
    interval 95 %, bootstrap over whole processes, seed 7; A/A = an arm against itself
    –: not measured, or too few samples
    ");
}

#[test]
fn two_sides_say_which_runs_they_are() {
    let mut a = side("a", 4, 100.0, Some(12_040));
    let mut native = SideRun::new("a", 4, 100.0, Some(12_040));
    native
        .blocks
        .push(Block::new(1, 0, "ring/stream", "native").argument("payload_bytes", 64).timed(1, [9; 40]).records());
    a.push(native.file());
    let comparison = ComparisonReport::of_runs(a, side("b", 5, 150.0, Some(12_040)), &OPTIONS, false).unwrap();
    assert_snapshot!(compared(&Text, &comparison), @r"
      verdict     ratio  95 % interval  compared     baseline  candidate        A/A  pairs  proc.
    ring/stream  payload_bytes=64
      different  1.500×    1.499–1.501  wasm: B / A    100 ns     150 ns  ± 0.056 %   1000      5

    ring/stream payload_bytes=64
      wasm A: 1204 instructions, 2.5 host calls (wasi:clocks/monotonic-clock#now 2, ring:io/\u{1b}bytes#read 0.50), 64 B lifted, 0 B lowered an operation (n 50)
      wasm A: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 5000)
      wasm A: machine code 175 KiB; process memory up to 24.0 MiB
      wasm B: 1204 instructions, 2.5 host calls (wasi:clocks/monotonic-clock#now 2, ring:io/\u{1b}bytes#read 0.50), 64 B lifted, 0 B lowered an operation (n 50)
      wasm B: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 5000)
      wasm B: machine code 175 KiB; process memory up to 24.0 MiB

    ring/stream payload_bytes=64 native A: compared with nothing: B has no such cell; run the same scenarios, arms and arguments
    ring/stream payload_bytes=64 wasm: B / A: time moved and counts did not: environment or layout

    A: 5 runs, a0 to a4; A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    B: 5 runs, b0 to b4; A Processor × 2, linux 6.1.0, load 0.50; bench-host 0.1.0; 1 process × 1 s per cell; seed 7
    ratio = B / A, of median times
    interval 95 %, bootstrap over whole processes, seed 7; A/A = a process against its side
    verdicts are Holm-adjusted over 1 comparison; equivalent = within ±2 %; –: not measured, or too few samples
    ");
}

#[test]
fn a_single_process_has_medians_and_no_ratio() {
    assert_snapshot!(compared(&Text, &of_pairs(&three_arms(1))), @r"
      verdict   ratio  95 % interval  compared            baseline  candidate  pairs  proc.
    ring/stream  payload_bytes=64
      withheld      –              –  wasm / native         100 ns     150 ns    200      1
      withheld      –              –  wasm+fuel / native    100 ns     150 ns    200      1

    ring/stream payload_bytes=64 wasm
                           mean  share
      an operation       150 ns
        lower arguments   20 ns   13 %
        in the module     40 ns   27 %
        residual          90 ns   60 %
      once: read 150 µs, map 400 µs, instantiate 13.0 µs, first call 2.10 µs
      boundary: empty call 117 ns
      observing stretched an operation by 1.4×: 210 ns, 4 events of 12.5 ns each
      n 5000 observed in 1 proc.
      wasm: 1204 instructions, 2.5 host calls (wasi:clocks/monotonic-clock#now 2, ring:io/\u{1b}bytes#read 0.50), 64 B lifted, 0 B lowered an operation (n 10)
      wasm: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 1000)
      wasm: machine code 175 KiB; process memory up to 24.0 MiB
      native: 0.012 minor faults, 0 major faults, 0.0030 involuntary switches an operation (n 1000)
      native: process memory up to 24.0 MiB

    2 comparisons: a ratio needs two processes and a verdict 3; measure with `--processes 3` or more

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 1 process × 1 s for all arms, interleaved; seed 7
    ratio = candidate / baseline, of median times with processes brought to one level
    interval 95 %, bootstrap over whole processes, seed 7; A/A = an arm against itself
    –: not measured, or too few samples
    ");
}

#[test]
fn json_has_every_comparison_ledger_and_account() {
    assert_snapshot!(compared(&Json, &of_pairs(&steady_arms(4))), @r#"
    {
      "run": {
        "id": "2026-01-02T03-04-05Z-abc",
        "directory": "results/run",
        "seed": 7,
        "started": "2026-01-02T03:04:05Z",
        "ended": "2026-01-02T03:05:00Z",
        "interrupted": null,
        "torn": null,
        "command": [
          "bench-host",
          "load",
          "ring.wasm"
        ],
        "planned": {
          "cells": 3,
          "processes": 4,
          "time_ns": 1000000000
        },
        "fingerprint": {
          "host_version": "0.1.0",
          "os": "linux",
          "kernel": "6.1.0",
          "architecture": "x86_64",
          "cpu_model": "A Processor",
          "cpus": 2,
          "memory_bytes": 8589934592,
          "load": [
            0.5,
            0.25,
            0.0
          ]
        },
        "calibration": {}
      },
      "delta": 0.02,
      "level": 0.95,
      "seed": 7,
      "across_machines": null,
      "comparisons": [
        {
          "scenario": "ring/stream",
          "family": "family",
          "arguments": {
            "payload_bytes": 64
          },
          "baseline": {
            "arm": "native",
            "variant": null,
            "module": {
              "file": "plugins/native",
              "sha256": "00ff"
            },
            "checksum": "00000000000000aa",
            "samples": 160,
            "batch": 1000,
            "p50_ns": 100.0,
            "mean_ns": 100.0
          },
          "contender": {
            "arm": "wasm",
            "variant": null,
            "module": {
              "file": "plugins/wasm",
              "sha256": "00ff"
            },
            "checksum": "00000000000000aa",
            "samples": 160,
            "batch": 1000,
            "p50_ns": 150.0,
            "mean_ns": 150.0
          },
          "status": "ok",
          "reason": null,
          "pairs": 160,
          "processes": 4,
          "ratio_of_medians": {
            "ratio": 1.5,
            "low": 1.5,
            "high": 1.5
          },
          "ratio_of_means": {
            "ratio": 1.5,
            "low": 1.5,
            "high": 1.5
          },
          "aa": [
            {
              "arm": "native",
              "variant": null,
              "ratio": 1.0,
              "low": 1.0,
              "high": 1.0
            },
            {
              "arm": "wasm",
              "variant": null,
              "ratio": 1.0,
              "low": 1.0,
              "high": 1.0
            }
          ],
          "band": {
            "low": 1.0,
            "high": 1.0
          },
          "p_different": 0.0,
          "p_equivalent": 1.0,
          "verdict": "different",
          "more_pairs": null,
          "note": null
        },
        {
          "scenario": "ring/stream",
          "family": "family",
          "arguments": {
            "payload_bytes": 64
          },
          "baseline": {
            "arm": "native",
            "variant": null,
            "module": {
              "file": "plugins/native",
              "sha256": "00ff"
            },
            "checksum": "00000000000000aa",
            "samples": 160,
            "batch": 1000,
            "p50_ns": 100.0,
            "mean_ns": 100.0
          },
          "contender": {
            "arm": "wasm",
            "variant": "fuel",
            "module": {
              "file": "plugins/wasm",
              "sha256": "00ff"
            },
            "checksum": "00000000000000aa",
            "samples": 160,
            "batch": 1000,
            "p50_ns": 150.0,
            "mean_ns": 150.0
          },
          "status": "ok",
          "reason": null,
          "pairs": 160,
          "processes": 4,
          "ratio_of_medians": {
            "ratio": 1.5,
            "low": 1.5,
            "high": 1.5
          },
          "ratio_of_means": {
            "ratio": 1.5,
            "low": 1.5,
            "high": 1.5
          },
          "aa": [
            {
              "arm": "native",
              "variant": null,
              "ratio": 1.0,
              "low": 1.0,
              "high": 1.0
            },
            {
              "arm": "wasm",
              "variant": "fuel",
              "ratio": 1.0,
              "low": 1.0,
              "high": 1.0
            }
          ],
          "band": {
            "low": 1.0,
            "high": 1.0
          },
          "p_different": 0.0,
          "p_equivalent": 1.0,
          "verdict": "different",
          "more_pairs": null,
          "note": null
        }
      ],
      "one_sided": [],
      "ledgers": [
        {
          "scenario": "ring/stream",
          "arguments": {
            "payload_bytes": 64
          },
          "arm": "wasm",
          "variant": null,
          "total_ns": {
            "mean": 151.5,
            "low": 149.446,
            "high": 153.554
          },
          "terms": [
            {
              "name": "lower arguments",
              "ns": {
                "mean": 20.0,
                "low": 20.0,
                "high": 20.0
              },
              "share": 0.132013
            },
            {
              "name": "in the module",
              "ns": {
                "mean": 40.0,
                "low": 40.0,
                "high": 40.0
              },
              "share": 0.264026
            },
            {
              "name": "residual",
              "ns": {
                "mean": 91.5,
                "low": 89.446,
                "high": 93.554
              },
              "share": 0.60396
            }
          ],
          "residual_share": 0.60396,
          "once": [
            {
              "name": "read",
              "ns": {
                "mean": 150000.0,
                "low": 150000.0,
                "high": 150000.0
              }
            },
            {
              "name": "map",
              "ns": {
                "mean": 400000.0,
                "low": 400000.0,
                "high": 400000.0
              }
            },
            {
              "name": "instantiate",
              "ns": {
                "mean": 13000.0,
                "low": 13000.0,
                "high": 13000.0
              }
            },
            {
              "name": "first call",
              "ns": {
                "mean": 2100.0,
                "low": 2100.0,
                "high": 2100.0
              }
            }
          ],
          "boundary": [
            {
              "name": "empty call",
              "ns": {
                "mean": 117.0,
                "low": 117.0,
                "high": 117.0
              }
            }
          ],
          "observed_ns": {
            "mean": 212.1,
            "low": 209.224,
            "high": 214.976
          },
          "event_ns": {
            "mean": 12.5,
            "low": 12.5,
            "high": 12.5
          },
          "events": 4.0,
          "batch": 1000,
          "operations": 20000,
          "processes": 4
        }
      ],
      "accounts": [
        {
          "scenario": "ring/stream",
          "arguments": {
            "payload_bytes": 64
          },
          "arm": "wasm",
          "variant": null,
          "counted": 40,
          "instructions": 1204.0,
          "host_calls": {
            "wasi:clocks/monotonic-clock#now": 2.0,
            "ring:io/\u001bbytes#read": 0.5
          },
          "lifted_bytes": 64.0,
          "lowered_bytes": 0.0,
          "watched": 4000,
          "faults_minor": 0.012,
          "faults_major": 0.0,
          "switches_voluntary": null,
          "switches_involuntary": 0.003,
          "memory_bytes_max": 25165824,
          "code_bytes": 179200
        },
        {
          "scenario": "ring/stream",
          "arguments": {
            "payload_bytes": 64
          },
          "arm": "native",
          "variant": null,
          "counted": 40,
          "instructions": null,
          "host_calls": null,
          "lifted_bytes": null,
          "lowered_bytes": null,
          "watched": 4000,
          "faults_minor": 0.012,
          "faults_major": 0.0,
          "switches_voluntary": null,
          "switches_involuntary": 0.003,
          "memory_bytes_max": 25165824,
          "code_bytes": null
        }
      ],
      "notes": []
    }
    "#);
}

#[test]
fn json_of_two_sides_holds_both_and_nulls() {
    let a = side("a", 1, 100.0, None);
    let text = compared(&Json, &ComparisonReport::of_runs(a, side("b", 2, 150.0, None), &OPTIONS, false).unwrap());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["run"]["a"].as_array().unwrap().len(), 1);
    assert_eq!(document["run"]["b"][1]["id"], "b1");
    let compared = &document["comparisons"][0];
    assert_eq!((&compared["verdict"], &compared["pairs"]), (&"withheld".into(), &200.into()));
    for absent in ["ratio_of_medians", "ratio_of_means", "band", "p_different", "p_equivalent", "more_pairs", "note"] {
        assert!(compared[absent].is_null(), "{absent}: {compared}");
    }
    assert_eq!(compared["baseline"]["side"], "A");
    assert_eq!(compared["contender"]["p50_ns"].as_f64().map(f64::round), Some(150.0));
}

/// `block` while other processes used so much of all processors.
fn beside(mut block: Block, percent: u64) -> Block {
    let others_busy_ns = Some(percent);
    block.outcome.witness = Some(Witness { wall_ns: 100, others_busy_ns, ..Witness::default() });
    block
}

#[test]
fn ratio_of_disturbed_cells_is_marked_in_every_format() {
    let mut run = Run::begin(4, 3);
    for process in 0..3 {
        let block = |cell, scenario, arm| {
            Block::new(cell, process, scenario, arm).timed(BATCH, wobbling(100.0, process, u64::from(cell)))
        };
        run.append(&turns(vec![block(0, "ring/quiet", "native"), block(1, "ring/quiet", "wasm")]));
        let percent = if process == 1 { 40 } else { 0 };
        let both = [block(2, "ring/stream", "native"), block(3, "ring/stream", "wasm")];
        run.append(&turns(both.map(|block| beside(block, percent)).to_vec()));
    }
    run.end(None);
    let comparison = of_pairs(&run);
    let what = "other processes used the processors in 1 of 3 repetitions, for up to 40 % of all processors' time";
    let document = comparison_document(&comparison, ComparisonDetail::default());
    let text = Text.render(&document, &Layout { width: 100, ..Layout::default() });
    let rows: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    let marked: Vec<bool> = rows.iter().map(|row| row.contains(", disturbed ")).collect();
    assert_eq!(marked, [false, false, false, false, true], "{text}");
    for width in [80, 100] {
        let text = Text.render(&document, &Layout { width, ..Layout::default() });
        let table = text.lines().take_while(|line| !line.is_empty());
        assert!(table.map(UnicodeWidthStr::width).max() <= Some(width), "{width}: {text}");
    }
    let effect = "figures and ratios are those of a busy machine; stop other work, or wait";
    let of_all = what.replace("1 of 3", "2 of 6");
    let line = format!("2 cells of ring/stream: {of_all}: {effect}");
    assert!(text.contains(&format!("{line} (-v lists them)")), "{text}");
    let listed = comparison_document(&comparison, ComparisonDetail { all_cells: true, ..ComparisonDetail::default() });
    let warnings: Vec<_> = listed.warnings().skip_while(|warning| **warning != *line).take(3).collect();
    assert_eq!(warnings, [&*line, "  ring/stream wasm", "  ring/stream native"]);
    assert_eq!(compared(&Markdown, &comparison).matches(", disturbed | ").count(), 1);
    let csv = compared(&Csv, &comparison);
    assert!(csv.lines().last().unwrap().ends_with(&format!(",\"{what}\"")), "{csv}");
    let document: serde_json::Value = serde_json::from_str(&compared(&Json, &comparison)).unwrap();
    let of = |index: usize, side: &str| document["comparisons"][index][side]["disturbances"].clone();
    let expect = serde_json::json!([what]);
    assert_eq!([of(1, "baseline"), of(1, "contender")], [expect.clone(), expect]);
    assert_eq!([of(0, "baseline"), of(0, "contender")], [serde_json::Value::Null, serde_json::Value::Null]);
}

#[test]
fn side_that_was_disturbed_is_named_once_for_all_of_its_runs() {
    let runs = |name: &str, percents: [u64; 3]| {
        let one = |(process, percent): (u32, u64)| {
            let block = Block::new(0, 0, "ring/stream", "wasm").timed(BATCH, wobbling(100.0, process, 0));
            SideRun { blocks: vec![beside(block, percent).records()], ..SideRun::new(name, process, 1.0, None) }.file()
        };
        (0..).zip(percents).map(one).collect::<Vec<_>>()
    };
    let comparison = ComparisonReport::of_runs(runs("a", [0; 3]), runs("b", [0, 40, 60]), &OPTIONS, false).unwrap();
    let what = "other processes used the processors in 2 of 3 repetitions, for up to 60 % of all processors' time";
    assert_eq!(comparison.comparisons[0].disturbances(), [format!("wasm B: {what}")]);
    let document = comparison_document(&comparison, ComparisonDetail::default());
    let notes: Vec<&str> = document.warnings().filter(|line| line.contains("other processes")).collect();
    let effect = "figures and ratios are those of a busy machine; stop other work, or wait";
    assert_eq!(notes, [format!("B: ring/stream wasm: {what}: {effect}")]);
}

#[test]
fn csv_has_a_line_for_each_comparison() {
    assert_snapshot!(compared(&Csv, &of_pairs(&troubled())), @r#"
    scenario,family,arguments,baseline,contender,status,reason,baseline_p50_ns,contender_p50_ns,pairs,processes,ratio_of_medians,ratio_of_medians_low,ratio_of_medians_high,ratio_of_means,ratio_of_means_low,ratio_of_means_high,band_low,band_high,p_different,p_equivalent,verdict,more_pairs,delta,note
    ring/stream,family,,native,wasm,ok,,100.012,100.012,400,2,1.00007,0.992081,1.00813,1.00013,0.993733,1.00657,0.995846,1.00417,,,withheld,,0.02,
    ring/trap\u{1b}[31m,family,,native,wasm,failed,wasm: trap: \u{1b}unreachable,,,,,,,,,,,,,,,,,0.02,
    ring/wide,family,,native,wasm,skipped,"native, wasm: needs 4 processors, there are 2",,,,,,,,,,,,,,,,,0.02,
    "#);
    let csv = compared(&Csv, &of_pairs(&three_arms(3)));
    assert_eq!(csv.lines().count(), 3);
}

#[test]
fn no_line_has_trailing_spaces_or_is_obeyed_by_a_terminal() {
    for run in [troubled(), three_arms(4)] {
        let comparison = of_pairs(&run);
        let table = compared(&Text, &comparison);
        assert!(table.lines().all(|line| line.trim_end() == line), "{table}");
        let all = [table, compared(&Markdown, &comparison), compared(&Json, &comparison), compared(&Csv, &comparison)];
        assert!(all.iter().all(|text| !text.contains('\u{1b}')));
    }
}

/// A comparison of two arms whose files name these compilers.
fn compiled_by(native: Option<&str>, wasm: Option<&str>) -> ComparisonReport {
    let mut run = Run::begin(2, 2);
    for (sha256, compiler) in [("a1", native), ("a2", wasm)] {
        let Record::Module(record) = module("given", None) else { unreachable!("it is a module") };
        let (sha256, compiler) = (Some(sha256.to_owned()), compiler.map(str::to_owned));
        run.append(&[Record::Module(ModuleRecord { sha256, compiler, ..record })]);
    }
    for process in 0..2 {
        let block = |cell, arm, file: &str, sha256: &str| {
            let mut block = Block::new(cell, process, "ring/stream", arm);
            block.cell.module.file = file.to_owned();
            block.cell.module.sha256 = sha256.to_owned();
            block.timed(BATCH, wobbling(100.0, process, u64::from(cell)))
        };
        run.append(&turns(vec![block(0, "native", "out/sum.so", "a1"), block(1, "wasm", "out/sum.wasm", "a2")]));
    }
    run.end(None);
    of_pairs(&run)
}

#[test]
fn compilers_of_both_sides_are_named() {
    let check = |native: Option<&str>, wasm: Option<&str>, expect: &[&str]| {
        let comparison = compiled_by(native, wasm);
        let text = compared(&Text, &comparison);
        let found: Vec<_> = text.lines().map(str::trim).filter(|line| line.starts_with("compiled by")).collect();
        assert_eq!(found, expect, "{text}");
        let json: serde_json::Value = serde_json::from_str(&compared(&Json, &comparison)).unwrap();
        let [one] = &json["comparisons"].as_array().unwrap()[..] else { panic!("{json:#}") };
        assert_eq!((one["baseline"]["compiler"].as_str(), one["contender"]["compiler"].as_str()), (native, wasm));
    };
    let (rustc, clang) = (Some("rustc 1.95.0"), Some("clang 21.1.4"));
    check(clang, rustc, &["compiled by clang 21.1.4: native sum.so", "compiled by rustc 1.95.0: wasm sum.wasm"]);
    check(rustc, rustc, &["compiled by rustc 1.95.0"]);
    let unnamed = "compiled by something that the file does not name: native sum.so";
    check(None, rustc, &[unnamed, "compiled by rustc 1.95.0: wasm sum.wasm"]);
    check(None, None, &[]);
}
