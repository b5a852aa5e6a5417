//! What the boundary costs that stages of other modules have: each stage through it, next to the same stage of the same module without it.

use super::{integer, text};
use bench_report::{Body, CellView, Column, Datum, Measure, RunView, Section, Table};

/// A row per cell of the driver `stage`.
pub(super) fn sections(view: &RunView, cells: &[&CellView]) -> impl Iterator<Item = Section> {
    let mut rows = Vec::new();
    let mut apart = Vec::new();
    for stage in cells.iter().filter(|cell| cell.scenario_name().starts_with("stage-")) {
        let without = without(cells, stage);
        let why = without.and_then(|without| view.same_host([stage.cell, without.cell]).err());
        rows.push(row(stage, without, why.is_none()));
        apart.extend(why.map(|why| format!("{} {} without: {why}", stage.scenario, stage.arm_label())));
    }
    let columns = vec![
        Column::words("stage"),
        Column::words("arm"),
        Column::figures("rows"),
        Column::words("with"),
        Column::figures("mean"),
        Column::figures("without").key("without_boundary_ns"),
        Column::figures("ratio"),
    ];
    let meaning = "without: the same stage of the same module and arm, whose tables do not cross to the host and back; stage-pass is nothing but \
                   that crossing";
    let is_empty = rows.is_empty();
    let body = Body::Table(Table::plain(columns, rows));
    let section = Section::new("tabular.boundary", "stages through the boundary", body);
    let remarks = std::iter::once(meaning.to_owned()).chain(apart);
    (!is_empty).then(|| section.with_remarks(remarks.collect())).into_iter()
}

/// The cell whose operation is that of `stage` without the boundary, and over the same input, if the run has one such cell.
fn without<'a>(cells: &[&'a CellView], stage: &CellView) -> Option<&'a CellView> {
    let (module, name) = stage.scenario.split_once('/')?;
    let direct = match name {
        "stage-decode" => "decode",
        "stage-scan" => "csv-scan",
        "stage-join" => "join",
        "stage-aggregate" => "aggregate",
        _ => return None,
    };
    let scenario = format!("{module}/{direct}");
    let is_it = |cell: &&CellView| {
        cell.scenario == scenario && cell.arm_label() == stage.arm_label() && stage.agrees_with(cell, &[])
    };
    let mut found = cells.iter().copied().filter(is_it);
    let first = found.next()?;
    // Of several, none is more like it than the others.
    found.next().is_none().then_some(first)
}

/// The row of `stage`; without a ratio if another machine measured `without`.
fn row(stage: &CellView, without: Option<&CellView>, is_of_one_machine: bool) -> Vec<Datum> {
    let mean = |cell: &CellView| cell.timed().map(|timed| timed.summary.mean);
    let (through, without) = (mean(stage), without.and_then(mean));
    let ratio = through.zip(without).map(|(through, without)| match is_of_one_machine {
        true => Datum::number(through / without, Measure::Ratio),
        false => Datum::Absent,
    });
    let rows = integer(stage, "rows").map(|rows| Datum::number(rows as f64, Measure::Plain));
    vec![
        Datum::text(stage.scenario.as_str()),
        Datum::text(stage.arm_label()),
        rows.unwrap_or(Datum::Blank),
        Datum::text(text(stage, "format").unwrap_or_default()),
        Datum::or_absent(through.map(Datum::nanoseconds)),
        without.map_or(Datum::Blank, Datum::nanoseconds),
        ratio.unwrap_or(Datum::Blank),
    ]
}
