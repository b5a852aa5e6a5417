//! One cell: what was moved, how fast, and the stages of both sides, whose sum is the wall time of the side. Knows where a stage
//! belongs, not what it does.

use super::{CODE, mean, shown, stages};
use crate::layout::Grid;
use crate::{CellView, escape, scale};
use std::collections::BTreeSet;

const COLUMNS: [&str; 4] = ["", "mean", "share", ""];

pub(super) fn of(cell: &CellView, telling: &BTreeSet<String>) -> String {
    let (name, arm) = (escape(&cell.scenario), cell.arm_label());
    let arguments = shown(&cell.arguments, telling);
    let title = format!(
        "{name} {} {}: {}, {} repetitions in {} proc.",
        escape(&arm),
        escape(&arguments),
        moved(cell),
        cell.recorded,
        cell.processes
    );
    let mut rows = Vec::new();
    if let Some(timed) = cell.timed() {
        let seconds = timed.summary.mean / 1e9;
        let per_second = |amount: Option<f64>| amount.map(|amount| amount / seconds);
        let rows_per_second = per_second(mean(cell, "records", "source"));
        let bytes_per_second = per_second(mean(cell, "bytes", "source"));
        let rates = [
            rows_per_second.map(|rate| format!("{} rows/s", scale::count(rate))),
            bytes_per_second.map(|rate| format!("{}/s", scale::bytes(rate))),
        ];
        let rates = rates.into_iter().flatten().collect::<Vec<_>>().join(", ");
        rows.push(vec!["duration".to_owned(), scale::nanoseconds(timed.summary.mean), String::new(), rates]);
    }
    ["source", "destination"].iter().for_each(|side| rows.extend(of_side(cell, side)));
    let grid = Grid { head: &COLUMNS, figures: 1..3, rows }.text_without_head();
    let text: Vec<_> = std::iter::once(title).chain(grid.lines().map(|line| format!("  {line}"))).collect();
    text.join("\n")
}

/// `10.0k rows read, 10.0k written; 2.20 MiB read, 2.20 MiB written, 1.10 MiB between`.
fn moved(cell: &CellView) -> String {
    let of = |metric: &str, side: &str, word: &str, show: fn(f64) -> String| {
        mean(cell, metric, side).map(|amount| format!("{}{word}", show(amount)))
    };
    let joined = |texts: [Option<String>; 3]| texts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let records = joined([
        of("records", "source", " rows read", scale::count),
        of("records", "destination", " written", scale::count),
        None,
    ]);
    let bytes = joined([
        of("bytes", "source", " read", scale::bytes),
        of("bytes", "destination", " written", scale::bytes),
        of("bytes", "channel", " in between", scale::bytes).filter(|_| mean(cell, "bytes", "destination").is_some()),
    ]);
    format!("{records}; {bytes}")
}

/// The wall time of a side, its stages with their parts below them, and what had to be done before.
fn of_side(cell: &CellView, side: &str) -> Vec<Vec<String>> {
    let Some(wall) = mean(cell, "wall", side) else { return Vec::new() };
    let row = |name: String, ns: f64, note: String| vec![name, scale::nanoseconds(ns), scale::percent(ns / wall), note];
    let calls = mean(cell, "host_calls", side).map(|calls| format!("{} host calls", scale::count(calls)));
    let mut rows = vec![vec![side.to_owned(), scale::nanoseconds(wall), String::new(), calls.unwrap_or_default()]];
    for (stage, ns) in stages(cell, side).filter(|(stage, _)| !stage.contains('/')) {
        rows.push(row(format!("  {}", escape(stage)), ns, String::new()));
        let prefix = format!("{stage}/");
        let parts = stages(cell, side).filter_map(|(part, ns)| Some((part.strip_prefix(&prefix)?, ns)));
        rows.extend(parts.map(|(part, ns)| row(format!("    of which {}", escape(part)), ns, String::new())));
    }
    if let Some(ns) = mean(cell, "module_load", side) {
        let code = cell.conditions.iter().find(|(name, _)| *name == format!("{side}{CODE}"));
        let note = code.map_or_else(String::new, |(_, code)| format!(", {} code", escape(code)));
        let note = format!("once, before{note}");
        rows.push(vec!["  module load".to_owned(), scale::nanoseconds(ns), String::new(), note]);
    }
    rows
}
