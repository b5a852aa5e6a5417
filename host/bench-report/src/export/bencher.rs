//! Bencher Metric Format: an object of benchmarks, each an object of measures with a value and, where there is an interval, its ends.
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use super::cells::{interval, name};
use crate::json::{Pairs, significant};
use crate::render::print;
use crate::{CellView, RunView, SeriesView, escape};
use bench_model::Unit;
use bench_sink::digest;
use serde::Serialize;
use serde_json::Number;

#[derive(Serialize)]
struct Metric {
    value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<Number>,
}

/// Bytes of the names of a benchmark and of a measure.
const BENCHMARK_MAX: usize = 1024;
const MEASURE_MAX: usize = 64;

/// Every series of every cell of `view` that has figures. The value is the median, or the mean of too few samples for one; its ends are
/// those of the interval over processes. The timed series is the measure `latency`, in nanoseconds.
pub fn bencher_json(view: &RunView) -> String {
    let benchmark = |cell: &CellView| {
        let measures = cell.series.iter().filter_map(|series| Some((measure(cell, series), metric(series)?)));
        let measures: Vec<(String, Metric)> = measures.collect();
        (!measures.is_empty()).then(|| (bounded(&name(view, cell), BENCHMARK_MAX), Pairs(measures)))
    };
    print(&Pairs(view.cells.iter().filter_map(benchmark).collect()))
}

fn measure(cell: &CellView, series: &SeriesView) -> String {
    if cell.is_timed(series) && series.unit == Unit::Nanoseconds {
        return "latency".to_owned();
    }
    bounded(&series.title(), MEASURE_MAX)
}

/// `text` escaped, at most of that many bytes. The end of a longer one is a digest, so that two of them keep two names.
fn bounded(text: &str, bytes_max: usize) -> String {
    const DIGITS: usize = 8;
    let escaped = escape(text);
    if escaped.len() <= bytes_max {
        return escaped.into_owned();
    }
    let digest = digest::of_bytes(escaped.as_bytes());
    format!("{}-{}", &escaped[..escaped.floor_char_boundary(bytes_max - DIGITS - 1)], &digest[..DIGITS])
}

fn metric(series: &SeriesView) -> Option<Metric> {
    let interval = interval(&series.process_medians);
    Some(Metric {
        value: significant(series.summary.p50.unwrap_or(series.summary.mean))?,
        lower_value: interval.and_then(|interval| significant(interval.low)),
        upper_value: interval.and_then(|interval| significant(interval.high)),
    })
}
