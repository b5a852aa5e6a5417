//! Targets as flat records: a row each, in base units and plain ratios, nothing scaled. A figure that is absent is empty.

use super::{MeasuredValue, TargetResult, bound_name};
use crate::csv::number;
use crate::{Records, escape};

const COLUMNS: [&str; 14] = [
    "set",
    "target",
    "summary",
    "scenario",
    "arm",
    "arguments",
    "verdict",
    "reason",
    "unit",
    "value",
    "bound_kind",
    "bound",
    "margin",
    "samples",
];

/// The records of `judged`. Text of modules is escaped, so that a record is one line.
pub(super) fn records(judged: &[TargetResult]) -> Records {
    Records { columns: COLUMNS.to_vec(), rows: judged.iter().map(|judged| row(judged).to_vec()).collect() }
}

fn row(judged: &TargetResult) -> [String; COLUMNS.len()] {
    let text = |text: &str| escape(text).into_owned();
    let held = judged.held.as_ref();
    let of = |field: fn(&MeasuredValue) -> String| held.map(field).unwrap_or_default();
    [
        text(&judged.set),
        text(&judged.name),
        text(&judged.summary),
        text(&judged.scenario),
        text(&judged.arm),
        text(&of(|held| held.arguments.to_string())),
        judged.verdict().as_str().to_owned(),
        text(judged.held.as_ref().err().map_or("", String::as_str)),
        text(&judged.quantity.unit()),
        of(|held| number(held.value)),
        bound_name(judged.direction).to_owned(),
        number(judged.bound),
        judged.margin().map(number).unwrap_or_default(),
        of(|held| held.samples.to_string()),
    ]
}
