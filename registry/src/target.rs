//! A target: a threshold on a figure of a series, either absolute, or relative to a roofline or to another series of the same run.
//! `target_toml.rs` parses and validates targets.

use bench_model::{MachineLimit, Value};
use std::collections::BTreeMap;

/// A set of targets.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The suites that measure it; each of them measures all targets of the set.
    pub measured_by: Vec<String>,
    /// The targets in the order of reports; their names are unique.
    pub target: Vec<Target>,
}

/// A threshold.
#[derive(Clone, Debug)]
pub struct Target {
    /// A short name for the table.
    pub name: String,
    /// One line that says which figure must be below or above what.
    pub summary: String,
    /// The series, and the cells.
    pub series: SeriesName,
    /// The figure of the series that is checked.
    pub figure: Figure,
    /// If set, the slope of the figure over the values of this argument is checked instead of the figure.
    pub slope_over: Option<String>,
    /// With fewer samples than this, the figure counts as not measured.
    pub samples_min: u64,
    /// The bound of the value: a ratio if there is a baseline, operations per second for a rate without baseline, else in the
    /// unit of the metric.
    pub bound: Bound,
    /// The roofline that is added to the bound, which then is a time.
    pub beyond: Option<MachineLimit>,
    /// The baseline that the value is divided by.
    pub baseline: Option<Baseline>,
}

/// A series, and the cells in which it is looked up.
#[derive(Clone, Debug)]
pub struct SeriesName {
    /// `module/scenario`.
    pub scenario: String,
    /// The arm, with its variant where it has one: `wasm`, `wasm+fuel`.
    pub arm: String,
    /// The metric; if absent, the metric with the scenario's name.
    pub metric: Option<String>,
    /// The label values of the metric.
    pub labels: BTreeMap<String, String>,
    /// Values of parameters, at least one for each. The run must have a cell for each combination; parameters that are not named
    /// may have any value.
    pub arguments: BTreeMap<String, Vec<Value>>,
    /// The number of operations that one operation of the series counts as.
    pub per: Per,
}

/// The number of operations that a recorded one counts as. A time is divided by it, and a rate is multiplied with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Per {
    /// A constant above 0.
    Number(f64),
    /// The value of the cell's argument of this name.
    Argument(String),
}

/// A figure of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// A quantile of the samples, between 0 and 1.
    Quantile(f64),
    /// The sum of all samples, divided by the number of operations.
    Mean,
    /// Operations per second: the number of operations, divided by the sum of all samples, which are times.
    Rate,
}

/// A bound; finite and above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A value above this is a miss.
    AtMost(f64),
    /// A value below this is a miss.
    AtLeast(f64),
}

/// The baseline that a value is divided by.
#[derive(Clone, Debug)]
pub enum Baseline {
    /// A roofline, which is the time of one operation.
    Limit {
        /// The name of the roofline.
        limit: MachineLimit,
        /// The number of operations that it counts as.
        per: Per,
    },
    /// The same figure of another series. If it is of the same scenario, the baseline of a cell has the cell's arguments, except
    /// for those that it names.
    Series(SeriesName),
}
