//! One value of a table with its unit: people read it scaled, programs as it is.

use crate::scale;
use crate::text::samples;
use bench_model::{Unit, Value as Argument};
use serde_json::{Number, Value, json};

/// What stands where there is no figure.
pub(crate) const ABSENT: &str = "–";

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// Nothing belongs here.
    Blank,
    /// A figure belongs here, and there is none.
    Absent,
    /// Words, not escaped.
    Text(String),
    /// A figure.
    Number {
        /// In the base unit of the measure.
        value: f64,
        /// How it is scaled.
        measure: Measure,
        /// A text before the figure, such as `mean` or `≤`.
        prefix: &'static str,
    },
    /// From one figure to another.
    Range {
        /// The lower one.
        low: f64,
        /// The upper one.
        high: f64,
        /// What both are.
        measure: Measure,
    },
    /// How many samples a figure is of.
    Samples {
        /// How many.
        samples: u64,
        /// How many operations all of them span.
        operations: u64,
        /// How many operations each spans, where it is one number.
        batch: Option<u64>,
    },
    /// A value of a parameter.
    Argument {
        /// The value.
        value: Argument,
        /// Whether it is a number of bytes.
        is_size: bool,
    },
}

/// What a figure is, which decides how it is scaled.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// An amount in a unit.
    Unit(Unit),
    /// An amount in a unit, each second.
    PerSecond(Unit),
    /// How many times something else, roughly.
    Ratio,
    /// How many times something else, where a thousandth matters.
    Factor,
    /// A share of 1.
    Share,
    /// A whole number that names or counts something, never abbreviated.
    Plain,
}

impl Datum {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A figure in `unit`.
    pub fn amount(value: f64, unit: &Unit) -> Self {
        Self::number(value, Measure::Unit(unit.clone()))
    }

    /// A time.
    pub fn nanoseconds(value: f64) -> Self {
        Self::amount(value, &Unit::Nanoseconds)
    }

    /// A size.
    pub fn bytes(value: f64) -> Self {
        Self::amount(value, &Unit::Bytes)
    }

    /// How many.
    pub fn count(value: f64) -> Self {
        Self::amount(value, &Unit::Count)
    }

    /// A figure.
    pub fn number(value: f64, measure: Measure) -> Self {
        Self::Number { value, measure, prefix: "" }
    }

    /// `datum`, or that it is absent.
    pub fn or_absent(datum: Option<Self>) -> Self {
        datum.unwrap_or(Self::Absent)
    }

    /// The same figure with a word before it.
    #[must_use]
    pub fn marked(self, prefix: &'static str) -> Self {
        match self {
            Self::Number { value, measure, .. } => Self::Number { value, measure, prefix },
            other => other,
        }
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_void(&self) -> bool {
        match self {
            Self::Blank | Self::Absent => true,
            Self::Text(text) => text.is_empty(),
            _ => false,
        }
    }

    /// As a person reads it, scaled. Not escaped.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Blank => String::new(),
            Self::Absent => ABSENT.to_owned(),
            Self::Text(text) => text.clone(),
            Self::Number { value, measure, prefix: "" } => measure.text(*value),
            Self::Number { value, measure, prefix } => format!("{prefix} {}", measure.text(*value)),
            Self::Range { low, high, measure } if low == high => measure.bare(*low),
            Self::Range { low, high, measure: measure @ (Measure::Factor | Measure::Plain) } => {
                format!("{}–{}", measure.bare(*low), measure.bare(*high))
            }
            Self::Range { low, high, measure } => format!("{} to {}", measure.text(*low), measure.text(*high)),
            Self::Samples { samples: count, operations, batch } => samples(*count, *operations, *batch),
            Self::Argument { value: Argument::Integer(bytes), is_size: true } => size(*bytes),
            Self::Argument { value, .. } => value.to_string(),
        }
    }

    /// As a spreadsheet reads it, in base units; empty where it is absent. Not escaped.
    pub(crate) fn raw(&self) -> String {
        match self {
            Self::Blank | Self::Absent => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number { value, .. } => raw(*value),
            Self::Range { low, high, .. } => format!("{}..{}", raw(*low), raw(*high)),
            Self::Samples { samples, .. } => samples.to_string(),
            Self::Argument { value, .. } => value.to_string(),
        }
    }

    /// As a program reads it; a figure that has a unit says so.
    pub(crate) fn json(&self) -> Value {
        let number = |value: f64| raw(value).parse::<Number>().ok();
        match self {
            Self::Blank | Self::Absent => Value::Null,
            Self::Text(text) => json!(text),
            Self::Number { value, measure, prefix } => {
                let mut figure = json!({"value": number(*value), "unit": measure.unit()});
                if !prefix.is_empty() {
                    figure["mark"] = json!(prefix);
                }
                figure
            }
            Self::Range { low, high, measure } => {
                json!({"low": number(*low), "high": number(*high), "unit": measure.unit()})
            }
            Self::Samples { samples, operations, batch } => {
                json!({"samples": samples, "operations": operations, "batch": batch})
            }
            Self::Argument { value, .. } => match value {
                Argument::Flag(value) => json!(value),
                Argument::Integer(value) => json!(value),
                Argument::Decimal(value) => json!(value),
                Argument::Text(value) => json!(value),
            },
        }
    }

    /// The unit of a figure, as UCUM writes it; none of words.
    pub(crate) fn unit(&self) -> Option<String> {
        match self {
            Self::Number { measure, .. } | Self::Range { measure, .. } => Some(measure.unit()),
            _ => None,
        }
    }
}

