//! The document of targets: a row each, with verdict, value, bound, margin and number of samples.

use super::{MeasuredValue, TargetResult, TargetVerdict, csv, json};
use crate::document::{Body, Column, Datum, Document, Group, Measure, Rank, Section, Table};
use crate::{RunView, text};
use bench_model::Direction;

/// The results of checking the run `view`, as a document.
pub fn targets_document(view: &RunView, judged: &[TargetResult]) -> Document {
    let sections = vec![targets(judged), Section::footer(footer(view, judged))];
    Document { data: json::data(view, judged), records: Some(csv::records(judged)), sections }
}

/// A table with a group per set; a single set has no heading.
pub(super) fn targets(judged: &[TargetResult]) -> Section {
    let columns = vec![
        Column::words("verdict"),
        Column::words("target"),
        Column::figures("value"),
        Column::figures("bound"),
        Column::figures("margin"),
        Column::figures("n").rank(Rank::Extra(1)),
        Column::words("what is held").key("summary"),
    ];
    let sets: Vec<&[TargetResult]> = judged.chunk_by(|one, other| one.set == other.set).collect();
    let has_sets = sets.len() > 1;
    let group = |set: &&[TargetResult]| Group {
        name: if has_sets { set[0].set.clone() } else { String::new() },
        remark: String::new(),
        rows: set.iter().map(row).collect(),
    };
    let grouped_by = if has_sets { "set".to_owned() } else { String::new() };
    let groups = sets.iter().map(group).collect();
    Section::new("targets", "", Body::Table(Table { grouped_by, columns, groups })).in_data()
}

fn row(judged: &TargetResult) -> Vec<Datum> {
    let sign = if judged.direction == Direction::HigherIsBetter { "≥" } else { "≤" };
    let held = judged.held.as_ref().ok();
    let samples =
        |held: &MeasuredValue| Datum::Samples { samples: held.samples, operations: held.operations, batch: held.batch };
    vec![
        Datum::text(word(judged.verdict())),
        Datum::text(&judged.name),
        Datum::or_absent(held.map(|held| judged.quantity.datum(held.value))),
        judged.quantity.datum(judged.bound).marked(sign),
        Datum::or_absent(judged.margin().map(|margin| Datum::number(margin, Measure::Share))),
        Datum::or_absent(held.map(samples)),
        Datum::text(what(judged)),
    ]
}

/// The text of a verdict; a missed target stands out.
fn word(verdict: TargetVerdict) -> &'static str {
    if verdict == TargetVerdict::Miss { "MISS" } else { verdict.as_str() }
}

fn what(judged: &TargetResult) -> String {
    match &judged.held {
        Err(why) => why.clone(),
        Ok(held) => {
            let at = held.at.as_ref().map(|at| format!("; {at}")).unwrap_or_default();
            format!("{}{at}", judged.summary)
        }
    }
}

fn footer(view: &RunView, judged: &[TargetResult]) -> Vec<String> {
    let count = |verdict| judged.iter().filter(|judged| judged.verdict() == verdict).count();
    let [pass, miss, not] = [TargetVerdict::Pass, TargetVerdict::Miss, TargetVerdict::NotMeasured].map(count);
    let all = text::number(judged.len(), "target");
    vec![
        format!("{all}: {pass} pass, {miss} miss, {not} not measured; margin: share of the bound that is left"),
        format!("run {}", view.id),
    ]
}
