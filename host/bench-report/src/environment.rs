//! What the machine did to a whole run, in a line each: the warnings it began with, and what was seen of it during repetitions.

use crate::{CellView, RunView};
use bench_sink::environment::Witness;

/// Withholding less than this share of a repetition is left to its record.
const WITHHELD_SHARE_MIN: f64 = 0.05;

/// A thread that has a processor to itself waits far less than this.
const RUN_QUEUE_SHARE_MIN: f64 = 0.2;

/// Below this, other processes hardly slow down the caches, memory and frequency that a cell shares with them.
const OTHERS_BUSY_SHARE_MIN: f64 = 0.15;

/// One line for each thing of the machine that makes figures doubtful, with what to do about it. Not escaped.
pub(crate) fn environment(view: &RunView) -> Vec<String> {
    let warnings = view.warnings.iter().map(|warning| format!("{}: {}", warning.found, warning.remedy));
    let seen = disturbances(&view.cells).map(|(what, effect)| format!("{what}: {effect}"));
    warnings.chain(seen).collect()
}

/// What disturbed the repetitions of one cell. Not escaped.
pub(crate) fn of_cell(cell: &CellView) -> Vec<String> {
    disturbances(std::slice::from_ref(cell)).map(|(what, _)| what).collect()
}

/// What disturbed the repetitions of `cells`, each with its effect and what to do about it.
fn disturbances(cells: &[CellView]) -> impl Iterator<Item = (String, &'static str)> {
    let all = cells.iter().flat_map(|cell| &cell.witnesses);
    // Only cells that are bound to a processor: modules that place their threads themselves may want them to share.
    let bound = || cells.iter().filter(|cell| cell.cpu.is_some()).flat_map(|cell| &cell.witnesses);
    // That hypervisor, quota or suspension took the processor away.
    let withheld = seen(all, Witness::withheld_share, WITHHELD_SHARE_MIN).map(|line| {
        let effect = "high quantiles show it; use a machine with processors of its own";
        (format!("the machine withheld the processor {line}"), effect)
    });
    // That the thread that is timed did not have its processor to itself.
    let contended = seen(bound(), Witness::run_queue_share, RUN_QUEUE_SHARE_MIN)
        .map(|line| (format!("other work was on the processor that was measured {line}"), "stop other work, or wait"));
    // Other processes share caches, memory and frequency with what is measured, so even a ratio of two arms is that of a busy machine.
    let neighbours = seen(bound(), Witness::others_busy_share, OTHERS_BUSY_SHARE_MIN).map(|line| {
        let effect = "figures and ratios are those of a busy machine; stop other work, or wait";
        (format!("other processes used the processors {line}"), effect)
    });
    [withheld, contended, neighbours].into_iter().flatten()
}

/// In how many of `witnesses` the share is at least `min`, and the largest.
fn seen<'a>(witnesses: impl Iterator<Item = &'a Witness>, share: impl Fn(&Witness) -> f64, min: f64) -> Option<String> {
    let shares: Vec<f64> = witnesses.map(share).collect();
    let concerned: Vec<f64> = shares.iter().copied().filter(|share| *share >= min).collect();
    let most = concerned.iter().copied().reduce(f64::max)?;
    let percent = (most * 100.0).min(100.0);
    Some(format!("in {} of {} repetitions, for up to {percent:.0} % of the time", concerned.len(), shares.len()))
}
