//! The document of a run: a table of cells by scenario, the sections of families, problems, and what was measured
//! where.

use crate::arguments::Varying;
use crate::document::{Body, Column, Datum, Document, Group, Measure, Rank, Section, Table};
use crate::family::FamilyReport;
use crate::{CellView, RunView, SeriesView, csv, environment, json, notes};
use bench_model::Unit;
use bench_sink::runfile::Status;

/// How much of a run is shown to people; programs get all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Whether every series has a row, not only the timed one.
    pub all_series: bool,
    /// Whether cells that were skipped have a row, and cells that share a reason are listed.
    pub all_cells: bool,
}

/// `view` as a document, with the sections of `families`.
pub fn run_document(view: &RunView, families: &[&dyn FamilyReport], detail: Detail) -> Document {
    let slow = crate::outliers::section(view, detail);
    let own = families.iter().flat_map(|family| family.sections(view));
    let warnings = Section::warnings(notes::notes(view, detail.all_cells));
    let footer = Section::footer(notes::footer(view, hidden(view, families, detail)));
    let sections = cells(view, families, detail).into_iter().chain(own).chain(slow).chain([warnings, footer]);
    Document { data: json::data(view), records: Some(csv::records(view)), sections: sections.collect() }
}

/// The cells of one scenario that are compared with one limit.
struct Scenario<'a> {
    name: String,
    cells: Vec<&'a CellView>,
}

/// A table for each sequence of scenarios whose cells differ in the same arguments.
fn cells(view: &RunView, families: &[&dyn FamilyReport], detail: Detail) -> Vec<Section> {
    let mut tables: Vec<Table> = Vec::new();
    for scenario in scenarios(view, detail) {
        let arguments: Vec<_> = scenario.cells.iter().map(|cell| &cell.arguments).collect();
        let varying = Varying::of(&arguments);
        let group = scenario.group(view, &varying, families, detail);
        let columns = columns(&varying);
        match tables.last_mut() {
            Some(table) if table.columns == columns => table.groups.push(group),
            _ => tables.push(Table { grouped_by: "scenario".to_owned(), columns, groups: vec![group] }),
        }
    }
    tables.iter_mut().for_each(prefer_throughput);
    tables.into_iter().map(|table| Section::new("cells", "", Body::Table(table)).in_data()).collect()
}

/// Where bytes are known, the rate is kept longer than the tail: a rate of operations follows from the median, but one of bytes does not.
fn prefer_throughput(table: &mut Table) {
    let is_throughput = |datum: &Datum| matches!(datum, Datum::Number { measure: Measure::PerSecond(Unit::Bytes), .. });
    if !table.rows().flatten().any(is_throughput) {
        return;
    }
    for column in &mut table.columns {
        match column.title.as_str() {
            "p99" => column.rank = Rank::Secondary(1),
            "rate" => column.rank = Rank::Extra(0),
            _ => {}
        }
    }
}

fn scenarios(view: &RunView, detail: Detail) -> Vec<Scenario<'_>> {
    let mut scenarios: Vec<Scenario<'_>> = Vec::new();
    for cell in view.cells.iter().filter(|cell| detail.all_cells || cell.status != Status::Skipped) {
        let name = view.name_of(cell);
        match scenarios.last_mut() {
            Some(last) if last.name == name && last.cells[0].limit == cell.limit => last.cells.push(cell),
            _ => scenarios.push(Scenario { name, cells: vec![cell] }),
        }
    }
    scenarios
}

impl Scenario<'_> {
    fn group(&self, view: &RunView, varying: &Varying, families: &[&dyn FamilyReport], detail: Detail) -> Group {
        let limit = self.cells[0].limit.map_or_else(String::new, |limit| format!(" (limit: {limit})"));
        let rows = self.cells.iter().flat_map(|cell| {
            let others = cell.series.iter().filter(|series| !cell.is_timed(series));
            let others = others.filter(|series| shows(cell, series, families, detail));
            std::iter::once(row(view, cell, varying)).chain(others.map(|series| series_row(series, varying)))
        });
        let remark = format!("{}{limit}", varying.shared);
        Group { name: self.name.clone(), remark: remark.trim_start().to_owned(), rows: rows.collect() }
    }
}

