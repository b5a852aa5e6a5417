//! The table of runs.

use super::RunEntry;
use crate::document::{Body, Column, Datum, Rank, Section, Table};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::Status;
use serde::Serialize;

/// Characters of a revision that are shown to people.
const REVISION_LEN: usize = 9;

/// A run as programs read it.
#[derive(Serialize)]
pub(super) struct RunFields<'a> {
    id: &'a str,
    started: &'a str,
    machine: String,
    revision: Option<&'a str>,
    branch: Option<&'a str>,
    stopped: Option<&'a str>,
    command: &'a [String],
    cells: usize,
    cells_ok: usize,
    fingerprint: &'a Fingerprint,
}

pub(super) fn fields(run: &RunEntry) -> RunFields<'_> {
    RunFields {
        id: &run.id,
        started: &run.started,
        machine: run.machine(),
        revision: run.revision(),
        branch: run.branch(),
        stopped: run.stopped.as_deref(),
        command: &run.command,
        cells: run.cells.len(),
        cells_ok: ok(run),
        fingerprint: &run.fingerprint,
    }
}

fn ok(run: &RunEntry) -> usize {
    run.cells.iter().filter(|cell| cell.status == Status::Ok).count()
}

/// The runs, a row each.
pub(super) fn section(runs: &[RunEntry]) -> Section {
    let columns = vec![
        Column::words("run"),
        Column::words("revision").rank(Rank::Filled),
        Column::words("branch").rank(Rank::Filled),
        Column::words("machine").rank(Rank::Extra(1)),
        Column::words("cells").key("cells"),
        Column::words("command").rank(Rank::Extra(2)),
    ];
    let table = Table::plain(columns, runs.iter().map(row).collect());
    Section::new("runs", "", Body::Table(table)).in_data()
}

fn row(run: &RunEntry) -> Vec<Datum> {
    let (ok, all) = (ok(run), run.cells.len());
    let cells = if ok == all { format!("{all} ok") } else { format!("{ok} of {all} ok") };
    let end = match (&run.stopped, run.has_no_end) {
        (_, true) => ", not finished",
        (Some(_), false) => ", interrupted",
        (None, false) => "",
    };
    // The program's own name says nothing.
    let command = run.command.get(1..).unwrap_or_default().join(" ");
    vec![
        Datum::text(&run.id),
        Datum::text(run.revision().map(short_revision).unwrap_or_default()),
        Datum::text(run.branch().unwrap_or_default()),
        Datum::text(run.machine()),
        Datum::text(format!("{cells}{end}")),
        Datum::text(command),
    ]
}

/// `1a2b3c4d5`, `1a2b3c4d5+dirty`.
pub(crate) fn short_revision(revision: &str) -> String {
    let (sha, dirty) = revision.split_once('+').map_or((revision, ""), |(sha, _)| (sha, "+dirty"));
    format!("{}{dirty}", sha.get(..REVISION_LEN).unwrap_or(sha))
}