impl Measure {
    /// `value` as a person reads it.
    pub(crate) fn text(&self, value: f64) -> String {
        match self {
            Self::Unit(unit) => scale::figure(value, unit),
            Self::PerSecond(Unit::Count) => scale::per_second(value),
            Self::PerSecond(unit) => format!("{}/s", scale::figure(value, unit)),
            Self::Ratio => scale::ratio(value),
            Self::Factor => format!("{}×", scale::factor(value)),
            Self::Share => scale::percent(value),
            Self::Plain => value.to_string(),
        }
    }

    /// Without the sign of the measure.
    fn bare(&self, value: f64) -> String {
        if *self == Self::Factor { scale::factor(value) } else { self.text(value) }
    }

    fn unit(&self) -> String {
        match self {
            Self::Unit(Unit::Count) | Self::Ratio | Self::Factor | Self::Share | Self::Plain => "1".to_owned(),
            Self::Unit(unit) => unit.to_string(),
            Self::PerSecond(Unit::Count) => "1/s".to_owned(),
            Self::PerSecond(unit) => format!("{unit}/s"),
        }
    }
}

/// Whole numbers as they are, others with six digits.
fn raw(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return format!("{value:.0}");
    }
    format!("{value:.5e}")
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .map_or_else(String::new, |value| value.to_string())
}

/// A number of bytes as the command line takes it: `64`, `4Ki`, `1536`.
fn size(bytes: i64) -> String {
    let steps = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let whole = steps.into_iter().find(|(_, factor)| bytes != 0 && bytes % factor == 0);
    whole.map_or_else(|| bytes.to_string(), |(name, factor)| format!("{}{name}", bytes / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(datum: Datum, shown: &str, raw: &str, json: Value) {
        assert_eq!((datum.shown().as_str(), datum.raw().as_str(), datum.json()), (shown, raw, json));
    }

    #[test]
    fn people_read_scaled_figures_and_programs_base_units() {
        check(Datum::nanoseconds(1_234.0), "1.23 µs", "1234", json!({"value": 1234, "unit": "ns"}));
        check(
            Datum::nanoseconds(12e6).marked("mean"),
            "mean 12.0 ms",
            "12000000",
            json!({"value": 12_000_000, "unit": "ns", "mark": "mean"}),
        );
        check(Datum::bytes(2048.5), "2.00 KiB", "2048.5", json!({"value": 2048.5, "unit": "By"}));
        check(Datum::number(0.294, Measure::Share), "29 %", "0.294", json!({"value": 0.294, "unit": "1"}));
        check(
            Datum::number(3e6, Measure::PerSecond(Unit::Bytes)),
            "2.86 MiB/s",
            "3000000",
            json!({"value": 3_000_000, "unit": "By/s"}),
        );
        let range = Datum::Range { low: 0.9351, high: 1.1712, measure: Measure::Factor };
        check(range, "0.935–1.171", "0.9351..1.1712", json!({"low": 0.9351, "high": 1.1712, "unit": "1"}));
    }

    #[test]
    fn absent_values_are_empty_or_null_and_never_zero() {
        check(Datum::Absent, "–", "", Value::Null);
        check(Datum::Blank, "", "", Value::Null);
        check(Datum::nanoseconds(f64::NAN), "NaN s", "", json!({"value": null, "unit": "ns"}));
    }

    #[test]
    fn sizes_are_shown_as_the_command_line_takes_them() {
        let size = |bytes: i64| Datum::Argument { value: bytes.into(), is_size: true };
        check(size(64), "64", "64", json!(64));
        check(size(4096), "4Ki", "4096", json!(4096));
        check(size(1536), "1536", "1536", json!(1536));
        check(size(1 << 30), "1Gi", "1073741824", json!(1_073_741_824));
        check(size(0), "0", "0", json!(0));
        check(Datum::Argument { value: 4096.into(), is_size: false }, "4096", "4096", json!(4096));
    }
}
