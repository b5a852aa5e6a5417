//! Rows that were moved from one side to another: where the time of each side went, the ways of loading side by side, and what
//! each arm and each baseline of the same run differ by. Knows the series of such cells, not how they came to be.

mod breakdown;
mod compared;
mod side_by_side;

use crate::spec;
use bench_model::{Arguments, Value};
use bench_report::{Body, CellView, FamilyReport, Notes, RunView, Section, SeriesView};
use bench_sink::runfile::Status;
use std::collections::BTreeSet;

/// The series that only cells of this kind have.
const WALL: &str = "wall";

/// The argument that says how rows are loaded.
const WAY: &str = spec::LOAD_METHOD;

/// The way that the others are held against.
const FIRST: &str = "insert";

/// Arguments that say where, not what.
const PLACES: [&str; 2] = [spec::DATABASE_URL, "folder"];

/// What cells that move rows add to a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferReport;

impl FamilyReport for TransferReport {
    fn sections(&self, view: &RunView) -> Vec<Section> {
        let cells: Vec<&CellView> = view.cells.iter().filter(|cell| is_transfer(cell)).collect();
        let telling = telling(&cells);
        let conditions = conditions(&cells).into_iter();
        let breakdowns = cells.iter().map(|cell| breakdown::of(cell, &telling));
        conditions.chain(breakdowns).chain(side_by_side::of(&cells)).chain(compared::of(view, &cells)).collect()
    }

    fn covers(&self, cell: &CellView) -> bool {
        is_transfer(cell)
    }
}

/// What the name of the condition ends with that says where a side's code came from.
const CODE: &str = "_code";

/// What the figures of cells depend on beside their arguments, each set of it once; nothing where there is none.
fn conditions(cells: &[&CellView]) -> Option<Section> {
    let listed = |cell: &&CellView| {
        // Where code came from is said where it was loaded.
        let conditions = cell.conditions.iter().filter(|(name, _)| !name.ends_with(CODE));
        let conditions = conditions.map(|(name, value)| format!("{name}={value}"));
        conditions.collect::<Vec<_>>().join(" ")
    };
    let all: BTreeSet<String> = cells.iter().map(listed).filter(|text| !text.is_empty()).collect();
    let lines: Vec<String> = all.into_iter().map(|text| format!("with {text}")).collect();
    (!lines.is_empty())
        .then(|| Section::new("transfers.conditions", "", Body::Notes(Notes { lines, are_warnings: false })))
}

/// Whether `cell` moved rows and has figures.
fn is_transfer(cell: &CellView) -> bool {
    cell.status == Status::Ok
        && cell.series.iter().any(|series| series.metric == WALL && value(series, "side").is_some())
}

/// How the rows of `cell` are loaded, where there is a choice.
fn way(cell: &CellView) -> Option<&str> {
    if let Some(Value::Text(way)) = cell.arguments.get(WAY) { Some(way) } else { None }
}

/// The value of the label `name`.
fn value<'a>(series: &'a SeriesView, name: &str) -> Option<&'a str> {
    series.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
}

/// The mean of `metric` of `side`.
fn mean(cell: &CellView, metric: &str, side: &str) -> Option<f64> {
    let is_it = |series: &&SeriesView| series.metric == metric && value(series, "side") == Some(side);
    cell.series.iter().find(is_it).map(|series| series.summary.mean)
}

/// The mean of a stage of `side`.
fn stage(cell: &CellView, side: &str, name: &str) -> Option<f64> {
    stages(cell, side).find(|(stage, _)| *stage == name).map(|(_, ns)| ns)
}

/// The stages of `side` and their means, in the order of a transfer; parts of a stage have a `/`.
fn stages<'a>(cell: &'a CellView, side: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    let of_side =
        cell.series.iter().filter(move |series| series.metric == "stage" && value(series, "side") == Some(side));
    of_side.filter_map(|series| Some((value(series, "name")?, series.summary.mean)))
}

/// The names of arguments that tell one cell from another, and always the number of rows.
fn telling(cells: &[&CellView]) -> BTreeSet<String> {
    let all = cells.iter().flat_map(|cell| cell.arguments.iter().map(|(name, _)| name.to_owned()));
    let varies = |name: &str| {
        let values: Vec<_> = cells.iter().filter_map(|cell| cell.arguments.get(name)).collect();
        values.iter().any(|value| *value != values[0])
    };
    all.filter(|name| name == "rows" || (!PLACES.contains(&name.as_str()) && varies(name))).collect()
}

/// `a=1 b=x`, of the arguments in `names`.
fn format_arguments(arguments: &Arguments, names: &BTreeSet<String>) -> String {
    let told = arguments.iter().filter(|(name, _)| names.contains(*name));
    told.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// Whether both have the same value for every argument that both have, but for `except` and places.
fn agree(one: &Arguments, other: &Arguments, except: &[&str]) -> bool {
    let matters = |name: &str| !PLACES.contains(&name) && !except.contains(&name);
    one.iter().filter(|(name, _)| matters(name)).all(|(name, value)| other.get(name).is_none_or(|found| found == value))
}
