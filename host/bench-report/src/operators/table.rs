//! What a person reads of chains of operators below the table of the run: times and sizes by the number of operators, and memory
//! by phase with what an operator adds. Knows columns, not how a figure comes about.

use super::slopes::{Growth, growths};
use super::sweep::{Sweep, series, sweeps};
use super::{FAMILY, LATENCY_COLD, MEMORY, naming};
use crate::layout::{ABSENT, Grid, paragraphs};
use crate::{CellView, RunView, escape, scale};
use bench_sink::runfile::Status;
use bench_stats::LEVEL;

/// Columns by the number of operators: the name, the metric, and its phase.
const BY_COUNT: [(&str, &str, Option<&str>); 9] = [
    ("hop", "hop", None),
    ("load", "load", None),
    ("load all", "load_all", None),
    ("wake", "wake", None),
    ("cold chain", LATENCY_COLD, None),
    ("state", "state", None),
    ("active", MEMORY, Some("active")),
    ("idle", MEMORY, Some("idle")),
    ("unloaded", MEMORY, Some("unloaded")),
];

/// What has a column only where it happened.
const TROUBLES: [&str; 3] = ["late", "failed", "retried"];

const BY_PHASE: [&str; 9] =
    ["memory", "arm", "phase", "count", "proc.", "largest", "an operator", "95 % interval", "fixed"];

/// Whether the series of `cell` are shown here.
pub(crate) fn is_chain(cell: &CellView) -> bool {
    cell.family == FAMILY && cell.status == Status::Ok && naming::count(&cell.arguments).is_some()
}

/// What a run has of such cells, as text; nothing where it has none.
pub(crate) fn operators(view: &RunView) -> String {
    let sweeps = sweeps(view);
    if sweeps.is_empty() {
        return String::new();
    }
    let growths = growths(&sweeps);
    let notes: Vec<_> = absences(&growths).into_iter().chain(MEANING.map(str::to_owned)).collect();
    paragraphs([by_count(&sweeps), by_phase(&growths), notes.join("\n")])
}

/// What the columns are, said once.
const MEANING: [&str; 2] = [
    "medians; memory: proportional set size of the worker and of its operators' processes; largest: with the most operators",
    "an operator: slope of the line through the median of each process, which is a point; fixed: where that line begins",
];

fn by_count(sweeps: &[Sweep<'_>]) -> String {
    let happened = |metric: &&&str| {
        let cells = sweeps.iter().flat_map(|sweep| sweep.cells.values());
        cells.filter_map(|cell| series(cell, metric, None)).any(|series| series.total > 0.0)
    };
    let troubles: Vec<_> = TROUBLES.iter().filter(happened).copied().collect();
    let names = BY_COUNT.iter().map(|(name, ..)| *name);
    let head: Vec<&str> =
        ["operators", "arm", "count", "sent"].into_iter().chain(troubles.clone()).chain(names).collect();
    let total = |cell: &CellView, metric: &str| {
        let series = series(cell, metric, None);
        series.map_or_else(|| ABSENT.to_owned(), |series| scale::count(series.total))
    };
    let median = |cell: &CellView, metric: &str, phase: Option<&str>| {
        let series = series(cell, metric, phase);
        let found = series.and_then(|series| Some((series.distribution.quantile(0.5)?, &series.unit)));
        found.map_or_else(|| ABSENT.to_owned(), |(value, unit)| scale::figure(value, unit))
    };
    let row = |sweep: &Sweep<'_>, count: i64, cell: &CellView| {
        let [kind, arm] = [sweep.name.title(), sweep.name.arm.clone()].map(|text| escape(&text).into_owned());
        let counted = std::iter::once("sent").chain(troubles.iter().copied()).map(|metric| total(cell, metric));
        let medians = BY_COUNT.iter().map(|(_, metric, phase)| median(cell, metric, *phase));
        [kind, arm, count.to_string()].into_iter().chain(counted).chain(medians).collect()
    };
    let rows = sweeps.iter().flat_map(|sweep| sweep.cells.iter().map(move |(count, cell)| row(sweep, *count, cell)));
    let figures = 2..head.len();
    Grid { head: &head, figures, rows: rows.collect() }.text()
}

fn by_phase(growths: &[Growth]) -> String {
    let rows = growths.iter().map(|growth| {
        let bytes = |value: Option<f64>| value.map_or_else(|| ABSENT.to_owned(), scale::bytes);
        let interval = growth.line.and_then(|line| line.interval(LEVEL));
        let interval = interval.map(|found| format!("{} to {}", scale::bytes(found.low), scale::bytes(found.high)));
        let (first, last) = (growth.counts[0], growth.counts[growth.counts.len() - 1]);
        vec![
            escape(&growth.kind).into_owned(),
            escape(&growth.arm).into_owned(),
            growth.phase.to_owned(),
            if first == last { first.to_string() } else { format!("{first}–{last}") },
            growth.processes.to_string(),
            scale::bytes(growth.largest),
            bytes(growth.line.map(|line| line.estimate)),
            interval.unwrap_or_else(|| ABSENT.to_owned()),
            bytes(growth.line.map(|line| line.start)),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return "memory by operators: no phase has figures; /proc/self/smaps_rollup (Linux 4.14 or later) has them"
            .to_owned();
    }
    Grid { head: &BY_PHASE, figures: 3..9, rows }.text()
}

/// Why figures are absent, each reason once.
fn absences(growths: &[Growth]) -> Vec<String> {
    let mut reasons: Vec<_> = growths.iter().filter_map(Growth::absent).map(str::to_owned).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}
