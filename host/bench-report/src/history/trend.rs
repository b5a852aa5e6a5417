//! Steps in the history of a cell, and what may have caused each: the machine, if its rooflines or its fingerprint changed in the same
//! runs, else the commits between the runs before and after.

use super::{CellEntry, CellHistory, RunEntry};
use crate::shell::{parameter, quoted};
use bench_model::MachineLimit;
use bench_sink::runfile::Named;
use bench_stats::{GradualChange, Shift, Step, Trend, shift, trend};

/// The history of one cell, and what happens in it.
#[derive(Clone, Debug)]
pub struct CellTrend<'a> {
    /// The cell.
    pub history: CellHistory<'a>,
    /// The runs with a figure, oldest first, and the figure of each.
    pub points: Vec<(&'a RunEntry, &'a CellEntry, f64)>,
    /// The steps, oldest first.
    pub steps: Vec<ExplainedStep<'a>>,
    /// A gradual change in place of steps.
    pub drift: Option<GradualChange>,
    /// The runs whose figure is far from those before and after.
    pub outliers: Vec<&'a RunEntry>,
}

/// A step and its probable cause.
#[derive(Clone, Debug)]
pub struct ExplainedStep<'a> {
    /// The step.
    pub step: Step,
    /// The last run before it.
    pub last_before: &'a RunEntry,
    /// The first run after it.
    pub first_after: &'a RunEntry,
    /// What changed with it.
    pub cause: Cause,
    /// How each roofline changed in the same runs, the largest change first.
    pub rooflines: Vec<(Named<MachineLimit>, Shift)>,
}

/// What changed with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The machine: each line says what of it.
    Machine(Vec<String>),
    /// The host, its engine or its compiler: each line says what.
    Program(Vec<String>),
    /// The commits after the first revision, up to the second.
    Commits {
        /// The revision of the last run before.
        good: String,
        /// The revision of the first run after.
        bad: String,
    },
    /// Neither: why.
    Unknown(String),
}

/// In at most this share of steps chance may move a roofline so that the machine is blamed. Each roofline has an equal part of it (Bonferroni):
/// the more there are, the sooner one of them moves by chance.
const ROOFLINE_P_MAX: f64 = 0.01;

/// A roofline explains a step if it moved in the same direction by at least this share of it, on the log scale.
const ROOFLINE_SHARE_MIN: f64 = 0.5;

/// How names of differences of the program begin; all others are of the machine.
const OF_PROGRAM: [&str; 4] = ["host version ", "engine ", "rustc ", "build "];

impl<'a> CellTrend<'a> {
    /// What happens in `history`.
    pub fn of(history: CellHistory<'a>) -> Self {
        let figures = history.entries.iter().zip(history.figures());
        let points: Vec<_> = figures.filter_map(|((run, cell), figure)| Some((*run, *cell, figure?))).collect();
        let values: Vec<f64> = points.iter().map(|(.., value)| *value).collect();
        let Trend { steps, drift, outliers } = trend(&values);
        let steps = steps.into_iter().map(|step| explained(step, &points)).collect();
        let outliers = outliers.into_iter().map(|at| points[at].0).collect();
        Self { history, points, steps, drift, outliers }
    }
}

/// A run, the cell in it, and the figure.
type Point<'a> = (&'a RunEntry, &'a CellEntry, f64);

fn explained<'a>(step: Step, points: &[Point<'a>]) -> ExplainedStep<'a> {
    let (before, after) = (&points[step.from..step.at], &points[step.at..step.until]);
    let ((last_before, last_cell, _), (first_after, first_cell, _)) = (points[step.at - 1], points[step.at]);
    let rooflines = moved(before, after);
    let unlike = last_before.fingerprint_of(last_cell).unlike(first_after.fingerprint_of(first_cell));
    let (program, mut machine): (Vec<String>, Vec<String>) =
        unlike.into_iter().partition(|line| OF_PROGRAM.iter().any(|name| line.starts_with(name)));
    let p_max = ROOFLINE_P_MAX / rooflines.len().max(1) as f64;
    machine.extend(rooflines.iter().filter(|(_, shift)| shift.p <= p_max && explains(shift, &step)).map(
        |(limit, shift)| format!("{limit} moved {} in the same runs (p {:.1e})", signed_percent(shift.ratio), shift.p),
    ));
    let cause = match (machine.is_empty(), program.is_empty()) {
        (false, _) => Cause::Machine(machine),
        (true, false) => Cause::Program(program),
        (true, true) => commits(last_before, first_after),
    };
    ExplainedStep { step, last_before, first_after, cause, rooflines }
}

