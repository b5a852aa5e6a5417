//! The stages of both sides of each transfer as bars over one axis.

use super::{format_arguments, mean, stages, varying};
use crate::spec::metric;
use bench_model::Unit;
use bench_report::{CellView, Dimension, FamilyChart, Stack, StackPart, Stacks, escape, scale};

/// Bars of one chart; the breakdowns have all.
const STACKS_MAX: usize = 40;

/// A bar for each side of each of `cells`. `None` if there are none.
pub(super) fn chart(cells: &[&CellView]) -> Option<FamilyChart> {
    let mut names = varying(cells);
    names.retain(|name| cells.iter().any(|cell| cell.arguments.get(name) != cells[0].arguments.get(name)));
    let stack = |cell: &CellView, side: &'static str| {
        let wall = mean(cell, metric::WALL, side)?;
        let of_side = stages(cell, side).filter(|(name, _)| !name.contains('/'));
        let parts = of_side.map(|(name, ns)| StackPart { name: escape(name).into_owned(), amount: ns.max(0.0) });
        let name =
            format!("{side}: {} {} {}", cell.scenario, cell.arm_label(), format_arguments(&cell.arguments, &names));
        Some(Stack {
            name: escape(name.trim_end()).into_owned(),
            value: format!("{}  n = {}", scale::nanoseconds(wall), cell.recorded),
            parts: parts.collect(),
        })
    };
    let sides = cells.iter().flat_map(|cell| ["source", "transform", "destination"].map(|side| stack(cell, side)));
    let mut stacks: Vec<Stack> = sides.flatten().filter(|stack| !stack.parts.is_empty()).collect();
    let all = stacks.len();
    stacks.truncate(STACKS_MAX);
    let mut notes = vec![
        "Means over n transfers. The stages of a side add up to its wall time; both sides run at the same time, so one waits for the \
         other in `emit` or `receive`."
            .to_owned(),
    ];
    if all > stacks.len() {
        notes.push(format!("The first {} of {all} sides; the breakdowns have all.", stacks.len()));
    }
    let across = Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds };
    let title = "Stages of transfers".to_owned();
    (!stacks.is_empty()).then(|| FamilyChart::stacks("transfers-stages", Stacks { title, across, stacks, notes }))
}
