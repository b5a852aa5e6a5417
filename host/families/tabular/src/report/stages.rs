//! The stages of a pipeline as parts of its whole. They add up, because `other` is what is left.

use super::integer;
use bench_report::{Body, CellView, Column, Datum, Measure, Node, Section, SeriesView, Tree};

/// The series with the time of one stage.
const STAGE: &str = "stage";

/// Whether `cell` has stages.
pub(super) fn has_stages(cell: &CellView) -> bool {
    stages(cell).next().is_some()
}

/// A tree per pipeline.
pub(super) fn sections(cells: &[&CellView]) -> impl Iterator<Item = Section> {
    cells.iter().filter(|cell| has_stages(cell)).filter_map(|cell| section(cell))
}

/// The stages and their series, in the order in which they ran.
fn stages(cell: &CellView) -> impl Iterator<Item = (&str, &SeriesView)> {
    let stages = cell.series.iter().filter(|series| series.metric == STAGE);
    stages.filter_map(|series| match series.labels.as_slice() {
        [(label, name)] if label == "name" => Some((name.as_str(), series)),
        _ => None,
    })
}

fn section(cell: &CellView) -> Option<Section> {
    let whole = cell.timed()?.summary.mean;
    let values = |ns: f64, share: f64| vec![Datum::nanoseconds(ns), Datum::number(share, Measure::Share)];
    let stage = |(name, series): (&str, &SeriesView)| {
        let ns = series.summary.mean;
        Node::new(name, values(ns, if whole > 0.0 { ns / whole } else { 0.0 }))
    };
    let mut root = Node::new("whole", values(whole, 1.0));
    root.parts = stages(cell).map(stage).collect();
    let columns = vec![Column::figures("mean"), Column::figures("share")];
    let rows = integer(cell, "rows").map_or(String::new(), |rows| format!(" rows={rows}"));
    let format = super::text(cell, "format").map_or(String::new(), |format| format!(" format={format}"));
    let title = format!("{} {}{rows}{format}", cell.scenario, cell.arm_label());
    let count = format!("n = {} operations in {} proc.", cell.recorded, cell.processes);
    let body = Body::Tree(Tree { columns, roots: vec![root] });
    Some(Section::new("tabular.stages", title, body).with_remarks(vec![count]))
}