/// How each roofline changed, the largest change first. A roofline that too few runs have is left out.
fn moved(before: &[Point<'_>], after: &[Point<'_>]) -> Vec<(Named<MachineLimit>, Shift)> {
    let values = |points: &[Point<'_>], limit: &Named<MachineLimit>| -> Vec<f64> {
        let of_run = |(run, cell, _): &Point<'_>| {
            run.rooflines_of(cell).iter().find(|(known, _)| known == limit).map(|(_, median)| *median)
        };
        points.iter().filter_map(of_run).collect()
    };
    let of_last = before.last().map(|(run, cell, _)| run.rooflines_of(cell)).unwrap_or_default();
    let limits = of_last.iter().map(|(limit, _)| limit);
    let mut moved: Vec<_> = limits
        .filter_map(|limit| Some((limit.clone(), shift(&values(before, limit), &values(after, limit))?)))
        .collect();
    moved.sort_by(|(_, a), (_, b)| b.ratio.ln().abs().total_cmp(&a.ratio.ln().abs()));
    moved
}

/// Every roofline is a time, so the machine became slower where it grew.
fn explains(shift: &Shift, step: &Step) -> bool {
    let (of_roofline, of_cell) = (shift.ratio.ln(), step.ratio().ln());
    of_roofline.signum() == of_cell.signum() && of_roofline.abs() >= ROOFLINE_SHARE_MIN * of_cell.abs()
}

fn commits(before: &RunEntry, after: &RunEntry) -> Cause {
    let (Some(good), Some(bad)) = (before.revision(), after.revision()) else {
        return Cause::Unknown("the runs name no git revision: run in a git checkout".to_owned());
    };
    let sha = |revision: &str| revision.split('+').next().unwrap_or(revision).to_owned();
    if sha(good) == sha(bad) {
        let dirty = if bad.ends_with("+dirty") || good.ends_with("+dirty") { ", with uncommitted changes" } else { "" };
        return Cause::Unknown(format!(
            "both sides are of revision {}{dirty}",
            super::runs::short_revision(&sha(good))
        ));
    }
    Cause::Commits { good: sha(good), bad: sha(bad) }
}

/// `+18 %`, `-4.2 %`.
pub(super) fn signed_percent(ratio: f64) -> String {
    let sign = if ratio > 1.0 { "+" } else { "" };
    format!("{sign}{}", crate::scale::percent(ratio - 1.0))
}

impl ExplainedStep<'_> {
    /// The command line that lets git find the commit, for a step between two revisions. Each revision is compared with the good one; a
    /// revision that cannot be built or measured is skipped. None for a variant, because revisions are compared with default settings.
    pub fn bisect(&self, cell: &CellEntry) -> Option<String> {
        let Cause::Commits { good, bad } = &self.cause else { return None };
        if cell.variant.is_some() {
            return None;
        }
        let arguments = cell.arguments.iter().map(|(name, value)| format!(" -p {}", parameter(name, value)));
        let beyond = half_of(self.step.ratio());
        let compare = format!(
            "bench-host compare --git {good}..HEAD {} --arm {}{} --fail-on {beyond}",
            quoted(&cell.scenario),
            cell.arm,
            arguments.collect::<String>()
        );
        let script = format!("{compare}; status=$?; test $status -eq 2 && exit 125; exit $status");
        Some(format!("git bisect start {bad} {good} && git bisect run sh -c {}", quoted(&script)))
    }
}

/// Half of a step by `ratio` as a threshold of `--fail-on`, so that noise on either side of it decides nothing.
fn half_of(ratio: f64) -> String {
    /// The largest threshold that there is.
    const PERCENT_MAX: f64 = 999.0;
    let half = ratio.ln() / 2.0;
    // `worse:10%` is a ratio above 1.1, `better:10%` one below 0.9.
    match half > 0.0 {
        true => format!("worse:{:.1}%", (half.exp_m1() * 100.0).min(PERCENT_MAX)),
        false => format!("better:{:.1}%", -half.exp_m1() * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threshold_lies_between_no_change_and_the_step() {
        let check = |ratio: f64, expect: &str| assert_eq!(half_of(ratio), expect, "{ratio}");
        check(1.21, "worse:10.0%");
        check(0.81, "better:10.0%");
        // A gate of more than the whole step would never find it.
        check(0.09, "better:70.0%");
        check(0.0001, "better:99.0%");
        check(1e6, "worse:999.0%");
    }
}
