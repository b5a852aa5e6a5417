//! Values of parameters, and their text form.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(untagged))]
pub enum Value {
    /// A flag: on or off.
    Flag(bool),
    /// A whole number in the parameter's unit.
    Integer(i64),
    /// A decimal number in the parameter's unit; never NaN.
    Decimal(f64),
    /// Text, such as a name from a list, or a path.
    Text(String),
}

/// The kind of a [`Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See [`Value::Flag`].
    Flag,
    /// See [`Value::Integer`].
    Integer,
    /// See [`Value::Decimal`].
    Decimal,
    /// See [`Value::Text`].
    Text,
}

/// Text that is not a value of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}")]
pub struct ValueError {
    /// The text.
    pub text: String,
    /// The expected kind.
    pub kind: Kind,
}

impl Value {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Flag(_) => Kind::Flag,
            Self::Integer(_) => Kind::Integer,
            Self::Decimal(_) => Kind::Decimal,
            Self::Text(_) => Kind::Text,
        }
    }

    /// Parses `text` as a value of `kind`. Integers may have the suffixes `k`, `M`, `G` (powers of 1000) and `Ki`, `Mi`,
    /// `Gi` (powers of 1024); flags are `true` or `false`.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, ValueError> {
        let error = || ValueError { text: text.to_owned(), kind };
        match kind {
            Kind::Flag => text.parse().map(Self::Flag).map_err(|_| error()),
            Kind::Integer => parse_integer(text).map(Self::Integer).ok_or_else(error),
            Kind::Decimal => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Self::Decimal(number)),
                _ => Err(error()),
            },
            Kind::Text => Ok(Self::Text(text.to_owned())),
        }
    }
}

fn parse_integer(text: &str) -> Option<i64> {
    const SUFFIXES: [(&str, i64); 6] =
        [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];
    let (digits, factor) =
        SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor))).unwrap_or((text, 1));
    digits.replace('_', "").parse::<i64>().ok()?.checked_mul(factor)
}

/// Formats the value as [`Value::parse`] reads it, without suffixes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Decimal(value) => write!(f, "{value:?}"),
            Self::Text(value) => value.fmt(f),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "`true` or `false`",
            Self::Integer => "a whole number (64, 4Ki, 1M)",
            Self::Decimal => "a number",
            Self::Text => "text",
        })
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Decimal(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(kind: Kind, text: &str, expect: Option<Value>) {
        assert_eq!(Value::parse(kind, text).ok(), expect, "{text}");
    }

    #[test]
    fn integer_may_have_a_suffix_and_must_not_overflow() {
        check(Kind::Integer, "64", Some(64.into()));
        check(Kind::Integer, "4Ki", Some(4096.into()));
        check(Kind::Integer, "1_000k", Some(1_000_000.into()));
        check(Kind::Integer, "-2M", Some((-2_000_000).into()));
        check(Kind::Integer, "9223372036854775807k", None);
        check(Kind::Integer, "Ki", None);
        check(Kind::Integer, "4 KiB", None);
    }

    #[test]
    fn invalid_flags_and_decimals_are_refused() {
        check(Kind::Flag, "yes", None);
        check(Kind::Flag, "true", Some(true.into()));
        check(Kind::Decimal, "NaN", None);
        check(Kind::Decimal, "1.5", Some(1.5.into()));
    }

    proptest! {
        #[test]
        fn printed_value_is_parsed_to_the_same_value(value in prop_oneof![
            any::<bool>().prop_map(Value::Flag),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(Value::Decimal),
            ".*".prop_map(Value::Text),
        ]) {
            prop_assert_eq!(Value::parse(value.kind(), &value.to_string()), Ok(value));
        }
    }
}
