//! The breakdown of one cell: what was moved, how fast, and the stages of both sides. The stages of a side add up to its wall time.

use super::{CODE, format_arguments, mean, stages};
use crate::spec::{CHANNEL, metric};
use bench_model::Unit;
use bench_report::{Body, CellView, Column, Datum, Measure, Node, Rank, Section, Tree, scale};
use std::collections::BTreeSet;

pub(super) fn section(cell: &CellView, varying: &BTreeSet<String>) -> Section {
    let title = format!("{} {} {}", cell.scenario, cell.arm_label(), format_arguments(&cell.arguments, varying));
    let duration = cell.timed().map(|timed| duration(cell, timed.summary.mean)).into_iter();
    let sides = ["source", "transform", "destination"].iter().filter_map(|side| side_node(cell, side));
    let columns = vec![
        Column::figures("mean"),
        Column::figures("share"),
        Column::figures("rows").key("rows_per_second").rank(Rank::Filled),
        Column::figures("bytes").key("bytes_per_second").rank(Rank::Filled),
        Column::figures("host calls").rank(Rank::Filled),
        Column::words("").key("note").rank(Rank::Filled),
    ];
    let tree = Tree { columns, roots: duration.chain(sides).collect() };
    let moved = format!("{}; {} repetitions in {} proc.", moved(cell), cell.recorded, cell.processes);
    Section::new("transfers.breakdown", title.trim_end(), Body::Tree(tree)).with_remarks(vec![moved])
}

/// The duration of the transfer and its rates.
fn duration(cell: &CellView, ns: f64) -> Node {
    let rate = |metric: &str, unit: Unit| {
        let amount = mean(cell, metric, "source");
        amount.map_or(Datum::Blank, |amount| Datum::number(amount / (ns / 1e9), Measure::PerSecond(unit)))
    };
    let rates = [rate(metric::RECORDS, Unit::Count), rate(metric::BYTES, Unit::Bytes)];
    Node::new("duration", values(ns, None, rates, Datum::Blank, ""))
}

fn values(ns: f64, share: Option<f64>, [rows, bytes]: [Datum; 2], calls: Datum, note: &str) -> Vec<Datum> {
    let share = share.map_or(Datum::Blank, |share| Datum::number(share, Measure::Share));
    let note = if note.is_empty() { Datum::Blank } else { Datum::text(note) };
    vec![Datum::nanoseconds(ns), share, rows, bytes, calls, note]
}

/// `10.0k rows read, 10.0k written; 2.20 MiB read, 2.20 MiB written, 1.10 MiB between`.
fn moved(cell: &CellView) -> String {
    let of = |metric: &str, side: &str, word: &str, show: fn(f64) -> String| {
        mean(cell, metric, side).map(|amount| format!("{}{word}", show(amount)))
    };
    let joined = |texts: [Option<String>; 3]| texts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let records = joined([
        of(metric::RECORDS, "source", " rows read", scale::count),
        of(metric::RECORDS, "destination", " written", scale::count),
        None,
    ]);
    let bytes = joined([
        of(metric::BYTES, "source", " read", scale::bytes),
        of(metric::BYTES, "destination", " written", scale::bytes),
        of(metric::BYTES, CHANNEL, " in between", scale::bytes)
            .filter(|_| mean(cell, metric::BYTES, "destination").is_some()),
    ]);
    format!("{records}; {bytes}")
}

/// The wall time of a side, its stages with their parts, and the loading of its module.
fn side_node(cell: &CellView, side: &str) -> Option<Node> {
    const NO_RATES: [Datum; 2] = [Datum::Blank, Datum::Blank];
    let wall = mean(cell, metric::WALL, side)?;
    let node = |name: &str, ns: f64| Node::new(name, values(ns, Some(ns / wall), NO_RATES, Datum::Blank, ""));
    let calls = mean(cell, metric::HOST_CALLS, side).map_or(Datum::Blank, Datum::count);
    let mut whole = Node::new(side, values(wall, None, NO_RATES, calls, ""));
    for (stage, ns) in stages(cell, side).filter(|(stage, _)| !stage.contains('/')) {
        let prefix = format!("{stage}/");
        let parts = stages(cell, side).filter_map(|(part, ns)| Some((part.strip_prefix(&prefix)?, ns)));
        let parts = parts.map(|(part, ns)| node(&format!("of which {part}"), ns)).collect();
        whole.parts.push(Node { parts, ..node(stage, ns) });
    }
    if let Some(ns) = mean(cell, metric::MODULE_LOAD, side) {
        let code = cell.conditions.iter().find(|(name, _)| *name == format!("{side}{CODE}"));
        let note = code.map_or_else(String::new, |(_, code)| format!(", {code} code"));
        let note = format!("once, before{note}");
        whole.parts.push(Node::new("module load", values(ns, None, NO_RATES, Datum::Blank, &note)));
    }
    Some(whole)
}