fn columns(varying: &Varying) -> Vec<Column> {
    let figures = [
        Column::figures("n"),
        Column::figures("p50"),
        Column::figures("p90").rank(Rank::Extra(3)),
        Column::figures("p99"),
        Column::figures("p99.9").rank(Rank::Extra(4)),
        Column::figures("max").rank(Rank::Extra(2)),
        Column::figures("rate").rank(Rank::Extra(1)),
        Column::figures("limit").rank(Rank::Filled),
        Column::words("check"),
    ];
    std::iter::once(Column::words("arm")).chain(varying.columns().iter().cloned()).chain(figures).collect()
}

/// The row of the cell itself.
fn row(view: &RunView, cell: &CellView, varying: &Varying) -> Vec<Datum> {
    let ratio = cell.ratio_to_limit(view).map(|ratio| Datum::number(ratio, Measure::Ratio));
    let limit = if cell.limit.is_some() { Datum::or_absent(ratio) } else { Datum::Blank };
    let figures = cell.timed().map_or([const { Datum::Absent }; 6], figures);
    let rate = rate(cell).map_or(Datum::Blank, |(rate, unit)| Datum::number(rate, Measure::PerSecond(unit)));
    let head = std::iter::once(Datum::Text(cell.arm_label())).chain(varying.values(&cell.arguments));
    head.chain(figures).chain([rate, limit, Datum::text(checked(cell))]).collect()
}

/// The row of one of its other series.
fn series_row(series: &SeriesView, varying: &Varying) -> Vec<Datum> {
    let blanks = |count| std::iter::repeat_n(Datum::Blank, count);
    let title = Datum::Text(format!("↳ {}", series.title()));
    let head = std::iter::once(title).chain(blanks(varying.columns().len()));
    head.chain(figures(series)).chain(blanks(3)).collect()
}

/// Whether a series that is not the timed one has a row. Without a timed one, the others are all there is.
fn shows(cell: &CellView, series: &SeriesView, families: &[&dyn FamilyReport], detail: Detail) -> bool {
    let is_wanted = |family: &&dyn FamilyReport| family.shows_series(cell, series);
    let is_covered = families.iter().any(|family| family.covers(cell));
    detail.all_series || families.iter().any(is_wanted) || (cell.timed().is_none() && !is_covered)
}

/// How many series neither the table nor a family shows.
fn hidden(view: &RunView, families: &[&dyn FamilyReport], detail: Detail) -> usize {
    let cells = view.cells.iter().filter(|cell| !families.iter().any(|family| family.covers(cell)));
    let hidden = |cell: &CellView| {
        let further = cell.series.iter().filter(|series| !cell.is_timed(series));
        further.filter(|series| !shows(cell, series, families, detail)).count()
    };
    cells.map(hidden).sum()
}

/// The rate at the central time of an operation, per second: bytes, or operations where they have none.
pub(crate) fn rate(cell: &CellView) -> Option<(f64, Unit)> {
    let timed = cell.timed().filter(|series| series.unit == Unit::Nanoseconds)?;
    let seconds = timed.summary.p50.unwrap_or(timed.summary.mean) / 1e9;
    let (amount, unit) = match cell.bytes {
        0 => (1.0, Unit::Count),
        bytes => (bytes as f64 / cell.iterations as f64, Unit::Bytes),
    };
    Some((amount / seconds, unit)).filter(|(rate, _)| rate.is_finite() && *rate > 0.0)
}

/// The number of samples, and their figures; of too few for a median, the mean in its place.
pub(crate) fn figures(series: &SeriesView) -> [Datum; 6] {
    let figure = |value: Option<f64>| Datum::or_absent(value.map(|value| Datum::amount(value, &series.unit)));
    let summary = &series.summary;
    let centre = match summary.p50 {
        Some(_) => figure(summary.p50),
        None => figure(Some(summary.mean)).marked("mean"),
    };
    [
        Datum::Samples { samples: series.samples, operations: series.operations, batch: series.batch },
        centre,
        figure(summary.p90),
        figure(summary.p99),
        figure(summary.p999),
        figure(Some(summary.max)),
    ]
}

/// The word for the status of a cell, or the mark of one whose figures carry a warning.
fn checked(cell: &CellView) -> &'static str {
    if environment::is_disturbed(cell) { environment::MARK } else { check(cell.status) }
}

/// The word for the status of a cell.
pub(crate) fn check(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Failed => "FAILED",
        Status::Skipped => "skipped",
        Status::Void => "void",
    }
}
