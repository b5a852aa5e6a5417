//! Bencher Metric Format: an object of benchmarks, each an object of measures with a value and, where there is an interval, its ends.
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use super::cells::{interval, name};
use crate::json::{Pairs, significant};
use crate::render::print;
use crate::{CellView, RunView, SeriesView, escape};
use bench_model::Unit;
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

/// Every series of every cell of `view` that has figures. The value is the median, or the mean of too few samples for one; its ends are
/// those of the interval over processes. The timed series is the measure `latency`, in nanoseconds.
pub fn bencher_json(view: &RunView) -> String {
    let benchmark = |cell: &CellView| {
        let measures = cell.series.iter().filter_map(|series| Some((measure(cell, series), metric(series)?)));
        let measures: Vec<(String, Metric)> = measures.collect();
        (!measures.is_empty()).then(|| (escape(&name(view, cell)).into_owned(), Pairs(measures)))
    };
    print(&Pairs(view.cells.iter().filter_map(benchmark).collect()))
}

fn measure(cell: &CellView, series: &SeriesView) -> String {
    if cell.is_timed(series) && series.unit == Unit::Nanoseconds {
        return "latency".to_owned();
    }
    escape(&series.title()).into_owned()
}

fn metric(series: &SeriesView) -> Option<Metric> {
    let interval = interval(&series.process_medians);
    Some(Metric {
        value: significant(series.summary.p50.unwrap_or(series.summary.mean))?,
        lower_value: interval.and_then(|interval| significant(interval.low)),
        upper_value: interval.and_then(|interval| significant(interval.high)),
    })
}
