//! The ways of loading next to each other: a column each, the first of which the others are ratios to. Knows which cells differ
//! in the way alone, not what a ratio is worth; the comparison says that.

use super::{FIRST, WAY, agree, mean, shown, stages, telling, way};
use crate::layout::{ABSENT, Grid};
use crate::{CellView, escape, scale};

pub(super) fn of(cells: &[&CellView]) -> Vec<String> {
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
        let (name, arm) = (escape(&first.scenario).into_owned(), escape(&first.arm_label()).into_owned());
        let title = format!("{name} {arm} {}, means side by side", escape(&shown(&first.arguments, &names)));
        let ways: Vec<String> = group.iter().map(|cell| escape(way(cell).unwrap_or(ABSENT)).into_owned()).collect();
        let head: Vec<&str> = std::iter::once("").chain(ways.iter().map(String::as_str)).collect();
        let grid = Grid { head: &head, figures: 1..head.len(), rows: rows(&group) }.text();
        std::iter::once(title).chain(grid.lines().map(|line| format!("  {line}"))).collect::<Vec<_>>().join("\n")
    };
    groups.into_iter().map(of_group).collect()
}

fn rows(group: &[&CellView]) -> Vec<Vec<String>> {
    let row = |name: &str, of: &dyn Fn(&CellView) -> Option<String>| {
        let figures = group.iter().map(|cell| of(cell).unwrap_or_else(|| ABSENT.to_owned()));
        std::iter::once(name.to_owned()).chain(figures).collect::<Vec<_>>()
    };
    let duration = |cell: &CellView| cell.timed().map(|timed| timed.summary.mean);
    let rate = |cell: &CellView, metric: &str| Some(mean(cell, metric, "source")? / (duration(cell)? / 1e9));
    let against_first = |cell: &CellView| Some(format!("{}×", scale::factor(duration(group[0])? / duration(cell)?)));
    let mut rows = vec![row("duration", &|cell| duration(cell).map(scale::nanoseconds))];
    for side in ["source", "destination"] {
        rows.push(row(side, &|cell| mean(cell, "wall", side).map(scale::nanoseconds)));
        let names: Vec<&str> =
            stages(group[0], side).map(|(name, _)| name).filter(|name| !name.contains('/')).collect();
        for name in names {
            let of = |cell: &CellView| super::stage(cell, side, name).map(scale::nanoseconds);
            rows.push(row(&format!("  {}", escape(name)), &of));
        }
    }
    rows.push(row("rows/s", &|cell| rate(cell, "records").map(scale::count)));
    rows.push(row("bytes/s", &|cell| rate(cell, "bytes").map(scale::bytes)));
    rows.push(row("speed-up", &against_first));
    rows
}
