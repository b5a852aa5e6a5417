//! A target: a threshold on a figure of a series, absolute, or relative to a limit of the machine or to another series of the
//! same run. What is here is whole and makes sense; how it is written is the parser's business, and nothing is judged.

use crate::suite::Scalar;
use bench_model::MachineLimit;
use std::collections::BTreeMap;

/// A set of targets.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The suites each of which measures all of it.
    pub measured_by: Vec<String>,
    /// In the order they are shown; names are unique.
    pub target: Vec<Target>,
}

/// A threshold.
#[derive(Clone, Debug)]
pub struct Target {
    /// Short, for the table.
    pub name: String,
    /// One line that says what is held to what.
    pub summary: String,
    /// The series, and in which cells it is held.
    pub series: SeriesName,
    /// What is held of it.
    pub figure: Figure,
    /// The argument over whose values the slope of the figure is what is held.
    pub slope_over: Option<String>,
    /// Fewer samples than this are no measurement.
    pub samples_min: u64,
    /// What the value must not pass: a ratio where there is a baseline, operations a second for a rate without one, else in
    /// the unit of the metric.
    pub bound: Bound,
    /// The limit that is added to the bound, which then is a time.
    pub beyond: Option<MachineLimit>,
    /// What the value is divided by.
    pub baseline: Option<Baseline>,
}

/// Which series, in which cells.
#[derive(Clone, Debug)]
pub struct SeriesName {
    /// `module/scenario`.
    pub scenario: String,
    /// The arm, with its variant where it has one: `wasm`, `wasm+fuel`.
    pub arm: String,
    /// The metric; the one that bears the scenario's name where there is none.
    pub metric: Option<String>,
    /// The label values of the metric.
    pub labels: BTreeMap<String, String>,
    /// Values of parameters, at least one each. There must be a cell for each combination; parameters that are not named
    /// may have any value.
    pub arguments: BTreeMap<String, Vec<Scalar>>,
    /// How many operations one of the series is taken for.
    pub per: Per,
}

/// How many operations a recorded one is taken for: what a time is divided by, and a rate multiplied with.
#[derive(Clone, Debug, PartialEq)]
pub enum Per {
    /// So many; above 0.
    Number(f64),
    /// As many as the cell's argument of this name says.
    Argument(String),
}

/// What is held of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// A quantile of the samples, between 0 and 1.
    Quantile(f64),
    /// The total of all samples by the operations they span.
    Mean,
    /// Operations a second: the operations by the total of all samples, which are times.
    Rate,
}

/// A bound; finite and above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// More is a miss.
    AtMost(f64),
    /// Less is a miss.
    AtLeast(f64),
}

/// What a value is divided by.
#[derive(Clone, Debug)]
pub enum Baseline {
    /// A limit of the machine, which is the time of one operation of its own.
    Limit {
        /// Which.
        limit: MachineLimit,
        /// How many operations it is taken for.
        per: Per,
    },
    /// The same figure of another series. In the target's own scenario the baseline of a cell has the cell's arguments but
    /// for those it names itself.
    Series(SeriesName),
}
