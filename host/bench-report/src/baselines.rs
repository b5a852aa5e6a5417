//! The section of figures whose processes measured a baseline interleaved with them, such as a raw write next to a log's append.

use crate::arguments::Varying;
use crate::document::{Body, Column, Datum, Group, Measure, Rank, Section, Table};
use crate::{CellView, FamilyChart, RatioRow, Ratios, RunView, SeriesView, escape};
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, PROCESSES_MIN, mean_interval};

const MEANING: [&str; 2] = [
    "medians; ratio: the geometric mean over processes of the quotient of the two medians of each",
    "95 % interval: over processes, from three on (--processes 3)",
];

/// A section named `name` with a row for each cell in `is_it` and each of its series in `baselines`: the time of the cell, the
/// baseline, and their ratio with an interval over processes. `None` if no cell has a baseline with samples.
pub fn interleaved_baselines(
    name: &str,
    view: &RunView,
    is_it: impl Fn(&CellView) -> bool,
    baselines: &[&str],
) -> Option<Section> {
    let with_baselines = with_baselines(view, is_it, baselines);
    let scenarios = with_baselines.chunk_by(|(one, _), (other, _)| one.scenario == other.scenario);
    let arguments: Vec<_> = with_baselines.iter().map(|(cell, _)| &cell.arguments).collect();
    if arguments.is_empty() {
        return None;
    }
    let varying = Varying::of(&arguments);
    let groups = scenarios.map(|cells| group(cells, &varying)).collect();
    let table = Table { grouped_by: "scenario".to_owned(), columns: columns(&varying), groups };
    let title = format!("against baselines that the same processes measured interleaved: {}", baselines.join(", "));
    let remarks = MEANING.map(str::to_owned).to_vec();
    Some(Section::new(name, title, Body::Table(table)).with_remarks(remarks))
}

/// The same ratios as a chart named `name`. `None` if there is none.
pub fn interleaved_baselines_chart(
    name: &str,
    view: &RunView,
    is_it: impl Fn(&CellView) -> bool,
    baselines: &[&str],
) -> Option<FamilyChart> {
    let with_baselines = with_baselines(view, is_it, baselines);
    let arguments: Vec<_> = with_baselines.iter().map(|(cell, _)| &cell.arguments).collect();
    if arguments.is_empty() {
        return None;
    }
    let varying = Varying::of(&arguments);
    let row = |cell: &CellView, (timed, baseline): &Pair<'_>| {
        let (ratio, interval) = ratio(timed, baseline)?;
        let values = varying.values(&cell.arguments).map(|value| value.shown());
        let values: Vec<String> = values.filter(|value| !value.is_empty()).collect();
        let name = format!("{} {} {} / {}", cell.scenario, cell.arm_label(), values.join(" "), baseline.metric);
        let words = format!("n = {} in {} proc.", timed.samples, timed.process_medians.len());
        Some(RatioRow { name: escape(&name.replace("  ", " ")).into_owned(), ratio, interval, words })
    };
    let rows = with_baselines.iter().flat_map(|(cell, pairs)| pairs.iter().filter_map(move |pair| row(cell, pair)));
    let ratios = Ratios {
        title: "Against baselines that the same processes measured interleaved".to_owned(),
        across: "time / time of the baseline".to_owned(),
        delta: None,
        rows: rows.collect(),
        notes: MEANING.map(str::to_owned).to_vec(),
    };
    FamilyChart::ratios(name, ratios)
}

/// The cells in `is_it` that have one of the baselines.
fn with_baselines<'a>(
    view: &'a RunView,
    is_it: impl Fn(&CellView) -> bool,
    baselines: &[&str],
) -> Vec<(&'a CellView, Vec<Pair<'a>>)> {
    let cells = view.cells.iter().filter(|cell| cell.status == Status::Ok && is_it(cell));
    cells.map(|cell| (cell, pairs(cell, baselines))).filter(|(_, pairs)| !pairs.is_empty()).collect()
}

/// The time of a cell and one baseline, in the same unit.
type Pair<'a> = (&'a SeriesView, &'a SeriesView);

fn pairs<'a>(cell: &'a CellView, baselines: &[&str]) -> Vec<Pair<'a>> {
    let Some(timed) = cell.timed() else { return Vec::new() };
    let found = baselines.iter().filter_map(|metric| cell.series.iter().find(|series| series.metric == *metric));
    found.filter(|series| series.unit == timed.unit).map(|series| (timed, series)).collect()
}

fn group(cells: &[(&CellView, Vec<Pair<'_>>)], varying: &Varying) -> Group {
    let row = |cell: &CellView, (timed, baseline): &Pair<'_>| {
        let figure = |series: &SeriesView| {
            let value = series.summary.p50.unwrap_or(series.summary.mean);
            let datum = Datum::amount(value, &series.unit);
            if series.summary.p50.is_some() { datum } else { datum.marked("mean") }
        };
        let head = std::iter::once(Datum::Text(cell.arm_label())).chain(varying.values(&cell.arguments));
        let samples = Datum::Samples { samples: timed.samples, operations: timed.operations, batch: timed.batch };
        let [ratio, interval] = ratio_values(timed, baseline);
        let figures = [samples, figure(timed), Datum::text(&baseline.metric), figure(baseline), ratio, interval];
        head.chain(figures).chain([Datum::number(f64::from(cell.processes), Measure::Plain)]).collect()
    };
    let rows = cells.iter().flat_map(|(cell, pairs)| pairs.iter().map(move |pair| row(cell, pair)));
    Group { name: cells[0].0.scenario.clone(), remark: varying.shared.clone(), rows: rows.collect() }
}

fn columns(varying: &Varying) -> Vec<Column> {
    let figures = [
        Column::figures("n"),
        Column::figures("p50"),
        Column::words("baseline"),
        Column::figures("its p50").key("baseline_p50"),
        Column::figures("ratio"),
        Column::figures("95 % interval").key("ratio"),
        Column::figures("processes").rank(Rank::Extra(1)),
    ];
    std::iter::once(Column::words("arm")).chain(varying.columns().iter().cloned()).chain(figures).collect()
}

/// The ratio and its interval over processes, which takes three; `None` if the processes that have samples of one are not those that
/// have samples of the other.
fn ratio(timed: &SeriesView, baseline: &SeriesView) -> Option<(f64, Option<(f64, f64)>)> {
    let medians = (&timed.process_medians, &baseline.process_medians);
    let logs: Vec<f64> = medians.0.iter().zip(medians.1).map(|(own, other)| (own / other).ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    if medians.0.len() != medians.1.len() || !mean.is_finite() {
        return None;
    }
    let interval = mean_interval(&logs, LEVEL).filter(|_| logs.len() >= PROCESSES_MIN as usize);
    Some((mean.exp(), interval.map(|found| (found.low.exp(), found.high.exp()))))
}

/// The same as values of a table.
fn ratio_values(timed: &SeriesView, baseline: &SeriesView) -> [Datum; 2] {
    let Some((ratio, interval)) = ratio(timed, baseline) else { return [Datum::Absent, Datum::Absent] };
    let range = interval.map(|(low, high)| Datum::Range { low, high, measure: Measure::Factor });
    [Datum::number(ratio, Measure::Factor), Datum::or_absent(range)]
}
