//! What each stage uses apart from time: processor time, the memory that its process has before and during its operations, and what it allocates.

use super::{account, differences, integer, mean, text};
use bench_report::{AccountView, Body, CellView, Column, Datum, Measure, Rank, Section, Table};

/// A row per cell whose operations were watched; nothing for runs from before processor time was read.
pub(super) fn sections(cells: &[&CellView]) -> impl Iterator<Item = Section> {
    let of_cell = |cell: &&CellView| Some(row(cell, cells, &account(cell).filter(|one| one.cpu_ns.is_some())?));
    let rows = cells.iter().filter_map(of_cell);
    let rows: Vec<_> = rows.collect();
    let columns = vec![
        Column::words("stage"),
        Column::words("arm"),
        Column::figures("rows"),
        Column::words("with").rank(Rank::Filled),
        Column::figures("mean"),
        Column::figures("cpu").key("cpu_ns"),
        Column::figures("before").key("memory_bytes_before"),
        Column::figures("peak").key("memory_bytes_peak"),
        Column::figures("n"),
        Column::figures("allocated").key("allocated_bytes"),
        Column::figures("at a time").key("allocated_bytes_peak").rank(Rank::Extra(0)),
    ];
    let meaning = "cpu: processor time of an operation in all threads, over n operations that are not timed; before and peak: resident memory \
                   of a process with this stage alone, before these operations and the most during them, input and host included; allocated: by an operation, \
                   and the most at a time, where the module's allocator counts it";
    let is_empty = rows.is_empty();
    let body = Body::Table(Table::plain(columns, rows));
    let section = Section::new("tabular.resources", "processor time and memory of stages", body);
    (!is_empty).then(|| section.with_remarks(vec![meaning.to_owned()])).into_iter()
}

fn row(cell: &CellView, cells: &[&CellView], account: &AccountView) -> Vec<Datum> {
    let bytes = |bytes: Option<u64>| Datum::or_absent(bytes.map(|bytes| Datum::bytes(bytes as f64)));
    let rows = integer(cell, "rows").map(|rows| Datum::number(rows as f64, Measure::Plain));
    let told = ["format", "codec", "order"].into_iter().find(|name| text(cell, name).is_some());
    let value = told.and_then(|name| text(cell, name)).unwrap_or_default();
    let with = format!("{value} {}", differences(cell, cells, &["rows", told.unwrap_or_default()]));
    vec![
        Datum::text(cell.scenario.as_str()),
        Datum::text(cell.arm_label()),
        rows.unwrap_or(Datum::Blank),
        Datum::text(with.trim()),
        Datum::or_absent(cell.timed().map(|timed| Datum::nanoseconds(timed.summary.mean))),
        Datum::or_absent(account.cpu_ns.map(Datum::nanoseconds)),
        bytes(account.memory_bytes_before),
        bytes(account.memory_bytes_peak),
        Datum::count(account.watched as f64),
        mean(cell, "allocated").map_or(Datum::Blank, Datum::bytes),
        mean(cell, "allocated_peak").map_or(Datum::Blank, Datum::bytes),
    ]
}
