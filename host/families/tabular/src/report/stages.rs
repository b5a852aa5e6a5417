//! The stages of a pipeline as parts of its whole. They add up, because `other` is what is left.

use super::differences;
use bench_model::Unit;
use bench_report::{
    Body, CellView, Column, Datum, Dimension, FamilyChart, Measure, Node, Section, SeriesView, Stack, StackPart,
    Stacks, Tree, escape, scale,
};

/// The series with the time of one stage.
const STAGE: &str = "stage";

/// Whether `cell` has stages.
pub(super) fn has_stages(cell: &CellView) -> bool {
    stages(cell).next().is_some()
}

/// A tree per pipeline.
pub(super) fn sections(cells: &[&CellView]) -> impl Iterator<Item = Section> {
    cells.iter().filter(|cell| has_stages(cell)).filter_map(move |cell| section(cell, cells))
}

/// The stages and their series, in the order in which they ran.
fn stages(cell: &CellView) -> impl Iterator<Item = (&str, &SeriesView)> {
    let stages = cell.series.iter().filter(|series| series.metric == STAGE);
    stages.filter_map(|series| match series.labels.as_slice() {
        [(label, name)] if label == "name" => Some((name.as_str(), series)),
        _ => None,
    })
}

/// The stages of all pipelines as bars over one axis. `None` if there are none.
pub(super) fn chart(cells: &[&CellView]) -> Option<FamilyChart> {
    let stack = |cell: &&CellView| {
        let part = |(name, series): (&str, &SeriesView)| StackPart {
            name: escape(name).into_owned(),
            amount: series.summary.mean.max(0.0),
        };
        Some(Stack {
            name: escape(&title(cell, cells)).into_owned(),
            value: format!("{}  n = {}", scale::nanoseconds(cell.timed()?.summary.mean), cell.recorded),
            parts: stages(cell).map(part).collect(),
        })
    };
    let stacks: Vec<Stack> = cells.iter().filter(|cell| has_stages(cell)).filter_map(stack).collect();
    let across = Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds };
    let notes = vec!["Means over n operations; `other` is what is in no stage.".to_owned()];
    let chart = Stacks { title: "Stages of pipelines".to_owned(), across, stacks, notes };
    (!chart.stacks.is_empty()).then(|| FamilyChart::stacks("tabular-stages", chart))
}

/// The arguments that titles always have.
const TITLED: [&str; 5] = ["rows", "format", "csv", "parquet", "replay"];

/// `tabular/pipeline wasm rows=2000 format=json`, and all other arguments that tell `cell` from those of its scenario among `cells`.
fn title(cell: &CellView, cells: &[&CellView]) -> String {
    let mut title = format!("{} {}", cell.scenario, cell.arm_label());
    for name in TITLED {
        if let Some(value) = cell.arguments.get(name) {
            title.push_str(&format!(" {name}={value}"));
        }
    }
    format!("{title} {}", differences(cell, cells, &TITLED)).trim_end().to_owned()
}

fn section(cell: &CellView, cells: &[&CellView]) -> Option<Section> {
    let whole = cell.timed()?.summary.mean;
    let values = |ns: f64, share: f64| vec![Datum::nanoseconds(ns), Datum::number(share, Measure::Share)];
    let stage = |(name, series): (&str, &SeriesView)| {
        let ns = series.summary.mean;
        Node::new(name, values(ns, if whole > 0.0 { ns / whole } else { 0.0 }))
    };
    let mut root = Node::new("whole", values(whole, 1.0));
    root.parts = stages(cell).map(stage).collect();
    let columns = vec![Column::figures("mean"), Column::figures("share")];
    let count = format!("n = {} operations in {} proc.", cell.recorded, cell.processes);
    let body = Body::Tree(Tree { columns, roots: vec![root] });
    Some(Section::new("tabular.stages", title(cell, cells), body).with_remarks(vec![count]))
}
