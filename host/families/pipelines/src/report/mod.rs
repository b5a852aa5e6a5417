//! What the family adds to the report of a run: where the time of each side went, the load methods side by side, and the ratios of
//! arms, load methods and baselines.

mod breakdown;
mod compared;
mod side_by_side;
mod stacked;

use crate::spec::{self, SIDE, STAGE_NAME, metric};
use bench_model::{Arguments, Value};
use bench_report::{Body, CellView, FamilyChart, FamilyReport, Notes, RunView, Section, SeriesView};
use bench_sink::runfile::{RunFile, Status};
use pg_rows::SOURCE_TABLE;
use std::collections::BTreeSet;

/// The argument that names the load method.
const LOAD_METHOD: &str = spec::LOAD_METHOD;

/// The load method that the others are compared with.
const BASELINE_METHOD: &str = "insert";

/// The report of transfers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferReport;

impl FamilyReport for TransferReport {
    fn family(&self) -> &'static str {
        spec::FAMILY
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        let cells: Vec<&CellView> = view.cells.iter().filter(|cell| is_transfer(cell)).collect();
        let varying = varying(&cells);
        let conditions = conditions(&cells).into_iter();
        let breakdowns = cells.iter().map(|cell| breakdown::section(cell, &varying));
        conditions
            .chain(breakdowns)
            .chain(side_by_side::sections(view, &cells))
            .chain(compared::section(view, &cells))
            .collect()
    }

    fn covers(&self, cell: &CellView) -> bool {
        is_transfer(cell)
    }

    fn charts(&self, view: &RunView, _file: &RunFile) -> Vec<FamilyChart> {
        let cells: Vec<&CellView> = view.cells.iter().filter(|cell| is_transfer(cell)).collect();
        stacked::chart(&cells).into_iter().chain(compared::chart(view, &cells)).collect()
    }

    /// No section shows how transfers depend on the number of rows.
    fn draws_axes(&self, _cell: &CellView) -> bool {
        false
    }
}

/// The end of the name of a condition that says whether a side's code was cached or compiled.
const CODE: &str = "_code";

/// The conditions of cells, such as settings of the server, each distinct set once; `None` if there are none.
fn conditions(cells: &[&CellView]) -> Option<Section> {
    let listed = |cell: &&CellView| {
        // The breakdown says it where the module is loaded.
        let conditions = cell.conditions.iter().filter(|(name, _)| !name.ends_with(CODE));
        let conditions = conditions.map(|(name, value)| format!("{name}={value}"));
        conditions.collect::<Vec<_>>().join(" ")
    };
    let all: BTreeSet<String> = cells.iter().map(listed).filter(|text| !text.is_empty()).collect();
    let lines: Vec<String> = all.into_iter().map(|text| format!("with {text}")).collect();
    (!lines.is_empty())
        .then(|| Section::new("transfers.conditions", "", Body::Notes(Notes { lines, are_warnings: false })))
}

/// Whether `cell` is a transfer with figures: only transfers have the wall time of sides.
fn is_transfer(cell: &CellView) -> bool {
    cell.status == Status::Ok
        && cell.series.iter().any(|series| series.metric == metric::WALL && value(series, SIDE).is_some())
}

/// The load method of `cell`, if it has the argument.
fn load_method(cell: &CellView) -> Option<&str> {
    if let Some(Value::Text(method)) = cell.arguments.get(LOAD_METHOD) { Some(method) } else { None }
}

/// The value of the label `name`.
fn value<'a>(series: &'a SeriesView, name: &str) -> Option<&'a str> {
    series.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
}

/// The mean of `metric` of `side`.
fn mean(cell: &CellView, metric: &str, side: &str) -> Option<f64> {
    let is_it = |series: &&SeriesView| series.metric == metric && value(series, SIDE) == Some(side);
    cell.series.iter().find(is_it).map(|series| series.summary.mean)
}

/// The mean of a stage of `side`.
fn stage(cell: &CellView, side: &str, name: &str) -> Option<f64> {
    stages(cell, side).find(|(stage, _)| *stage == name).map(|(_, ns)| ns)
}

/// The stages of `side` with their means, in the order of a transfer. The part of a stage is named `STAGE/PART`.
fn stages<'a>(cell: &'a CellView, side: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    let of_side =
        cell.series.iter().filter(move |series| series.metric == metric::STAGE && value(series, SIDE) == Some(side));
    of_side.filter_map(|series| Some((value(series, STAGE_NAME)?, series.summary.mean)))
}

/// The names of the arguments in which cells differ, and always what is moved: the number of generated rows, or a table of the user.
fn varying(cells: &[&CellView]) -> BTreeSet<String> {
    let all = cells.iter().flat_map(|cell| cell.arguments.iter().map(|(name, _)| name.to_owned()));
    let varies = |name: &str| {
        let values: Vec<_> = cells.iter().filter_map(|cell| cell.arguments.get(name)).collect();
        values.iter().any(|value| *value != values[0])
    };
    let is_own =
        |cell: &&CellView| matches!(cell.arguments.get(SOURCE_TABLE), Some(Value::Text(text)) if !text.is_empty());
    let what = if !cells.is_empty() && cells.iter().all(is_own) { SOURCE_TABLE } else { "rows" };
    all.filter(|name| name == what || varies(name)).collect()
}

/// `a=1 b=x`, of the arguments in `names`.
fn format_arguments(arguments: &Arguments, names: &BTreeSet<String>) -> String {
    let named = arguments.iter().filter(|(name, _)| names.contains(*name));
    named.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
