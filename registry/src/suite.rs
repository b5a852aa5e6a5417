//! A suite: a named matrix of cells. The names of its scenarios determine the modules that it needs.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// One line for `list`.
    pub summary: String,
    /// Aliases.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Worker processes per cell, if not the default.
    pub processes: Option<u32>,
    /// Measured time per cell, as on the command line.
    pub time: Option<String>,
    /// Measured operations per cell instead of a time, for figures that depend on how many there were.
    pub iterations: Option<u64>,
    /// The entries. Cells that several entries select are run once.
    pub cells: Vec<Cells>,
}

/// Scenarios with the same arms and arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cells {
    /// A glob over `module/scenario`.
    pub scenario: String,
    /// The arms, or `None` for all arms.
    pub arms: Option<Vec<String>>,
    /// Whether the entry is left out, with a message, if no module has such a scenario. Otherwise that is an error.
    #[serde(default)]
    pub optional: bool,
    /// Values of parameters, each a scalar or a list.
    #[serde(default)]
    pub arguments: BTreeMap<String, OneOrMany>,
}

/// A scalar, or a list of scalars.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One value.
    One(Scalar),
    /// Several values; each makes cells of its own.
    Many(Vec<Scalar>),
}

/// A scalar of TOML.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`.
    Flag(bool),
    /// `64`.
    Integer(i64),
    /// `1.5`.
    Decimal(f64),
    /// `"name"`.
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Decimal(value) => write!(f, "{value:?}"),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// The numbers of worker processes that a suite may ask for, as on the command line.
const PROCESSES: std::ops::RangeInclusive<u32> = 1..=1_000;

impl Suite {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.iterations == Some(0) {
            return Err("`iterations` is 0; give at least 1".to_owned());
        }
        match self.processes {
            Some(processes) if !PROCESSES.contains(&processes) => {
                let (low, high) = (PROCESSES.start(), PROCESSES.end());
                Err(format!("`processes` is {processes}, and must be from {low} to {high}"))
            }
            _ => Ok(()),
        }
    }
}

impl OneOrMany {
    /// The values; a scalar is a list of one.
    pub(crate) fn into_list(self) -> Vec<Scalar> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

impl Cells {
    /// The arguments in the form of the command line.
    pub fn axes(&self) -> Vec<(String, Vec<String>)> {
        let texts = |values: &OneOrMany| values.clone().into_list().iter().map(Scalar::to_string).collect();
        self.arguments.iter().map(|(name, values)| (name.clone(), texts(values))).collect()
    }
}
