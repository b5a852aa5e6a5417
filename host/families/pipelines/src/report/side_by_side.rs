//! The ways of loading next to each other: a column each, the first of which the others are ratios to. Knows which cells differ
//! in the way alone, not what a ratio is worth; the comparison says that.

use super::{FIRST, WAY, agree, format_arguments, mean, stages, telling, way};
use bench_model::Unit;
use bench_report::{Body, CellView, Column, Datum, Measure, Section, Table};

pub(super) fn of(cells: &[&CellView]) -> Vec<Section> {
    let mut groups: Vec<Vec<&CellView>> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.arguments.get(WAY).is_some()) {
        let is_of = |group: &&mut Vec<&CellView>| {
            let first = group[0];
            let same = first.scenario == cell.scenario && first.arm == cell.arm && first.variant == cell.variant;
            same && agree(&first.arguments, &cell.arguments, &[WAY])
        };
        match groups.iter_mut().find(is_of) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    let names = {
        let mut names = telling(cells);
        names.remove(WAY);
        names
    };
    groups.retain(|group| group.len() > 1);
    let of_group = |mut group: Vec<&CellView>| {
        group.sort_by_key(|cell| way(cell) != Some(FIRST));
        let first = group[0];
        let title = format!(
            "{} {} {}, means side by side",
            first.scenario,
            first.arm_label(),
            format_arguments(&first.arguments, &names)
        );
        let column = |cell: &&CellView| Column::figures(way(cell).unwrap_or_default());
        let columns = std::iter::once(Column::words("").key("part")).chain(group.iter().map(column)).collect();
        Section::new("transfers.side-by-side", title, Body::Table(Table::plain(columns, rows(&group))))
    };
    groups.into_iter().map(of_group).collect()
}

fn rows(group: &[&CellView]) -> Vec<Vec<Datum>> {
    let row = |name: &str, of: &dyn Fn(&CellView) -> Option<Datum>| {
        let figures = group.iter().map(|cell| Datum::or_absent(of(cell)));
        std::iter::once(Datum::text(name)).chain(figures).collect::<Vec<_>>()
    };
    let duration = |cell: &CellView| cell.timed().map(|timed| timed.summary.mean);
    let rate = |cell: &CellView, metric: &str, unit: Unit| {
        let rate = mean(cell, metric, "source")? / (duration(cell)? / 1e9);
        Some(Datum::number(rate, Measure::PerSecond(unit)))
    };
    let against_first = |cell: &CellView| Some(Datum::number(duration(group[0])? / duration(cell)?, Measure::Factor));
    let mut rows = vec![row("duration", &|cell| duration(cell).map(Datum::nanoseconds))];
    for side in ["source", "destination"] {
        rows.push(row(side, &|cell| mean(cell, "wall", side).map(Datum::nanoseconds)));
        let names: Vec<&str> =
            stages(group[0], side).map(|(name, _)| name).filter(|name| !name.contains('/')).collect();
        for name in names {
            let of = |cell: &CellView| super::stage(cell, side, name).map(Datum::nanoseconds);
            rows.push(row(&format!("  {name}"), &of));
        }
    }
    rows.push(row("rows", &|cell| rate(cell, "records", Unit::Count)));
    rows.push(row("bytes", &|cell| rate(cell, "bytes", Unit::Bytes)));
    rows.push(row("speed-up", &against_first));
    rows
}
