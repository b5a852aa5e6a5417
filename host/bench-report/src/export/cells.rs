//! What every export says of a cell: its name, and its figures with their units.

use crate::{CellView, RunView};
use bench_stats::{Interval, LEVEL, PROCESSES_MIN, mean_interval};

/// `ring/stream wasm payload_bytes=64`, different for every cell of a run. Not escaped.
pub(super) fn name(view: &RunView, cell: &CellView) -> String {
    format!("{} {} {}", view.name_of(cell), cell.arm_label(), cell.arguments).trim_end().to_owned()
}

/// The 95 % interval of the mean of these medians of processes; none of fewer than three.
pub(super) fn interval(process_medians: &[f64]) -> Option<Interval> {
    mean_interval(process_medians, LEVEL).filter(|_| process_medians.len() >= PROCESSES_MIN as usize)
}
