//! The documents for programs, as snapshots.

use crate::compared::three_arms;
use crate::fixture::{Block, Run, calibration, csv, eventful, json, module};
use bench_model::Unit;
use bench_sink::environment::Witness;
use bench_sink::runfile::{AccountRecord, Record, Status, When};
use insta::assert_snapshot;

#[test]
fn json_holds_every_cell_and_why_figures_are_absent() {
    let mut run = Run::begin(3, 1);
    run.append(&[module("plugins/wasm", None), module("broken.wasm", Some("bad magic"))]);
    run.append(&[calibration(When::Before, &[("memory-read", Some(0.05)), ("spawn", None)])]);
    run.append(&[calibration(When::After, &[("memory-read", Some(0.06))])]);
    let block = |cell, arm| {
        Block::new(cell, 0, "m/s", arm).argument("payload_bytes", 64).argument("mode", "b").limit("memory-read")
    };
    let lag = [("side", "left"), ("after", "x")];
    run.append(&block(0, "wasm").timed(1024, 1..=1000).series("lag", Unit::Count, &lag, 1, 1..=20).records());
    run.append(&block(1, "native").timed(1, 1..=1000).ended(Status::Failed, "wrong").records());
    run.tear();
    assert_snapshot!(json(&run.view()), @r#"
    {
      "run": {
        "id": "2026-01-02T03-04-05Z-abc",
        "directory": "results/run",
        "seed": 7,
        "started": "2026-01-02T03:04:05Z",
        "ended": null,
        "interrupted": "the run file has no end, so the run was killed or is still going on",
        "torn": {
          "line": 15,
          "bytes": 11
        },
        "command": [
          "bench-host",
          "load",
          "ring.wasm"
        ],
        "planned": {
          "cells": 3,
          "processes": 1,
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
        "calibration": {
          "memory-read": {
            "unit": "ns/By",
            "before": 0.05,
            "after": 0.06,
            "count": 200,
            "detail": "by hand"
          },
          "spawn": {
            "unit": "ns",
            "before": null,
            "after": null,
            "count": 200,
            "detail": "by hand"
          }
        }
      },
      "modules": [
        {
          "file": "plugins/wasm",
          "sha256": "00ff",
          "arm": "wasm",
          "granted": [],
          "refused": null
        },
        {
          "file": "broken.wasm",
          "sha256": "00ff",
          "arm": null,
          "granted": [],
          "refused": "bad magic"
        }
      ],
      "cells": [
        {
          "scenario": "m/s",
          "family": "family",
          "arm": "wasm",
          "arguments": {
            "payload_bytes": 64,
            "mode": "b"
          },
          "status": "ok",
          "reason": null,
          "module": {
            "file": "plugins/wasm",
            "sha256": "00ff"
          },
          "cpu": 1,
          "processes": 1,
          "planned_processes": 1,
          "iterations": 1024000,
          "bytes": 65536000,
          "recorded": 1000,
          "lost": null,
          "checksum": "00000000000000aa",
          "overhead": {
            "clock_ns": 20.0,
            "call_ns": 1.5
          },
          "limit": {
            "name": "memory-read",
            "ratio": 0.139
          },
          "checks": [
            {
              "name": "payload",
              "passed": true,
              "detail": "64 of 64"
            }
          ],
          "series": [
            {
              "metric": "s",
              "unit": "ns",
              "direction": "lower-is-better",
              "labels": {},
              "batch": 1024,
              "count": 1000,
              "min": 0.000976562,
              "mean": 0.489,
              "p50": 0.488,
              "p90": 0.879,
              "p99": 0.967,
              "p999": null,
              "max": 0.977,
              "std_dev": 0.282
            },
            {
              "metric": "lag",
              "unit": "1",
              "direction": "lower-is-better",
              "labels": {
                "side": "left",
                "after": "x"
              },
              "batch": 1,
              "count": 20,
              "min": 1,
              "mean": 10.5,
              "p50": 10,
              "p90": null,
              "p99": null,
              "p999": null,
              "max": 20,
              "std_dev": 5.916
            }
          ]
        },
        {
          "scenario": "m/s",
          "family": "family",
          "arm": "native",
          "arguments": {
            "payload_bytes": 64,
            "mode": "b"
          },
          "status": "failed",
          "reason": "wrong",
          "module": {
            "file": "plugins/native",
            "sha256": "00ff"
          },
          "cpu": 1,
          "processes": 0,
          "planned_processes": 1,
          "iterations": 0,
          "bytes": 0,
          "recorded": 0,
          "lost": null,
          "checksum": null,
          "overhead": null,
          "limit": {
            "name": "memory-read",
            "ratio": null
          },
          "checks": [
            {
              "name": "payload",
              "passed": true,
              "detail": "64 of 64"
            }
          ],
          "series": []
        }
      ]
    }
    "#);
}

#[test]
fn json_has_a_variant_and_an_account_only_where_there_is_one() {
    let mut run = three_arms(2);
    run.append(&[Record::Account(AccountRecord { cell: 2, process: 0, ..AccountRecord::default() })]);
    let document: serde_json::Value = serde_json::from_str(&json(&run.view())).unwrap();
    let [wasm, fuel, native] = [0, 1, 2].map(|index| document["cells"][index].as_object().unwrap());
    assert_eq!((wasm.get("variant"), &fuel["variant"], native.get("variant")), (None, &"fuel".into(), None));
    assert_eq!(wasm["account"]["instructions"], 1204.0);
    assert_eq!(wasm["account"]["host_calls"]["wasi:clocks/monotonic-clock#now"], 2.0);
    assert_eq!(native["account"]["instructions"], serde_json::Value::Null);
    assert_eq!(fuel["account"]["faults_minor"], serde_json::Value::Null);
    assert!(!json(&eventful().view()).contains("\"account\""));
}

#[test]
fn csv_has_a_line_for_each_series_and_each_cell_without() {
    assert_snapshot!(csv(&eventful().view()), @r#"
    scenario,family,arm,arguments,status,reason,metric,unit,direction,labels,batch,count,min,mean,p50,p90,p99,p999,max,std_dev,limit,limit_ratio,processes,iterations,bytes,lost,checksum,module_file,disturbances
    ring/roundtrip,family,native,,skipped,"needs 4 processors, there are 2",,,,,,,,,,,,,,,,,0,0,0,,,plugins/native,
    ring/stream,family,wasm,payload_bytes=64,ok,,stream,ns,lower-is-better,,1024,1000,1,500.5,500,900,990,,1000,288.819,memory-read,142.045,2,1024000,65536000,,00000000000000aa,plugins/wasm,
    ring/stream,family,native,payload_bytes=64,ok,,stream,ns,lower-is-better,,1024,1000,0.5,125.25,125,225,247.5,,250,72.205,memory-read,35.511,2,1024000,65536000,,00000000000000aa,plugins/native,
    ring/stream,family,wasm,payload_bytes=4096,ok,,stream,ns,lower-is-better,,1,40,1,10.5,10,,,,20,5.84,memory-read,2.841,2,40,2560,,00000000000000aa,plugins/wasm,
    ring/stream,family,wasm,payload_bytes=4096,ok,,lag,By,lower-is-better,side=left,1,20,2048,2048,2048,,,,2048,0,,,2,40,2560,,00000000000000aa,plugins/wasm,
    ring/stream,family,native,payload_bytes=4096,failed,check `payload` failed: \u{1b}[31m1 of 64,,,,,,,,,,,,,,,,,0,0,0,,,plugins/native,
    "#);
}

#[test]
fn figures_far_below_their_unit_keep_their_digits() {
    let mut run = Run::begin(1, 1);
    run.append(&Block::new(0, 0, "m/s", "wasm").timed(1_000_000, 1..=1000).records());
    run.end(None);
    let view = run.view();
    let document: serde_json::Value = serde_json::from_str(&json(&view)).unwrap();
    let series = &document["cells"][0]["series"][0];
    let found = ["min", "mean", "p50", "p99", "max"].map(|name| series[name].as_f64().unwrap());
    assert_eq!(found, [0.000001, 0.0005005, 0.0005, 0.00099, 0.001]);
    let csv = csv(&view);
    assert!(csv.contains(",1000,0.000001,0.0005005,0.0005,0.0009,0.00099,,0.001,0.000288819,"), "{csv}");
}

#[test]
fn control_characters_are_escaped_and_the_text_stays_the_same() {
    let name = "m/\u{9b}2J\u{202e}\u{e0041}\n\u{1b}";
    let mut run = Run::begin(1, 1);
    run.append(&Block::new(0, 0, name, "wasm").timed(1, 1..=3).records());
    let view = run.view();
    let text = json(&view);
    assert!(!text.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}' || c == '\u{e0041}'), "{text}");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["cells"][0]["scenario"], name);
    assert_eq!(csv(&view).lines().count(), 2);
}

#[test]
fn what_disturbed_a_cell_is_said_with_it() {
    let mut disturbed = Block::new(0, 0, "m/disturbed", "wasm").timed(1, 1..=3);
    disturbed.cell.cpu = Some(1);
    disturbed.outcome.witness = Some(Witness { wall_ns: 100, others_busy_ns: Some(40), ..Witness::default() });
    let mut run = Run::begin(2, 1);
    run.append(&disturbed.records());
    run.append(&Block::new(1, 0, "m/quiet", "wasm").timed(1, 1..=3).records());
    let document: serde_json::Value = serde_json::from_str(&json(&run.view())).unwrap();
    let of = |scenario: &str| {
        let mut cells = document["cells"].as_array().unwrap().iter();
        cells.find(|cell| cell["scenario"] == scenario).unwrap().get("disturbances")
    };
    let expect = "other processes used the processors in 1 of 1 repetitions, for up to 40 % of all processors' time";
    assert_eq!((of("m/disturbed"), of("m/quiet")), (Some(&serde_json::json!([expect])), None));
    let csv = csv(&run.view());
    let rows: Vec<&str> = csv.lines().collect();
    assert!(rows[0].ends_with(",disturbances"), "{csv}");
    assert!(rows[1].ends_with(&format!(",\"{expect}\"")) && rows[2].ends_with(",plugins/wasm,"), "{csv}");
}
