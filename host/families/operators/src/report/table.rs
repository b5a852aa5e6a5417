//! The tables of chains of operators: times and sizes by the number of operators, and memory by phase with the memory per operator.

use super::slopes::{Growth, growths};
use super::sweep::{Sweep, series, sweeps};
use super::{LATENCY_COLD, MEMORY, OPERATORS};
use crate::spec::metric;
use bench_model::Unit;
use bench_report::{Body, CellView, Column, Datum, Measure, Notes, Rank, RunView, Section, Table};
use bench_stats::LEVEL;

/// The two tables; none if the run has no chains of operators.
pub(super) fn sections(view: &RunView) -> Vec<Section> {
    let sweeps = sweeps(view);
    if sweeps.is_empty() {
        return Vec::new();
    }
    let growths = growths(view, &sweeps);
    let remarks = absences(&growths).into_iter().chain(MEANING.map(str::to_owned)).collect();
    vec![by_count(&sweeps), by_phase(&growths).with_remarks(remarks)]
}

/// The columns of the table by the number of operators: the name, the metric, and its phase.
const BY_COUNT: [(&str, &str, Option<&str>); 9] = [
    ("hop", metric::HOP, None),
    ("load", metric::LOAD, None),
    ("load all", metric::LOAD_ALL, None),
    ("wake", metric::WAKE, None),
    ("cold chain", LATENCY_COLD, None),
    ("state", metric::STATE, None),
    ("active", MEMORY, Some("active")),
    ("idle", MEMORY, Some("idle")),
    ("unloaded", MEMORY, Some("unloaded")),
];

/// Columns that are left out if the terminal is narrow, the last first.
const EXTRA: [&str; 4] = [metric::SENT, "state", "load all", "idle"];

/// Counts that have a column only if they are not 0.
const TROUBLES: [&str; 3] = [metric::LATE, metric::FAILED, metric::RETRIED];

/// The explanation of the columns.
const MEANING: [&str; 2] = [
    "medians; memory: proportional set size of the worker and of its operators' processes; largest: with the most operators",
    "an operator: slope of the line through the median of each process, which is a point; fixed: where that line begins",
];

fn by_count(sweeps: &[Sweep<'_>]) -> Section {
    let happened = |metric: &&&str| {
        let cells = sweeps.iter().flat_map(|sweep| sweep.cells.values());
        cells.filter_map(|cell| series(cell, metric, None)).any(|series| series.total > 0.0)
    };
    let troubles: Vec<_> = TROUBLES.iter().filter(happened).copied().collect();
    let counted = std::iter::once(metric::SENT).chain(troubles.iter().copied());
    let names = counted.chain(BY_COUNT.iter().map(|(name, ..)| *name));
    let words = [OPERATORS, "arm"].map(Column::words);
    let rank =
        |name: &str| EXTRA.iter().position(|extra| *extra == name).map_or(Rank::Essential, |at| Rank::Extra(at as u8));
    let figure = |name| Column::figures(name).rank(rank(name));
    let columns = words.into_iter().chain(std::iter::once("count").chain(names).map(figure)).collect();
    let total = |cell: &CellView, metric: &str| {
        Datum::or_absent(series(cell, metric, None).map(|series| Datum::count(series.total)))
    };
    let median = |cell: &CellView, metric: &str, phase: Option<&str>| {
        let series = series(cell, metric, phase);
        let found = series.and_then(|series| Some(Datum::amount(series.distribution.quantile(0.5)?, &series.unit)));
        Datum::or_absent(found)
    };
    let row = |sweep: &Sweep<'_>, count: i64, cell: &CellView| {
        let words = [sweep.name.title(), sweep.name.arm_label()].map(Datum::Text);
        let counted = std::iter::once(metric::SENT).chain(troubles.iter().copied()).map(|name| total(cell, name));
        let medians = BY_COUNT.iter().map(|(_, metric, phase)| median(cell, metric, *phase));
        words.into_iter().chain([Datum::number(count as f64, Measure::Plain)]).chain(counted).chain(medians).collect()
    };
    let rows = sweeps.iter().flat_map(|sweep| sweep.cells.iter().map(move |(count, cell)| row(sweep, *count, cell)));
    Section::new("operators.count", "operators by their number", Body::Table(Table::plain(columns, rows.collect())))
}

fn by_phase(growths: &[Growth]) -> Section {
    const NAME: &str = "operators.memory";
    const TITLE: &str = "memory by the number of operators";
    let columns = vec![
        Column::words("operators"),
        Column::words("arm"),
        Column::words("phase"),
        Column::figures("count"),
        Column::figures("proc.").key("processes"),
        Column::figures("largest"),
        Column::figures("an operator").key("per_operator"),
        Column::figures("95 % interval").key("per_operator"),
        Column::figures("fixed").key("without_operators"),
    ];
    let rows = growths.iter().map(|growth| {
        let bytes = |value: Option<f64>| Datum::or_absent(value.map(Datum::bytes));
        let interval = growth.line.and_then(|line| line.interval(LEVEL));
        let interval = interval.map(|found| Datum::Range {
            low: found.low,
            high: found.high,
            measure: Measure::Unit(Unit::Bytes),
        });
        let ends = [growth.counts[0], growth.counts[growth.counts.len() - 1]].map(|count| count as f64);
        vec![
            Datum::text(&growth.kind),
            Datum::text(&growth.arm),
            Datum::text(growth.phase),
            Datum::Range { low: ends[0], high: ends[1], measure: Measure::Plain },
            Datum::number(growth.processes as f64, Measure::Plain),
            Datum::bytes(growth.largest),
            bytes(growth.line.map(|line| line.estimate)),
            Datum::or_absent(interval),
            bytes(growth.line.map(|line| line.start)),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        let why = "no phase has figures; /proc/self/smaps_rollup (Linux 4.14 or later) has them".to_owned();
        return Section::new(NAME, TITLE, Body::Notes(Notes { lines: vec![why], are_warnings: false }));
    }
    Section::new(NAME, TITLE, Body::Table(Table::plain(columns, rows)))
}

/// The reasons of absent figures, each once.
fn absences(growths: &[Growth]) -> Vec<String> {
    let mut reasons: Vec<_> = growths.iter().filter_map(Growth::absent).map(str::to_owned).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}
