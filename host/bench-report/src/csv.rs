//! The cells of a run as flat records: a row for each series, in base units. A cell without figures has one row that says why; a
//! figure that is absent is empty.

use crate::json::precise;
use crate::{CellView, Records, RunView, SeriesView, environment, escape};
use bench_sink::runfile::Status;

const COLUMNS: [&str; 29] = [
    "scenario",
    "family",
    "arm",
    "arguments",
    "status",
    "reason",
    "metric",
    "unit",
    "direction",
    "labels",
    "batch",
    "count",
    "min",
    "mean",
    "p50",
    "p90",
    "p99",
    "p999",
    "max",
    "std_dev",
    "limit",
    "limit_ratio",
    "processes",
    "iterations",
    "bytes",
    "lost",
    "checksum",
    "module_file",
    "disturbances",
];

type Row = [String; COLUMNS.len()];

/// The records of `view`. Text of modules is escaped, so that a record is one line.
pub(crate) fn records(view: &RunView) -> Records {
    let rows = view.cells.iter().flat_map(|cell| match cell.series.as_slice() {
        [] => vec![row(view, cell, None)],
        series => series.iter().map(|series| row(view, cell, Some(series))).collect(),
    });
    Records { columns: COLUMNS.to_vec(), rows: rows.map(Vec::from).collect() }
}

fn row(view: &RunView, cell: &CellView, series: Option<&SeriesView>) -> Row {
    let text = |text: &str| escape(text).into_owned();
    let of = |field: fn(&SeriesView) -> String| series.map(field).unwrap_or_default();
    let figure = |field: fn(&SeriesView) -> Option<f64>| series.and_then(field).map(number).unwrap_or_default();
    let is_timed = series.is_some_and(|series| cell.is_timed(series));
    [
        text(&cell.scenario),
        text(&cell.family),
        text(&cell.arm_label()),
        text(&cell.arguments.to_string()),
        status(cell.status).to_owned(),
        text(cell.reason.as_deref().unwrap_or_default()),
        text(&of(|series| series.metric.clone())),
        text(&of(|series| series.unit.to_string())),
        of(|series| series.direction.as_str().to_owned()),
        text(&of(labels)),
        of(|series| series.batch.map(|batch| batch.to_string()).unwrap_or_default()),
        of(|series| series.samples.to_string()),
        figure(|series| Some(series.summary.min)),
        figure(|series| Some(series.summary.mean)),
        figure(|series| series.summary.p50),
        figure(|series| series.summary.p90),
        figure(|series| series.summary.p99),
        figure(|series| series.summary.p999),
        figure(|series| Some(series.summary.max)),
        figure(|series| series.summary.std_dev),
        cell.limit.filter(|_| is_timed).map(|limit| limit.to_string()).unwrap_or_default(),
        cell.ratio_to_limit(view).filter(|_| is_timed).map(number).unwrap_or_default(),
        cell.processes.to_string(),
        cell.iterations.to_string(),
        cell.bytes.to_string(),
        cell.lost.map(|lost| lost.to_string()).unwrap_or_default(),
        cell.checksum.map(|checksum| checksum.to_string()).unwrap_or_default(),
        text(&cell.module.file),
        text(&environment::of_cell(cell).join("; ")),
    ]
}

fn labels(series: &SeriesView) -> String {
    let pairs: Vec<_> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
        Status::Void => "void",
    }
}

/// As precise as in the JSON document, without a point where there is nothing behind it; empty if it is not finite.
pub(crate) fn number(value: f64) -> String {
    if value.is_finite() { precise(value).to_string() } else { String::new() }
}
