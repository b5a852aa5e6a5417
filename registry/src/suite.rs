//! A suite: a named matrix of cells. The names of its scenarios determine the modules that it needs.

use bench_model::Value;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::slice;

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
    One(Value),
    /// Several values; each makes cells of its own.
    Many(Vec<Value>),
}

/// The numbers of worker processes that a suite may ask for, as on the command line.
const PROCESSES: std::ops::RangeInclusive<u32> = 1..=1_000;

impl Suite {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, values) in self.cells.iter().flat_map(|cells| &cells.arguments) {
            ensure_finite(name, values.as_slice())?;
        }
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
    pub(crate) fn into_list(self) -> Vec<Value> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }

    fn as_slice(&self) -> &[Value] {
        match self {
            Self::One(value) => slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// Refuses numbers that TOML has and no parameter can take: infinity, and NaN.
pub(crate) fn ensure_finite(name: &str, values: &[Value]) -> Result<(), String> {
    match values.iter().find(|value| matches!(value, Value::Decimal(number) if !number.is_finite())) {
        Some(value) => Err(format!("`arguments.{name}` is {value}; give a finite number")),
        None => Ok(()),
    }
}

impl Cells {
    /// The arguments in the form of the command line.
    pub fn axes(&self) -> Vec<(String, Vec<String>)> {
        let texts = |values: &OneOrMany| values.as_slice().iter().map(Value::to_string).collect();
        self.arguments.iter().map(|(name, values)| (name.clone(), texts(values))).collect()
    }
}
