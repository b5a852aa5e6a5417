//! Comparisons of two arms, or of two sides of several runs each: makes ratios with verdicts of run files.

mod compared;
mod compared_cell;
mod compilers;
mod counts;
mod csv;
mod exact;
mod json;
mod ladder;
mod ledger;
mod machine;
mod notes;
mod pairs;
mod samples;
mod sides;
mod table;

pub use self::compared::{Candidate, Comparison, Figures, Label, Side};
pub use self::exact::InstructionCounts;
pub use self::ladder::{LadderView, RungView};
pub use self::ledger::{LedgerTerm, LedgerView, Mean};
pub use self::table::{ComparisonDetail, comparison_document};
pub(crate) use self::table::{usage, verdict};

use crate::{AccountView, ReportError, RunView};
use bench_model::Arguments;
use bench_sink::runfile::{RunFile, Status};
use bench_stats::Verdict;
use std::cmp::Ordering;

/// How to judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The margin within which a ratio counts as equivalent to 1: 0.02 is two per cent.
    pub delta: f64,
    /// What the resampling is drawn from.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { delta: bench_stats::DELTA, seed: 0 }
    }
}

/// Candidates against their baselines, with verdicts that hold for all of them together.
#[derive(Clone, Debug)]
pub struct ComparisonReport {
    /// What was compared.
    pub runs: Runs,
    /// How it was judged.
    pub options: Options,
    /// By scenario, arguments and candidate.
    pub comparisons: Vec<Comparison>,
    /// Where the time of an operation went, for each cell that was looked into.
    pub ledgers: Vec<LedgerView>,
    /// What an operation used and did, for each cell that was looked into.
    pub accounts: Vec<SubjectAccount>,
    /// Cells that have nothing to be compared with.
    pub one_sided: Vec<OneSided>,
    /// Ladders; their rungs name comparisons by their index in `comparisons`.
    pub ladders: Vec<LadderView>,
    /// What the machines of the two sides differ in, where they do and the caller wanted them compared all the same.
    pub across_machines: Option<String>,
}

/// The runs of a comparison.
#[derive(Clone, Debug)]
pub enum Runs {
    /// One, in which the candidates were interleaved.
    Paired(Box<RunView>),
    /// Two sides; no side is empty.
    Sides {
        /// The baseline.
        a: Vec<RunView>,
        /// What is compared with it.
        b: Vec<RunView>,
    },
}

/// The account of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectAccount {
    /// `module/scenario`.
    pub scenario: String,
    /// With what it was executed.
    pub arguments: Arguments,
    /// Whose account it is.
    pub label: Label,
    /// The figures.
    pub account: AccountView,
}

/// A cell that has nothing to be compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct OneSided {
    /// `module/scenario`.
    pub scenario: String,
    /// With what it was executed.
    pub arguments: Arguments,
    /// Which arm, and of which side.
    pub label: Label,
    /// Why the other is not there, as far as the files say.
    pub reason: String,
}

impl ComparisonReport {
    /// Compares the arms of one run that interleaved them: each candidate with the baseline of its process, by pairs
    /// of samples that were taken next to each other. A process counts only where all its candidates ended well.
    pub fn of_pairs(run: RunFile, options: &Options) -> Result<Self, ReportError> {
        pairs::compare(run, options)
    }

    /// Compares each cell of the side `b` with the same cell of the side `a`. A side may be several runs; each of their
    /// processes is one of its own. Refuses runs of different machines unless `across_machines`.
    pub fn of_runs(
        a: Vec<RunFile>,
        b: Vec<RunFile>,
        options: &Options,
        across_machines: bool,
    ) -> Result<Self, ReportError> {
        sides::compare(a, b, options, across_machines)
    }

    /// How many comparisons failed; and where two sides were compared, how many became worse.
    pub fn findings(&self) -> usize {
        let failed = self.comparisons.iter().filter(|compared| compared.status == Status::Failed).count();
        failed + self.regressions()
    }

    /// How many comparisons of the side B with the side A differ and are slower. Between arms nothing is a regression.
    pub fn regressions(&self) -> usize {
        let is_sides = matches!(self.runs, Runs::Sides { .. });
        let worse = |figures: &Figures| figures.verdict == Verdict::Different && figures.ratios.medians.log > 0.0;
        self.comparisons.iter().filter(|compared| is_sides && compared.figures.as_ref().is_some_and(worse)).count()
    }

    /// Whether there is any ratio at all.
    pub fn has_ratios(&self) -> bool {
        self.comparisons.iter().any(|compared| compared.figures.is_some())
    }
}

/// By scenario, then by arguments.
fn by_work(a: (&str, &Arguments), b: (&str, &Arguments)) -> Ordering {
    // Values are never NaN, so arguments always compare.
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Those of `sorted` that `order` finds equal to what is looked for.
fn equal_range<T>(sorted: &[T], order: impl Fn(&T) -> Ordering) -> &[T] {
    let begin = sorted.partition_point(|one| order(one).is_lt());
    let count = sorted[begin..].partition_point(|one| order(one).is_eq());
    &sorted[begin..begin + count]
}
