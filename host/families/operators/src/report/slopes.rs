//! Memory by the number of operators in each phase: how much one operator adds, and how much there is without operators.

use super::sweep::{Sweep, shared_counts, sweeps};
use super::{MEMORY, PHASES};
use bench_report::{RunView, print_json, significant};
use bench_stats::{LEVEL, Slope, slope};
use serde::Serialize;
use serde_json::Number;

/// The memory of chains of one name in one phase.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    /// The title of the chains.
    pub(super) kind: String,
    pub(super) arm: String,
    pub(super) phase: &'static str,
    /// The numbers of operators with figures, in ascending order.
    pub(super) counts: Vec<i64>,
    /// The number of processes over all numbers of operators.
    pub(super) processes: usize,
    /// The mean, over the processes with the most operators, of the median of the phase, in bytes.
    pub(super) largest: f64,
    /// The line through the medians of all processes, each of which is a point; `None` of one number of operators, or if several machines
    /// measured them.
    pub(super) line: Option<Slope>,
    /// The reason why there is no line through what several machines measured.
    apart: Option<String>,
}

/// The growth of every chain in every phase with figures. Arms of a kind are compared at the same numbers of operators.
pub(super) fn growths(view: &RunView, sweeps: &[Sweep<'_>]) -> Vec<Growth> {
    let of = |sweep| PHASES.iter().filter_map(|phase| growth(view, sweeps, sweep, phase)).collect::<Vec<_>>();
    sweeps.iter().flat_map(of).collect()
}

fn growth(view: &RunView, sweeps: &[Sweep<'_>], sweep: &Sweep<'_>, phase: &'static str) -> Option<Growth> {
    let shared = shared_counts(sweeps, sweep);
    let measured = sweep.measured(MEMORY, Some(phase));
    let measured: Vec<_> = measured.into_iter().filter(|measured| shared.contains(&measured.operators)).collect();
    let points: Vec<(f64, f64)> = measured
        .iter()
        .flat_map(|measured| measured.medians.iter().map(|median| (measured.operators as f64, *median)))
        .collect();
    let apart = view.same_host(measured.iter().map(|measured| measured.cell)).err();
    Some(Growth {
        kind: sweep.name.title(),
        arm: sweep.name.arm_label(),
        phase,
        counts: measured.iter().map(|measured| measured.operators).collect(),
        processes: points.len(),
        largest: measured.last()?.mean(),
        line: slope(&points).filter(|_| apart.is_none()),
        apart: apart.map(|why| format!("chains with one slope must be of one machine, and these were {why}")),
    })
}

#[derive(Serialize)]
struct Document<'a> {
    run: &'a str,
    metric: &'static str,
    unit: &'static str,
    slope_unit: &'static str,
    level: f64,
    memory: Vec<GrowthJson>,
}

#[derive(Serialize)]
struct GrowthJson {
    kind: String,
    arm: String,
    phase: &'static str,
    operator_counts: Vec<i64>,
    processes: usize,
    of_largest_count: Option<Number>,
    per_operator: Option<Number>,
    per_operator_low: Option<Number>,
    per_operator_high: Option<Number>,
    without_operators: Option<Number>,
    /// Why there is no slope or no interval, if there is none.
    absent: Option<String>,
}

/// Memory by the number of operators as a JSON document.
pub(super) fn operators_json(view: &RunView) -> String {
    let one = |growth: Growth| {
        let interval = growth.line.and_then(|line| line.interval(LEVEL));
        GrowthJson {
            absent: growth.absent().map(str::to_owned),
            kind: growth.kind,
            arm: growth.arm,
            phase: growth.phase,
            operator_counts: growth.counts,
            processes: growth.processes,
            of_largest_count: significant(growth.largest),
            per_operator: growth.line.and_then(|line| significant(line.estimate)),
            per_operator_low: interval.and_then(|interval| significant(interval.low)),
            per_operator_high: interval.and_then(|interval| significant(interval.high)),
            without_operators: growth.line.and_then(|line| significant(line.start)),
        }
    };
    print_json(&Document {
        run: &view.id,
        metric: MEMORY,
        unit: "By",
        slope_unit: "By/operator",
        level: LEVEL,
        memory: growths(view, &sweeps(view)).into_iter().map(one).collect(),
    })
}

impl Growth {
    /// Why there is no slope, or no interval of one.
    pub(super) fn absent(&self) -> Option<&str> {
        match self.line {
            None if self.apart.is_some() => self.apart.as_deref(),
            None => Some("one count has no slope; give several with -p count=10,100"),
            Some(line) if line.standard_error.is_none() => {
                Some("two processes have no interval; give more with --processes")
            }
            Some(_) => None,
        }
    }
}
