//! The means of load methods side by side, one column per method, for cells that differ only in the method.

use super::{BASELINE_METHOD, LOAD_METHOD, format_arguments, load_method, mean, stages, varying};
use crate::spec::metric;
use bench_model::Unit;
use bench_report::{Body, CellView, Column, Datum, Measure, RunView, Section, Table};

/// A section for each set of cells that differ only in the load method.
pub(super) fn sections(view: &RunView, cells: &[&CellView]) -> Vec<Section> {
    let mut groups: Vec<Vec<&CellView>> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.arguments.get(LOAD_METHOD).is_some()) {
        let is_of = |group: &&mut Vec<&CellView>| {
            let first = group[0];
            let same = first.scenario == cell.scenario && first.arm == cell.arm && first.variant == cell.variant;
            same && first.agrees_with(cell, &[LOAD_METHOD])
        };
        match groups.iter_mut().find(is_of) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    let names = {
        let mut names = varying(cells);
        names.remove(LOAD_METHOD);
        names
    };
    groups.retain(|group| group.len() > 1);
    let of_group = |mut group: Vec<&CellView>| {
        group.sort_by_key(|cell| load_method(cell) != Some(BASELINE_METHOD));
        let first = group[0];
        let title = format!(
            "{} {} {}, means side by side",
            first.scenario,
            first.arm_label(),
            format_arguments(&first.arguments, &names)
        );
        let column = |cell: &&CellView| Column::figures(load_method(cell).unwrap_or_default());
        let columns = std::iter::once(Column::words("").key("part")).chain(group.iter().map(column)).collect();
        let apart = group.iter().filter_map(|cell| {
            let why = view.same_host([first.cell, cell.cell]).err()?;
            Some(format!("no speed-up of {}: {why}", load_method(cell).unwrap_or_default()))
        });
        let body = Body::Table(Table::plain(columns, rows(view, &group)));
        Section::new("transfers.side-by-side", title, body).with_remarks(apart.collect())
    };
    groups.into_iter().map(of_group).collect()
}

fn rows(view: &RunView, group: &[&CellView]) -> Vec<Vec<Datum>> {
    let row = |name: &str, of: &dyn Fn(&CellView) -> Option<Datum>| {
        let figures = group.iter().map(|cell| Datum::or_absent(of(cell)));
        std::iter::once(Datum::text(name)).chain(figures).collect::<Vec<_>>()
    };
    let duration = |cell: &CellView| cell.timed().map(|timed| timed.summary.mean);
    let rate = |cell: &CellView, metric: &str, unit: Unit| {
        let rate = mean(cell, metric, "source")? / (duration(cell)? / 1e9);
        Some(Datum::number(rate, Measure::PerSecond(unit)))
    };
    let against_first = |cell: &CellView| {
        view.same_host([group[0].cell, cell.cell]).ok()?;
        Some(Datum::number(duration(group[0])? / duration(cell)?, Measure::Factor))
    };
    let mut rows = vec![row("duration", &|cell| duration(cell).map(Datum::nanoseconds))];
    for side in ["source", "transform", "destination"] {
        if mean(group[0], metric::WALL, side).is_none() {
            continue;
        }
        rows.push(row(side, &|cell| mean(cell, metric::WALL, side).map(Datum::nanoseconds)));
        let names: Vec<&str> =
            stages(group[0], side).map(|(name, _)| name).filter(|name| !name.contains('/')).collect();
        for name in names {
            let of = |cell: &CellView| super::stage(cell, side, name).map(Datum::nanoseconds);
            rows.push(row(&format!("  {name}"), &of));
        }
    }
    rows.push(row("rows", &|cell| rate(cell, metric::RECORDS, Unit::Count)));
    rows.push(row("bytes", &|cell| rate(cell, metric::BYTES, Unit::Bytes)));
    rows.push(row("speed-up", &against_first));
    rows
}
