//! Chains that differ only in the number of operators, with the medians of their processes.

use super::naming::{self, Key, Name};
use super::{FAMILY, PHASE};
use bench_model::Arm;
use bench_report::{CellView, RunView, SeriesView};
use bench_sink::runfile::Status;
use bench_stats::{Interval, LEVEL, PROCESSES_MIN, mean_interval};
use std::collections::{BTreeMap, BTreeSet};

/// Cells that differ only in the number of operators.
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    pub(super) name: Name,
    /// The cells by their number of operators.
    pub(super) cells: BTreeMap<i64, &'a CellView>,
}

/// One figure of one cell.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// The number of the cell.
    pub(super) cell: u32,
    pub(super) operators: i64,
    /// The median of each process.
    pub(super) medians: Vec<f64>,
    /// The number of samples of all processes.
    pub(super) samples: u64,
}

/// The chains of the run with figures, sorted by kind, further differences and arm.
pub(super) fn sweeps(view: &RunView) -> Vec<Sweep<'_>> {
    let is_it = |cell: &&CellView| cell.family == FAMILY && naming::count(&cell.arguments).is_some();
    let cells: Vec<&CellView> = view.cells.iter().filter(is_it).collect();
    let keys: Vec<_> = cells.iter().map(|cell| key(cell)).collect();
    let mut sweeps: BTreeMap<Name, BTreeMap<i64, &CellView>> = BTreeMap::new();
    // Failed cells get names too, so that the names of others do not depend on failures.
    for (name, cell) in naming::names(&keys).into_iter().zip(cells) {
        if let Some(count) = naming::count(&cell.arguments).filter(|_| cell.status == Status::Ok) {
            sweeps.entry(name).or_default().insert(count, cell);
        }
    }
    let mut sweeps: Vec<_> = sweeps.into_iter().map(|(name, cells)| Sweep { name, cells }).collect();
    sweeps.sort_by_key(|Sweep { name, .. }| {
        let arm = ARMS.iter().position(|arm| name.is_in(*arm)).unwrap_or(ARMS.len());
        let kind = KINDS.iter().position(|kind| *kind == name.kind).unwrap_or(KINDS.len());
        (kind, name.title(), arm, name.arm_label())
    });
    sweeps
}

/// The order in tables and legends; other kinds and arms come last.
const KINDS: [&str; 3] = ["mixed", "rust-only", "go-only"];
const ARMS: [Arm; 3] = [Arm::Wasm, Arm::Native, Arm::Process];

fn key(cell: &CellView) -> Key<'_> {
    Key {
        scenario: &cell.scenario,
        arm: cell.arm,
        variant: cell.variant.as_deref(),
        arguments: &cell.arguments,
        file: &cell.module.file,
    }
}

/// The series of `metric` of a cell, in `phase` if it has phases.
pub(super) fn series<'a>(cell: &'a CellView, metric: &str, phase: Option<&str>) -> Option<&'a SeriesView> {
    let is_it = |series: &&SeriesView| {
        let found = series.labels.iter().find(|(name, _)| name == PHASE).map(|(_, value)| value.as_str());
        series.metric == metric && found == phase
    };
    cell.series.iter().find(is_it)
}

impl Sweep<'_> {
    /// The figures of `metric` by the number of operators.
    pub(super) fn measured(&self, metric: &str, phase: Option<&str>) -> Vec<Measured> {
        let one = |(operators, cell): (&i64, &&CellView)| {
            let series = series(cell, metric, phase)?;
            let medians = series.process_medians.clone();
            Some(Measured { cell: cell.cell, operators: *operators, medians, samples: series.samples })
        };
        self.cells.iter().filter_map(one).collect()
    }

    fn counts(&self) -> BTreeSet<i64> {
        self.cells.keys().copied().collect()
    }
}

impl Measured {
    /// The mean of the medians of the processes.
    pub(super) fn mean(&self) -> f64 {
        self.medians.iter().sum::<f64>() / self.medians.len() as f64
    }

    /// The interval of the mean with three processes or more: with two, Student's t makes it 12.7 standard errors wide on each side.
    pub(super) fn interval(&self) -> Option<Interval> {
        mean_interval(&self.medians, LEVEL).filter(|_| self.has_interval())
    }

    /// Whether there are enough processes for an interval.
    pub(super) fn has_interval(&self) -> bool {
        self.medians.len() >= PROCESSES_MIN as usize
    }

    /// The geometric mean of the medians of the processes, and its interval with three processes or more. A disturbance multiplies
    /// a time, so a single process could dominate the arithmetic mean.
    pub(super) fn geometric(&self) -> (f64, Option<Interval>) {
        let logs: Vec<f64> = self.medians.iter().map(|median| median.ln()).collect();
        let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
        let back = |Interval { low, estimate, high }| Interval {
            low: f64::exp(low),
            estimate: f64::exp(estimate),
            high: f64::exp(high),
        };
        (mean, mean_interval(&logs, LEVEL).filter(|_| self.has_interval()).map(back))
    }
}

/// The numbers of operators that the chains of this kind have in all arms, so that arms are compared at the same numbers; the
/// chain's own numbers if fewer than two are shared.
pub(super) fn shared_counts(sweeps: &[Sweep<'_>], sweep: &Sweep<'_>) -> BTreeSet<i64> {
    let alike = sweeps.iter().filter(|other| other.name.title() == sweep.name.title());
    let shared = alike.map(Sweep::counts).reduce(|one, other| &one & &other).unwrap_or_default();
    if shared.len() < 2 { sweep.counts() } else { shared }
}
