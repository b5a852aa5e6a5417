//! How far the agents of a class lie apart: each of them measures the first group of cells, so its figures are of equal code on machines
//! that should be equal (A/A).

use bench_engine::{ComparisonGroup, Plan};
use bench_report::{CellView, RunView, widest_spread};
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

/// A smaller difference of machines does not matter, however little their figures scatter.
const DIFFERENCE_MIN: f64 = 0.01;

/// Whether the figures of `group` differ between agents by more than the processes of each scatter, in one line that says so; `None` if
/// they do not, or if there are too few processes to tell.
pub(super) fn difference(
    plan: &Plan,
    group: &ComparisonGroup,
    agents: &[(&str, PathBuf)],
) -> anyhow::Result<Option<String>> {
    let read = |(name, directory): &(&str, PathBuf)| anyhow::Ok(((*name).to_owned(), RunView::read(directory)?));
    let views = agents.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    for number in &group.cells {
        for (index, (first, one)) in views.iter().enumerate() {
            for (second, other) in &views[index + 1..] {
                let Some((distance, floor)) = apart(one, other, *number) else { continue };
                if distance > floor.max(DIFFERENCE_MIN) {
                    let cell = plan.cell(*number);
                    return Ok(Some(format!(
                        "agents {first} and {second} differ by {:.1} % in {}, arm {}, although their machines should be equal; the \
                         processes of each differ by {:.1} %",
                        100.0 * distance.exp_m1(),
                        plan.full_name(cell),
                        plan.offer(cell).arm,
                        100.0 * floor.exp_m1()
                    )));
                }
            }
        }
    }
    Ok(None)
}

/// How far the medians of a cell in two runs lie apart on the log scale, and how far the processes of each do.
fn apart(one: &RunView, other: &RunView, number: u32) -> Option<(f64, f64)> {
    let floor = widest_spread(&cell(one, number)?.timed_processes, &cell(other, number)?.timed_processes)?;
    let distance = (median(one, number)? / median(other, number)?).ln().abs();
    distance.is_finite().then_some((distance, floor))
}

/// The cell, if it has figures.
fn cell(view: &RunView, number: u32) -> Option<&CellView> {
    view.cells.iter().find(|cell| cell.cell == number && cell.status == Status::Ok)
}

/// The median time of an operation of the cell, if it has one.
fn median(view: &RunView, number: u32) -> Option<f64> {
    cell(view, number)?.timed()?.summary.p50
}
