//! A target: a threshold on a quantile of a metric, absolute, or relative to a limit of the machine or to another series of
//! the same run.

use crate::suite::Scalar;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A set of targets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// In the order they are shown.
    pub target: Vec<Target>,
}

/// A threshold. The value is the quantile divided by `per`, and, where there is a baseline, by the baseline.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Short, for the table.
    pub name: String,
    /// One line that says what is held to what.
    pub summary: String,
    /// `module/scenario`.
    pub scenario: String,
    /// Which arm.
    pub arm: String,
    /// The series; the one the driver times where it is left out.
    pub metric: Option<String>,
    /// The label values of the series.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The arguments it applies to; other parameters may have any value.
    #[serde(default)]
    pub arguments: BTreeMap<String, Scalar>,
    /// Which quantile.
    #[serde(default = "median")]
    pub quantile: f64,
    /// What the quantile is divided by.
    #[serde(default = "one")]
    pub per: f64,
    /// Fewer samples than this are no measurement.
    pub samples_min: u64,
    /// The bound: a ratio where there is a baseline, else in the unit of the metric.
    pub at_most: f64,
    /// What the value is divided by.
    pub relative_to: Option<Baseline>,
}

/// A limit of the machine, or the same quantile of another series.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The limit. Everything else is then left out.
    pub limit: Option<String>,
    /// `module/scenario`; the target's own where it is left out.
    pub scenario: Option<String>,
    /// The target's own where it is left out.
    pub arm: Option<String>,
    /// As in the target.
    pub metric: Option<String>,
    /// As in the target.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// As in the target.
    #[serde(default)]
    pub arguments: BTreeMap<String, Scalar>,
    /// As in the target.
    #[serde(default = "one")]
    pub per: f64,
}

fn median() -> f64 {
    0.5
}

fn one() -> f64 {
    1.0
}
