//! Parameters of scenarios: kind, default values and domain.

use crate::{Kind, Unit, Value};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt;

/// A parameter of a scenario. All its values have the same [`Kind`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Parameter {
    /// The name, unique in the scenario, with the unit last (`payload_bytes`).
    pub name: String,
    /// A summary in one line, for `list`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub summary: String,
    /// The unit of its values.
    #[cfg_attr(feature = "serde", serde(default = "Unit::none"))]
    pub unit: Unit,
    /// The default values; each makes cells of its own. Never empty.
    pub defaults: Vec<Value>,
    /// The allowed values.
    #[cfg_attr(feature = "serde", serde(default))]
    pub domain: Domain,
}

/// The allowed values of a parameter.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
pub enum Domain {
    /// Every value of the right kind.
    #[default]
    Any,
    /// One of these.
    Choices(Vec<Value>),
    /// All values from the first to the second, inclusive.
    Between(Value, Value),
}

impl Parameter {
    /// A parameter with one default, no unit, and all values of its kind allowed.
    pub fn new(name: impl Into<String>, default: impl Into<Value>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            unit: Unit::none(),
            defaults: vec![default.into()],
            domain: Domain::Any,
        }
    }

    /// Sets the unit.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Sets the default values.
    #[must_use]
    pub fn sweep<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.defaults = values.into_iter().map(Into::into).collect();
        self
    }

    /// Allows only these values.
    #[must_use]
    pub fn choices<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.domain = Domain::Choices(values.into_iter().map(Into::into).collect());
        self
    }

    /// Allows only values from `low` to `high`, inclusive.
    #[must_use]
    pub fn between(mut self, low: impl Into<Value>, high: impl Into<Value>) -> Self {
        self.domain = Domain::Between(low.into(), high.into());
        self
    }

    /// The kind of its values.
    pub fn kind(&self) -> Kind {
        self.defaults.first().map_or(Kind::Text, Value::kind)
    }
}

impl Domain {
    /// Whether `value`, which must be of the right kind, is allowed.
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Choices(choices) => choices.contains(value),
            Self::Between(low, high) => low <= value && value <= high,
        }
    }

    /// The values that define the domain; each must have the parameter's kind.
    pub(crate) fn bounds(&self) -> Vec<&Value> {
        match self {
            Self::Any => Vec::new(),
            Self::Choices(choices) => choices.iter().collect(),
            Self::Between(low, high) => vec![low, high],
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Between(low, high) => write!(f, "{low} to {high}"),
            Self::Choices(choices) => {
                for (index, choice) in choices.iter().enumerate() {
                    write!(f, "{}{choice}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}
