//! How far the agents of a class lie apart: each of them measures the first group of cells, so its figures are of equal code on machines
//! that should be equal (A/A).

use bench_engine::{ComparisonGroup, Plan};
use bench_report::RunView;
use bench_sink::runfile::Status;
use std::path::PathBuf;

/// How far the medians of `group` lie apart in the run files of agents of one class, in one line; `None` if fewer than two agents have
/// figures of it.
pub(super) fn describe(plan: &Plan, group: &ComparisonGroup, agents: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let views = agents.iter().map(|directory| RunView::read(directory)).collect::<Result<Vec<_>, _>>()?;
    let mut widest: Option<(f64, u32, usize)> = None;
    for number in &group.cells {
        let medians: Vec<f64> = views.iter().filter_map(|view| median(view, *number)).collect();
        let (low, high) = (medians.iter().copied().reduce(f64::min), medians.iter().copied().reduce(f64::max));
        let difference = low.zip(high).and_then(|(low, high)| bench_stats::drift(low, high));
        let Some(difference) = difference.filter(|_| medians.len() > 1) else { continue };
        if widest.is_none_or(|(known, _, _)| difference > known) {
            widest = Some((difference, *number, medians.len()));
        }
    }
    Ok(widest.map(|(difference, number, agents)| {
        let cell = plan.cell(number);
        let (name, arm) = (plan.full_name(cell), plan.offer(cell).arm);
        format!(
            "its {agents} agents differ by up to {:.1} % in {name}, arm {arm}, which all of them measured (A/A)",
            100.0 * difference
        )
    }))
}

/// The median time of an operation of the cell, if it has one.
fn median(view: &RunView, number: u32) -> Option<f64> {
    let cell = view.cells.iter().find(|cell| cell.cell == number && cell.status == Status::Ok)?;
    cell.timed()?.summary.p50
}
