//! Metrics: what a series measures, and in which base unit.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fmt, str::FromStr};

/// A series that a module records itself.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Metric {
    /// The name.
    pub name: String,
    /// What is counted, or where the clock starts and stops.
    #[cfg_attr(feature = "serde", serde(default))]
    pub summary: String,
    /// The base unit of every sample.
    pub unit: Unit,
    /// Whether lower or higher is better.
    #[cfg_attr(feature = "serde", serde(default))]
    pub direction: Direction,
    /// The names of the labels, in order.
    #[cfg_attr(feature = "serde", serde(default))]
    pub labels: Vec<String>,
}

impl Metric {
    /// A metric without labels, of which lower is better.
    pub fn new(name: impl Into<String>, unit: Unit, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            unit,
            direction: Direction::LowerIsBetter,
            labels: Vec::new(),
        }
    }

    /// Sets the direction.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>) -> Self {
        self.labels.push(name.into());
        self
    }
}

/// Whether lower or higher is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Lower is better, such as for latency and memory.
    #[default]
    LowerIsBetter,
    /// Higher is better, such as for throughput.
    HigherIsBetter,
    /// Neither is better, such as for counts.
    Neutral,
}

impl Direction {
    /// All directions.
    pub const ALL: [Self; 3] = [Self::LowerIsBetter, Self::HigherIsBetter, Self::Neutral];

    /// The name in descriptors and run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LowerIsBetter => "lower-is-better",
            Self::HigherIsBetter => "higher-is-better",
            Self::Neutral => "neutral",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|direction| direction.as_str() == text)
            .ok_or_else(|| format!("unknown direction `{text}`; use lower-is-better, higher-is-better or neutral"))
    }
}

/// A base unit. Samples are whole numbers of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `ns`.
    Nanoseconds,
    /// `By`.
    Bytes,
    /// `1`.
    Count,
    /// Any other unit, shown unscaled; empty for no unit.
    Other(String),
}

impl Unit {
    /// No unit, such as for a name, a path or a flag.
    pub fn none() -> Self {
        Self::Other(String::new())
    }

    /// The unit's UCUM name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Bytes => "By",
            Self::Count => "1",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Unit {
    fn from(name: &str) -> Self {
        match name {
            "ns" => Self::Nanoseconds,
            "By" => Self::Bytes,
            "1" => Self::Count,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Every text is a valid unit.
impl FromStr for Unit {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(name))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
