//! The table: a row for each cell and each further series, with arms next to each other. Knows how figures are laid out;
//! what is said below them is the notes' business.

use crate::layout::{self, ABSENT, Grid, plain};
use crate::operators::{is_chain, operators};
use crate::transfers::{is_transfer, transfers};
use crate::{CellView, RunView, SeriesView, escape, notes, scale};
use bench_sink::runfile::Status;

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Aligned text.
    #[default]
    Table,
    /// A table of GitHub-flavoured Markdown.
    Markdown,
}

const COLUMNS: [&str; 9] = ["scenario", "arm", "arguments", "n", "p50", "p99", "max", "limit", "check"];

/// Which of the columns hold figures, whose units stand below each other.
const FIGURES: std::ops::Range<usize> = 3..8;

type Row = [String; COLUMNS.len()];

/// `view` as a table, with notes where something is not as it should be, and two lines on what was measured where. Ends
/// with a line break. Text of modules is escaped; nothing is wrapped or cut.
pub fn table(view: &RunView, style: Style) -> String {
    let all = view.cells.iter().flat_map(|cell| rows(view, cell, style));
    let rows = all.map(Vec::from).collect();
    let grid = Grid { head: &COLUMNS, figures: FIGURES, rows };
    let notes = notes::notes(view);
    let footer = notes::footer(view);
    layout::paragraphs(match style {
        Style::Table => [grid.text() + &below(view), notes.join("\n"), footer.join("\n")],
        Style::Markdown => [
            grid.markdown(),
            notes.iter().map(|note| format!("- {}", plain(note))).collect::<Vec<_>>().join("\n"),
            // A list keeps the two lines apart without hidden signs at their ends.
            [format!("- {}", plain(&footer[0])), format!("- {}", footer[1])].join("\n"),
        ],
    })
}

/// What a text shows of cells that have more to say than fits a row.
fn below(view: &RunView) -> String {
    let text = layout::paragraphs([transfers(view), operators(view)].map(|text| text.trim_end().to_owned()));
    if text.is_empty() { text } else { format!("\n\n{}", text.trim_end()) }
}

/// The row of the cell itself and one for each series of the module's own, but for those that a text below shows.
fn rows(view: &RunView, cell: &CellView, style: Style) -> Vec<Row> {
    let is_below = style == Style::Table && (is_transfer(cell) || is_chain(cell));
    let scenario = escape(&view.name_of(cell)).into_owned();
    let [n, p50, p99, max] = cell.timed().map_or_else(|| std::array::from_fn(|_| ABSENT.to_owned()), figures);
    let limit = match (cell.limit, cell.ratio_to_limit(view)) {
        (Some(limit), Some(ratio)) => format!("{} {limit}", scale::ratio(ratio)),
        _ => ABSENT.to_owned(),
    };
    let arguments = escape(&cell.arguments.to_string()).into_owned();
    let arm = escape(&cell.arm_label()).into_owned();
    let head = [scenario, arm, arguments, n, p50, p99, max, limit, check(cell.status).to_owned()];
    let own = cell.series.iter().filter(|series| !cell.is_timed(series) && !is_below).map(|series| {
        let [n, p50, p99, max] = figures(series);
        let blank = String::new;
        [format!("  ↳ {}", escape(&series.title())), blank(), blank(), n, p50, p99, max, blank(), blank()]
    });
    std::iter::once(head).chain(own).collect()
}

fn figures(series: &SeriesView) -> [String; 4] {
    let figure = |value: Option<f64>| {
        let shown = value.map(|value| scale::figure(value, &series.unit));
        shown.map_or_else(|| ABSENT.to_owned(), |text| escape(&text).into_owned())
    };
    let summary = &series.summary;
    [
        samples(series.samples, series.operations, series.batch),
        figure(summary.p50),
        figure(summary.p99),
        figure(Some(summary.max)),
    ]
}

/// `400`, or `12.3k × 1024` where a sample spans several operations; `~` marks the mean of batches that differ.
pub(crate) fn samples(samples: u64, operations: u64, batch: Option<u64>) -> String {
    let shown = scale::count(samples as f64);
    match batch {
        Some(1) => shown,
        Some(batch) => format!("{shown} × {}", scale::count(batch as f64)),
        None => format!("{shown} × ~{}", scale::count((operations as f64 / samples as f64).round())),
    }
}

fn check(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Failed => "FAILED",
        Status::Skipped => "skipped",
        Status::Void => "void",
    }
}
