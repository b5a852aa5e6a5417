//! A suite: a matrix of cells. Which modules it needs follows from the names of its scenarios.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// One line for `list`.
    pub summary: String,
    /// Other names of it, by which users of other hosts know it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Worker processes a cell, where the suite asks for another number than the default.
    pub processes: Option<u32>,
    /// Measured time a cell, as on the command line.
    pub time: Option<String>,
    /// What is run; cells that several entries ask for are run once.
    pub cells: Vec<Cells>,
}

/// Scenarios with the same arms and arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cells {
    /// A glob over `module/scenario`.
    pub scenario: String,
    /// The arms, or all that there are.
    pub arms: Option<Vec<String>>,
    /// Whether the entry is left out, with a word, where no module has such a scenario; otherwise that is a mistake.
    #[serde(default)]
    pub optional: bool,
    /// Values of parameters, each a scalar or a list.
    #[serde(default)]
    pub arguments: BTreeMap<String, OneOrMany>,
}

/// A scalar, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One value.
    One(Scalar),
    /// An axis.
    Many(Vec<Scalar>),
}

/// A value as TOML writes it.
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

impl OneOrMany {
    /// The values; one is a list of one.
    pub(crate) fn into_list(self) -> Vec<Scalar> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

impl Cells {
    /// The arguments as the command line would give them.
    pub fn axes(&self) -> Vec<(String, Vec<String>)> {
        let texts = |values: &OneOrMany| values.clone().into_list().iter().map(Scalar::to_string).collect();
        self.arguments.iter().map(|(name, values)| (name.clone(), texts(values))).collect()
    }
}
