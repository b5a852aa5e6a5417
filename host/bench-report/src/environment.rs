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
    warnings.chain(withheld(&view.cells)).chain(contended(&view.cells)).chain(neighbours(&view.cells)).collect()
}

/// That hypervisor, quota or suspension took the processor away.
fn withheld(cells: &[CellView]) -> Option<String> {
    let all = cells.iter().flat_map(|cell| &cell.witnesses);
    let line = seen(all, Witness::withheld_share, WITHHELD_SHARE_MIN)?;
    Some(format!(
        "the machine withheld the processor {line}: high quantiles show it; use a machine with processors of its own"
    ))
}

/// That the thread that is timed did not have its processor to itself. Only cells that are bound to one are looked at: modules
/// that place their threads themselves may want them to share.
fn contended(cells: &[CellView]) -> Option<String> {
    let bound = cells.iter().filter(|cell| cell.cpu.is_some()).flat_map(|cell| &cell.witnesses);
    let line = seen(bound, Witness::run_queue_share, RUN_QUEUE_SHARE_MIN)?;
    Some(format!("other work was on the processor that was measured {line}: stop other work, or wait"))
}

/// That other processes kept the machine busy. They share caches, memory and frequency with what is measured, so even a ratio of two arms is
/// that of a busy machine.
fn neighbours(cells: &[CellView]) -> Option<String> {
    let bound = cells.iter().filter(|cell| cell.cpu.is_some()).flat_map(|cell| &cell.witnesses);
    let line = seen(bound, Witness::others_busy_share, OTHERS_BUSY_SHARE_MIN)?;
    Some(format!(
        "other processes used the processors {line}: figures and ratios are those of a busy machine; stop other work, or wait"
    ))
}

/// In how many of `witnesses` the share is at least `min`, and the largest.
fn seen<'a>(witnesses: impl Iterator<Item = &'a Witness>, share: impl Fn(&Witness) -> f64, min: f64) -> Option<String> {
    let shares: Vec<f64> = witnesses.map(share).collect();
    let concerned: Vec<f64> = shares.iter().copied().filter(|share| *share >= min).collect();
    let most = concerned.iter().copied().reduce(f64::max)?;
    let percent = (most * 100.0).min(100.0);
    Some(format!("in {} of {} repetitions, for up to {percent:.0} % of the time", concerned.len(), shares.len()))
}
