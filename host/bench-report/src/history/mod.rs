//! Many runs side by side: what is kept of each run, which of their cells are the same, and the tables of both.

mod cells;
mod entry;
mod runs;
mod sparkline;
mod trend;
mod trend_document;

pub use self::cells::CellHistory;
pub use self::entry::{CellEntry, MachineEntry, RunEntry};
pub use self::trend::{Cause, CellTrend, ExplainedStep};
pub use self::trend_document::trend_document;

use crate::document::{Data, Document, Records, Section};
use crate::escape;
use serde::Serialize;

/// The part of the history that is shown, and what was left out.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The runs, oldest first.
    pub runs: Vec<RunEntry>,
    /// Lines about what was left out. Not escaped.
    pub left_out: Vec<String>,
}

/// The document for programs.
#[derive(Serialize)]
struct Fields<'a> {
    runs: Vec<runs::RunFields<'a>>,
    cells: Vec<cells::CellFields<'a>>,
}

/// `history` as a document: the runs, and each cell over all runs that have it.
pub fn history_document(history: &History) -> Document {
    let cells = CellHistory::of(&history.runs);
    let data = Data::of(&Fields {
        runs: history.runs.iter().map(runs::fields).collect(),
        cells: cells.iter().map(|cell| cell.fields()).collect(),
    });
    let mut lines = vec![format!("n {} runs, oldest first", history.runs.len())];
    if cells.iter().any(|cell| cell.change().is_some()) {
        lines.push(
            "change: the newest run against the median of the earlier ones, without an interval; a verdict: --sha A B; steps: \
             --trend SCENARIO"
                .to_owned(),
        );
    }
    if cells.iter().any(CellHistory::is_of_means) {
        lines.push("mean: one run has too few samples for a median, so all runs of the cell have means".to_owned());
    }
    let warnings = history.left_out.clone();
    let mut sections = vec![runs::section(&history.runs)];
    sections.extend(cells::sections(&cells));
    sections.extend([Section::warnings(warnings), Section::footer(lines)]);
    Document { data, records: Some(records(&cells)), sections }
}

/// A row for each cell of each run.
fn records(cells: &[CellHistory<'_>]) -> Records {
    let columns = vec![
        "scenario",
        "family",
        "arm",
        "arguments",
        "machine",
        "run",
        "started",
        "revision",
        "branch",
        "status",
        "processes",
        "samples",
        "unit",
        "p50",
        "mean",
    ];
    let text = |text: &str| escape(text).into_owned();
    let rows = cells.iter().flat_map(|cell| {
        cell.entries.iter().map(move |(run, entry)| {
            let figure = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            vec![
                text(&entry.scenario),
                text(&entry.family),
                text(&entry.arm_label()),
                text(&entry.arguments.to_string()),
                text(&run.machine_of(entry)),
                text(&run.id),
                text(&run.started),
                text(run.revision().unwrap_or_default()),
                text(run.branch().unwrap_or_default()),
                crate::csv::status(entry.status).to_owned(),
                entry.processes.to_string(),
                entry.samples.to_string(),
                entry.unit.as_ref().map(|unit| text(&unit.to_string())).unwrap_or_default(),
                figure(entry.p50),
                figure(entry.mean),
            ]
        })
    });
    Records { columns, rows: rows.collect() }
}
