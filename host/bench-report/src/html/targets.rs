//! Targets as bullet charts: each value as a share of its bound, so that targets of all units share an axis.

use super::cell::chart;
use super::sections;
use crate::plots::{Chart, Dimension, Row, Rows, Tone};
use crate::{RunView, TargetResult, TargetVerdict, notes, scale, targets_document};
use bench_model::{Direction, Unit};

/// A value that is so many times its bound is drawn at this place; its words have the value.
const SHARE_MAX: f64 = 2.0;

/// Values over their bounds; none where no target has a value.
pub(super) fn bullets(targets: &[TargetResult]) -> Option<Chart> {
    let rows: Vec<Row> = targets.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| {
        Chart::Rows(Rows {
            title: "Values against their bounds".to_owned(),
            across: Dimension { title: "value / bound".to_owned(), unit: Unit::Count },
            is_from_zero: true,
            zone: None,
            origin: None,
            rows,
            notes: vec![format!(
                "Bar: the worst value of the run; line: the bound. Bars that are longer than {SHARE_MAX} bounds end there. \
                 ≤: shorter is better, ≥: longer is better."
            )],
        })
    })
}

fn row(target: &TargetResult) -> Option<Row> {
    let held = target.held.as_ref().ok()?;
    let share = held.value / target.bound;
    let sign = if target.direction == Direction::HigherIsBetter { "≥" } else { "≤" };
    share.is_finite().then(|| Row {
        name: format!("{} {sign}", target.name),
        value: format!(
            "{} of {}  {}  n = {}",
            target.text_of(held.value),
            target.text_of(target.bound),
            target.verdict().as_str(),
            scale::count(held.samples as f64)
        ),
        tone: if target.verdict() == TargetVerdict::Pass { Tone::Good } else { Tone::Bad },
        bar: Some((0.0, share.clamp(0.0, SHARE_MAX))),
        bound: Some(1.0),
        ..Row::default()
    })
}

/// Bullet charts and the table of targets.
pub(super) fn section(view: &RunView, targets: &[TargetResult], index: usize) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let source = notes::source(view);
    let bullets = bullets(targets).map_or_else(String::new, |bullets| chart(bullets.with_note(&source), "wide"));
    let table = sections::all(&targets_document(view, targets), &format!("targets-{index}"), &source);
    format!("<section id=\"targets-{index}\"><h2>Targets</h2>{bullets}{table}</section>")
}
