//! Chains of one name, by their number of operators: what they have of a metric, process by process. Knows figures that were
//! measured, not what is made of them.

use super::naming::{self, Key, Name};
use super::{FAMILY, PHASE};
use bench_report::{CellView, RunView, SeriesView};
use bench_sink::runfile::Status;
use bench_stats::{Interval, LEVEL, PROCESSES_MIN, mean_interval};
use std::collections::{BTreeMap, BTreeSet};

/// Cells that differ in the number of operators alone.
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    pub(super) name: Name,
    /// By the number of operators, of which there are no two alike.
    pub(super) cells: BTreeMap<i64, &'a CellView>,
}

/// One figure of one cell.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) operators: i64,
    /// The median of each process.
    pub(super) medians: Vec<f64>,
    /// Of all processes together.
    pub(super) samples: u64,
}

/// The chains of the run that have figures, by kind, what else tells them apart, and arm.
pub(super) fn sweeps(view: &RunView) -> Vec<Sweep<'_>> {
    let is_it = |cell: &&CellView| cell.family == FAMILY && naming::count(&cell.arguments).is_some();
    let cells: Vec<&CellView> = view.cells.iter().filter(is_it).collect();
    let keys: Vec<_> = cells.iter().map(|cell| key(cell)).collect();
    let mut sweeps: BTreeMap<Name, BTreeMap<i64, &CellView>> = BTreeMap::new();
    // What failed has its name like the others, so that names do not depend on it.
    for (name, cell) in naming::names(&keys).into_iter().zip(cells) {
        if let Some(count) = naming::count(&cell.arguments).filter(|_| cell.status == Status::Ok) {
            sweeps.entry(name).or_default().insert(count, cell);
        }
    }
    let mut sweeps: Vec<_> = sweeps.into_iter().map(|(name, cells)| Sweep { name, cells }).collect();
    sweeps.sort_by_key(|Sweep { name, .. }| {
        (rank(&KINDS, &name.kind), name.title(), rank(&ARMS, &name.arm), name.arm.clone())
    });
    sweeps
}

/// The order of every table and legend; what is neither comes behind.
const KINDS: [&str; 3] = ["mixed", "rust-only", "go-only"];
const ARMS: [&str; 3] = ["wasm", "native", "process"];

fn rank(order: &[&str], name: &str) -> usize {
    order.iter().position(|known| *known == name).unwrap_or(order.len())
}

fn key(cell: &CellView) -> Key<'_> {
    Key {
        scenario: &cell.scenario,
        arm: cell.arm,
        variant: cell.variant.as_deref(),
        arguments: &cell.arguments,
        file: &cell.module.file,
    }
}

/// The series of `metric` of a cell, in `phase` where it has phases.
pub(super) fn series<'a>(cell: &'a CellView, metric: &str, phase: Option<&str>) -> Option<&'a SeriesView> {
    let is_it = |series: &&SeriesView| {
        let found = series.labels.iter().find(|(name, _)| name == PHASE).map(|(_, value)| value.as_str());
        series.metric == metric && found == phase
    };
    cell.series.iter().find(is_it)
}

impl Sweep<'_> {
    /// What the cells have of `metric`, by the number of operators.
    pub(super) fn measured(&self, metric: &str, phase: Option<&str>) -> Vec<Measured> {
        let one = |(operators, cell): (&i64, &&CellView)| {
            let series = series(cell, metric, phase)?;
            Some(Measured { operators: *operators, medians: series.process_medians.clone(), samples: series.samples })
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

    /// Its interval, from three processes on: of two, Student's t makes it 12.7 standard errors wide to each side.
    pub(super) fn interval(&self) -> Option<Interval> {
        mean_interval(&self.medians, LEVEL).filter(|_| self.has_interval())
    }

    /// Whether there are processes enough for an interval.
    pub(super) fn has_interval(&self) -> bool {
        self.medians.len() >= PROCESSES_MIN as usize
    }

    /// The geometric mean of the medians of the processes, and its interval from three processes on: what is disturbed takes times
    /// as long, so that one process would be all of an ordinary mean.
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

/// The numbers of operators that all chains of the kind of `sweep` have, whatever their arm, so that arms are compared at the
/// same places; those of its own where fewer than two are shared.
pub(super) fn shared_counts(sweeps: &[Sweep<'_>], sweep: &Sweep<'_>) -> BTreeSet<i64> {
    let alike = sweeps.iter().filter(|other| other.name.title() == sweep.name.title());
    let shared = alike.map(Sweep::counts).reduce(|one, other| &one & &other).unwrap_or_default();
    if shared.len() < 2 { sweep.counts() } else { shared }
}
