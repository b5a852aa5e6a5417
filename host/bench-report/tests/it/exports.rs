//! Documents in the shape of other suites, which must have exactly their fields.

use crate::fixture::{Block, Run, fingerprint, module};
use bench_report::{aetherless_json, junit_xml};
use bench_sink::runfile::{PartRecord, Record, Status};
use serde_json::{Map, Value};

/// How many cases the JUnit document of `run` has, and how many of them failed.
fn cases_of(run: &Run) -> (usize, usize) {
    let text = junit_xml(&run.view(), &[]);
    (text.matches("<testcase ").count(), text.matches("<failure ").count())
}

#[test]
fn refused_modules_fail_in_junit_though_they_have_no_cell() {
    let mut run = Run::begin(0, 1);
    run.append(&[module("broken.wasm", Some("bad magic")), module("good.wasm", None), module("old.so", Some("ABI 0"))]);
    run.end(None);
    assert_eq!(cases_of(&run), (2, 2));
}

#[test]
fn run_that_did_not_end_fails_in_junit_and_a_whole_one_and_a_shard_do_not() {
    let block = || Block::new(0, 0, "m/s", "wasm").timed(1, 1..=40).records();
    let mut run = Run::begin(1, 1);
    run.append(&block());
    assert_eq!(cases_of(&run), (2, 1), "the run has no end");
    run.end(None);
    assert_eq!(cases_of(&run), (1, 0));

    let mut stopped = Run::begin(2, 1);
    stopped.append(&block());
    stopped.end(Some("interrupted"));
    assert_eq!(cases_of(&stopped), (2, 1));

    let part = PartRecord {
        number: 1,
        of: 2,
        run: "shard".to_owned(),
        started: "2026-01-02T03:04:05Z".to_owned(),
        fingerprint: fingerprint(),
        boot_id: None,
        clock: Vec::new(),
    };
    let mut shard = Run::begin(2, 1);
    shard.append(&[Record::Part(part)]);
    shard.append(&block());
    shard.end(None);
    assert_eq!(cases_of(&shard), (1, 0), "the other cell is in another shard");
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_document_of_the_other_suite_has_exactly_its_fields() {
    let mut run = Run::begin(4, 1);
    let block = |cell, scenario: &str| Block::new(cell, 0, scenario, "native").argument("payload_bytes", 1024);
    run.append(&block(0, "ring-client/roundtrip").timed(1, 1..=1000).records());
    run.append(&block(1, "ring-client/stream").timed(4, 1..=50).records());
    run.append(&block(2, "ring-client/broken").timed(1, 1..=1000).ended(Status::Failed, "wrong").records());
    run.append(&block(3, "kernels/sort").timed(1, 1..=1000).records());
    run.end(None);
    let category = |scenario: &str| scenario.starts_with("ring-client/").then(|| "ring_buffer".to_owned());
    let document: Value = serde_json::from_str(&aetherless_json(&run.view(), category)).unwrap();
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    assert_eq!(keys(&document), sorted(vec!["benchmark_suite", "version", "timestamp", "system_info", "results"]));
    let results = document["results"].as_array().unwrap();
    // What failed has no figure, and what belongs to no category no place.
    let names: Vec<_> = results.iter().map(|result| result["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ring_client_roundtrip_native_1024", "ring_client_stream_native_1024"]);
    for result in results {
        let fields = vec!["name", "category", "iterations", "metrics", "throughput", "metadata"];
        assert_eq!(keys(result), sorted(fields));
        let metrics = vec!["min_ns", "max_ns", "mean_ns", "median_ns", "p95_ns", "p99_ns", "std_dev_ns"];
        assert_eq!(keys(&result["metrics"]), sorted(metrics));
        assert_eq!(keys(&result["throughput"]), sorted(vec!["messages_per_sec", "bytes_per_sec"]));
        assert_eq!(result["metadata"]["payload_size_bytes"], 1024);
    }
    let metrics: &Map<String, Value> = results[0]["metrics"].as_object().unwrap();
    assert_eq!((metrics["min_ns"].as_f64(), metrics["max_ns"].as_f64()), (Some(1.0), Some(1000.0)));
    assert_eq!((metrics["median_ns"].as_f64(), metrics["p95_ns"].as_f64()), (Some(500.0), Some(950.0)));
    // Of 50 samples, too few lie beyond the 99th percentile.
    assert_eq!(results[1]["metrics"]["p99_ns"], Value::Null);
    assert_eq!(results[1]["iterations"], 200);
}
