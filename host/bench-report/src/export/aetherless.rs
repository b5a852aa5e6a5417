//! The document of the Aetherless benchmarking framework, with exactly its fields. A figure that too few samples support is
//! null; a cell that has none is left out, as there is no field that could say why.

use crate::json::{Pairs, figure, significant};
use crate::render::print_json;
use crate::{CellView, RunView, SeriesView};
use bench_model::Unit;
use bench_sink::runfile::Status;
use bench_stats::quantile_is_supported;
use serde::Serialize;
use serde_json::{Number, Value};

#[derive(Serialize)]
struct Document<'a> {
    benchmark_suite: &'static str,
    version: &'a str,
    timestamp: &'a str,
    system_info: SystemInfo<'a>,
    results: Vec<ResultJson>,
}

#[derive(Serialize)]
struct SystemInfo<'a> {
    os: &'a str,
    kernel: &'a str,
    cpu_model: Option<&'a str>,
    cpu_cores: u32,
    total_memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct ResultJson {
    name: String,
    category: String,
    iterations: u64,
    metrics: Metrics,
    throughput: Throughput,
    metadata: Pairs<String, Value>,
}

#[derive(Serialize)]
struct Metrics {
    min_ns: Option<Number>,
    max_ns: Option<Number>,
    mean_ns: Option<Number>,
    median_ns: Option<Number>,
    p95_ns: Option<Number>,
    p99_ns: Option<Number>,
    std_dev_ns: Option<Number>,
}

#[derive(Serialize)]
struct Throughput {
    messages_per_sec: Option<Number>,
    bytes_per_sec: Option<Number>,
}

/// The cells of `view` whose operation is timed and that `category_of` has a name for, by their `module/scenario`.
pub fn aetherless_json(view: &RunView, category_of: impl Fn(&str) -> Option<String>) -> String {
    let result = |cell: &CellView| {
        let category = category_of(&cell.scenario)?;
        let timed = cell.timed().filter(|series| cell.status == Status::Ok && series.unit == Unit::Nanoseconds)?;
        Some(self::result(cell, timed, category))
    };
    let fingerprint = &view.fingerprint;
    print_json(&Document {
        benchmark_suite: "bench-host",
        version: &fingerprint.host_version,
        timestamp: &view.started,
        system_info: SystemInfo {
            os: &fingerprint.os,
            kernel: &fingerprint.kernel,
            cpu_model: fingerprint.cpu_model.as_deref(),
            cpu_cores: fingerprint.cpus,
            total_memory_bytes: fingerprint.memory_bytes,
        },
        results: view.cells.iter().filter_map(result).collect(),
    })
}

fn result(cell: &CellView, timed: &SeriesView, category: String) -> ResultJson {
    let summary = &timed.summary;
    let quantile = |q: f64| quantile_is_supported(summary.count, q).then(|| timed.distribution.quantile(q)).flatten();
    let bytes_each = (cell.iterations > 0).then(|| cell.bytes as f64 / cell.iterations as f64);
    let per_second = |amount: f64| significant(amount * 1e9 / summary.mean).filter(|_| summary.mean > 0.0);
    ResultJson {
        name: name(cell),
        category,
        iterations: timed.operations,
        metrics: Metrics {
            min_ns: figure(summary.min),
            max_ns: figure(summary.max),
            mean_ns: figure(summary.mean),
            median_ns: summary.p50.and_then(figure),
            p95_ns: quantile(0.95).and_then(figure),
            p99_ns: summary.p99.and_then(figure),
            std_dev_ns: summary.std_dev.and_then(figure),
        },
        throughput: Throughput {
            messages_per_sec: per_second(1.0),
            bytes_per_sec: bytes_each.filter(|bytes| *bytes > 0.0).and_then(per_second),
        },
        metadata: metadata(cell, timed),
    }
}

/// The unique name of a result, such as `ring_client_roundtrip_wasm_64_262144_false`.
fn name(cell: &CellView) -> String {
    let values = cell.arguments.iter().map(|(_, value)| value.to_string());
    let words = [cell.scenario.clone(), cell.arm_label()].into_iter().chain(values).collect::<Vec<_>>().join("_");
    words.chars().map(|letter| if letter.is_alphanumeric() || letter == '.' { letter } else { '_' }).collect()
}

/// The arguments under the names that the framework has for them, and what else decides the figure.
fn metadata(cell: &CellView, timed: &SeriesView) -> Pairs<String, Value> {
    let argument = |(name, value): (&str, &bench_model::Value)| {
        let name = if name == "payload_bytes" { "payload_size_bytes" } else { name };
        let value = match value {
            bench_model::Value::Flag(value) => Value::from(*value),
            bench_model::Value::Integer(value) => Value::from(*value),
            bench_model::Value::Decimal(value) => Value::from(*value),
            bench_model::Value::Text(value) => Value::from(value.as_str()),
        };
        (name.to_owned(), value)
    };
    let own = [
        ("scenario", Value::from(cell.scenario.as_str())),
        ("arm", Value::from(cell.arm_label())),
        ("samples", Value::from(timed.samples)),
        ("processes", Value::from(cell.processes)),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    Pairs(cell.arguments.iter().map(argument).chain(own).collect())
}
