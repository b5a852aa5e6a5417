//! Which results are equal: the digests over all cells of all rows of what every format, arm and engine made of the same rows.

use super::{integer, text};
use bench_model::Checksum;
use bench_report::{Body, CellView, Column, Datum, Section, Table};
use std::collections::BTreeMap;

/// Cells whose results are the same table: what it is, what the format that carried it loses, and of which rows it was made, if it was
/// generated.
type Key = (String, &'static str, Option<i64>, Option<i64>);

/// The results of cells, by the table that they are.
type Tables<'a> = BTreeMap<Key, Vec<(&'a CellView, Checksum)>>;

fn tables<'a>(cells: &[&'a CellView]) -> Tables<'a> {
    let mut tables = Tables::new();
    for cell in cells {
        if let (Some(key), Some(checksum)) = (key(cell), cell.checksum) {
            tables.entry(key).or_default().push((*cell, checksum));
        }
    }
    tables
}

/// A line for each table that is not the same in all cells.
pub(super) fn findings(cells: &[&CellView]) -> Vec<String> {
    let tables = tables(cells);
    let differing = tables.iter().filter(|(_, found)| !are_equal(found));
    let line = |((result, ..), found): (&Key, &Vec<(&CellView, Checksum)>)| {
        format!("{result}: results that must be equal {}; do not compare their times", describe(found))
    };
    differing.map(line).collect()
}

/// A row per table, and below it, for tables that differ, who made which.
pub(super) fn sections(cells: &[&CellView]) -> impl Iterator<Item = Section> {
    let tables = tables(cells);
    let columns = vec![
        Column::words("result"),
        Column::words("carried by"),
        Column::figures("rows"),
        Column::figures("seed"),
        Column::figures("results"),
        Column::words("digest"),
        Column::words("parity"),
    ];
    let rows = tables.iter().map(|(key, found)| row(key, found)).collect::<Vec<_>>();
    let differing = tables.values().filter(|found| !are_equal(found)).map(|found| describe(found)).collect::<Vec<_>>();
    let body = Body::Table(Table::plain(columns, rows));
    let meaning = "parity: the digest is over all cells of all rows, in any order; NULL and an empty text differ";
    let remarks = std::iter::once(meaning.to_owned()).chain(differing).collect();
    let section = Section::new("tabular.parity", "results of formats, arms and engines", body).with_remarks(remarks);
    (!tables.is_empty()).then_some(section).into_iter()
}

/// Which table the result of `cell` is; none for results that nothing else has.
fn key(cell: &CellView) -> Option<Key> {
    let loses = match text(cell, "format") {
        Some("csv") => "csv",
        Some("tab") => "tab",
        _ => "exactly",
    };
    if let ("own-csv", Some(file)) | ("own-parquet", Some(file)) =
        (cell.scenario_name(), text(cell, "csv").or_else(|| text(cell, "parquet")))
    {
        return Some((file.to_owned(), loses, None, None));
    }
    if let ("replay", Some(folder)) = (cell.scenario_name(), text(cell, "replay")) {
        return Some((format!("genes by organism of {folder}"), loses, None, None));
    }
    let result = match cell.scenario_name() {
        "decode" | "csv-write" | "csv-scan" | "parquet-write" | "parquet-scan" | "ipc-write" | "ipc-scan"
        | "jsonl-write" | "jsonl-scan" | "stage-pass" | "stage-decode" | "stage-scan" => "genes",
        "join" | "stage-join" => "genes ⟗ publications",
        "aggregate" | "stage-aggregate" | "pipeline" | "pipeline-elt" | "pipeline-etl" => "genes by organism",
        _ => return None,
    };
    Some((result.to_owned(), loses, Some(integer(cell, "rows")?), Some(integer(cell, "seed")?)))
}

fn are_equal(found: &[(&CellView, Checksum)]) -> bool {
    found.iter().all(|(_, checksum)| *checksum == found[0].1)
}

fn row((result, loses, rows, seed): &Key, found: &[(&CellView, Checksum)]) -> Vec<Datum> {
    let digest = if are_equal(found) { Datum::text(found[0].1.to_string()) } else { Datum::Blank };
    let parity = match (are_equal(found), found.len()) {
        (false, _) => "differ",
        (true, 1) => "alone",
        (true, _) => "equal",
    };
    let number = |value: i64| Datum::number(value as f64, bench_report::Measure::Plain);
    vec![
        Datum::text(result.as_str()),
        Datum::text(*loses),
        rows.map_or(Datum::Blank, number),
        seed.map_or(Datum::Blank, number),
        number(found.len() as i64),
        digest,
        Datum::text(parity),
    ]
}

fn describe(found: &[(&CellView, Checksum)]) -> String {
    let each = found.iter().map(|(cell, checksum)| format!("{} {}: {checksum}", cell.scenario, cell.arm_label()));
    format!("differ: {}", each.collect::<Vec<_>>().join(", "))
}
