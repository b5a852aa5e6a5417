//! The table of targets: a line each, with value, bound, margin and samples, and what follows. Knows how it is laid out, not
//! how a value was found.

use super::Judged;
use crate::layout::{ABSENT, Grid};
use crate::table::samples;
use crate::{Style, escape, scale};
use bench_model::Direction;

const COLUMNS: [&str; 7] = ["set", "target", "value", "bound", "margin", "n", "verdict"];

/// `judged` as a table, which ends with a line break. The set is named where there are several. Text of modules is escaped;
/// nothing is wrapped or cut.
pub fn judged_table(judged: &[Judged], style: Style) -> String {
    let is_one_set = judged.windows(2).all(|pair| pair[0].set == pair[1].set);
    let first = usize::from(is_one_set);
    let rows = judged.iter().map(|judged| row(judged)[first..].to_vec()).collect();
    let grid = Grid { head: &COLUMNS[first..], figures: 2 - first..6 - first, rows };
    let text = match style {
        Style::Table => grid.text(),
        Style::Markdown => grid.markdown(),
    };
    text + "\n"
}

fn row(judged: &Judged) -> [String; COLUMNS.len()] {
    let absent = || ABSENT.to_owned();
    let sign = if judged.direction == Direction::HigherIsBetter { '≥' } else { '≤' };
    let held = judged.held.as_ref().ok();
    [
        escape(&judged.set).into_owned(),
        escape(&judged.name).into_owned(),
        held.map_or_else(absent, |held| escape(&judged.quantity.shown(held.value)).into_owned()),
        format!("{sign} {}", escape(&judged.quantity.shown(judged.bound))),
        judged.margin().map_or_else(absent, scale::percent),
        held.map_or_else(absent, |held| samples(held.samples, held.operations, held.batch)),
        escape(&verdict(judged)).into_owned(),
    ]
}

fn verdict(judged: &Judged) -> String {
    let word = judged.verdict().as_str();
    match &judged.held {
        Err(why) => format!("{word}: {why}"),
        Ok(held) => {
            let at = held.at.as_ref().map(|at| format!("; {at}")).unwrap_or_default();
            format!("{word}: {}{at}", judged.summary)
        }
    }
}
