//! What workers and orders of handing pages on gain and cost: rates, how long the first page takes, how many pages wait.

use super::{differences, integer, mean, text};
use bench_model::{Arguments, Unit};
use bench_report::{
    Body, CellView, Column, Datum, Dimension, Figure, Line, Look, Measure, Panel, Point, Rank, RunView, Section, Table,
    escape,
};
use std::collections::BTreeSet;

/// The name of the figure and of its file.
pub(super) const FIGURE: &str = "fetch-orders";

const ORDERS: [&str; 3] = ["ordered", "unordered", "window"];

/// The arguments that have a column in the table, or a place in the figure.
const SHOWN: [&str; 4] = ["latency", "latency_us", "order", "workers"];

/// The argument that distinguishes lines of one order.
const WINDOW: &str = "window";

/// Whether `cell` fetched pages.
pub(super) fn is_fetch(cell: &CellView) -> bool {
    cell.scenario_name() == "fetch" && text(cell, "order").is_some()
}

/// The table, and the figure if there are several numbers of workers.
pub(super) fn sections(view: &RunView, cells: &[&CellView]) -> impl Iterator<Item = Section> {
    let fetches: Vec<_> = cells.iter().copied().filter(|cell| is_fetch(cell)).collect();
    let figure = figure(view, cells).map(|figure| Section::new(FIGURE, "", Body::Figure(figure)));
    (!fetches.is_empty()).then(|| table(&fetches)).into_iter().chain(figure)
}

fn table(cells: &[&CellView]) -> Section {
    let columns = vec![
        Column::words("latency"),
        Column::figures("of").key("latency_ns"),
        Column::words("order"),
        Column::figures("workers"),
        Column::words("with").rank(Rank::Filled),
        Column::figures("n"),
        Column::figures("mean"),
        Column::figures("rows").key("rows_per_second"),
        Column::figures("first page"),
        Column::figures("waited"),
        Column::figures("in flight"),
        Column::figures("buffered"),
        Column::figures("out of order"),
        Column::figures("retries"),
    ];
    let body = Body::Table(Table::plain(columns, cells.iter().map(|cell| row(cell, cells)).collect()));
    let meaning = "waited: by complete pages, summed; in flight and buffered: the most at a time; counts are means over operations";
    Section::new("tabular.orders", "pages by order and workers", body).with_remarks(vec![meaning.to_owned()])
}

fn row(cell: &CellView, cells: &[&CellView]) -> Vec<Datum> {
    let ns = |metric: &str| Datum::or_absent(mean(cell, metric).map(Datum::nanoseconds));
    let count = |metric: &str| Datum::or_absent(mean(cell, metric).map(Datum::count));
    let workers = integer(cell, "workers").map(|workers| Datum::number(workers as f64, Measure::Plain));
    let rate = rate(cell).map(|rate| Datum::number(rate, Measure::PerSecond(Unit::Count)));
    let us = integer(cell, "latency_us").filter(|_| text(cell, "latency") != Some("none"));
    vec![
        Datum::text(text(cell, "latency").unwrap_or("none")),
        us.map_or(Datum::Blank, |us| Datum::nanoseconds(us as f64 * 1e3)),
        Datum::text(text(cell, "order").unwrap_or_default()),
        Datum::or_absent(workers),
        Datum::text(differences(cell, cells, &SHOWN)),
        Datum::count(cell.recorded as f64),
        Datum::or_absent(cell.timed().map(|timed| Datum::nanoseconds(timed.summary.mean))),
        Datum::or_absent(rate),
        ns("first_page"),
        ns("waited"),
        count("in_flight"),
        count("buffered"),
        count("out_of_order"),
        count("retries"),
    ]
}

/// `jitter 10000 µs`, or `none`.
fn latency(cell: &CellView) -> String {
    match (text(cell, "latency").unwrap_or("none"), integer(cell, "latency_us")) {
        ("none", _) | (_, None) => "none".to_owned(),
        (kind, Some(us)) => format!("{kind} {us} µs"),
    }
}

/// Rows per second, by the mean time of an operation.
fn rate(cell: &CellView) -> Option<f64> {
    let ns = cell.timed()?.summary.mean;
    Some(integer(cell, "rows")? as f64 * 1e9 / ns).filter(|_| ns > 0.0)
}

/// The cells of one panel: they differ in the order, the window and the workers alone.
fn panels<'a>(fetches: &[&'a CellView]) -> Vec<Vec<&'a CellView>> {
    let others = |cell: &CellView| {
        let is_other = |name: &str| !SHOWN.contains(&name) && name != WINDOW;
        let others = cell.arguments.iter().filter(|(name, _)| is_other(name));
        let others: Arguments = others.map(|(name, value)| (name, value.clone())).collect();
        (cell.scenario.clone(), cell.arm_label(), latency(cell), others)
    };
    let mut panels: Vec<Vec<&'a CellView>> = Vec::new();
    for cell in fetches.iter().copied() {
        match panels.iter_mut().find(|panel| others(panel[0]) == others(cell)) {
            Some(panel) => panel.push(cell),
            None => panels.push(vec![cell]),
        }
    }
    panels
}

/// `latency jitter 10000 µs`, and what else tells the panel of `cell` from other panels.
fn title(cell: &CellView, fetches: &[&CellView]) -> String {
    let place = |cell: &CellView| format!("{} {}", cell.scenario, cell.arm_label());
    let is_one_place = fetches.iter().all(|other| place(other) == place(cell));
    let place = if is_one_place { String::new() } else { format!(", {}", place(cell)) };
    let with = differences(cell, fetches, &[&SHOWN[..], &[WINDOW]].concat());
    let with = if with.is_empty() { with } else { format!(", {with}") };
    format!("latency {}{place}{with}", latency(cell))
}

/// The lines of a panel: one for each order, and for each window of it. Those with one worker number only are no lines.
fn lines(panel: &[&CellView]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, order) in ORDERS.into_iter().enumerate() {
        let of_order: Vec<_> = panel.iter().copied().filter(|cell| text(cell, "order") == Some(order)).collect();
        let windows: BTreeSet<_> = of_order.iter().map(|cell| integer(cell, WINDOW)).collect();
        for (rank, window) in windows.iter().enumerate() {
            let of_window = of_order.iter().filter(|cell| integer(cell, WINDOW) == *window);
            let mut points: Vec<_> = of_window.filter_map(|cell| point(cell)).collect();
            points.sort_by(|a, b| a.across.total_cmp(&b.across));
            let name = match window.filter(|_| windows.len() > 1) {
                Some(window) => format!("{order}, window={window}"),
                None => order.to_owned(),
            };
            let look = Look::of(index + ORDERS.len() * rank);
            lines.extend((points.len() > 1).then_some(Line { name, look, points }));
        }
    }
    lines
}

/// A line per order, and a panel for all other arguments; none unless some order has several numbers of workers.
pub(super) fn figure(view: &RunView, cells: &[&CellView]) -> Option<Figure> {
    let fetches: Vec<_> = cells.iter().copied().filter(|cell| is_fetch(cell)).collect();
    let panel = |panel: Vec<&CellView>| {
        let (title, lines) = (title(panel[0], &fetches), lines(&panel));
        (!lines.is_empty()).then(|| Panel {
            title: escape(&title).into_owned(),
            across: Dimension { title: "workers".to_owned(), unit: Unit::Count },
            up: Dimension { title: "rows per second".to_owned(), unit: Unit::Count },
            lines,
        })
    };
    let mut panels: Vec<_> = panels(&fetches).into_iter().filter_map(panel).collect();
    panels.sort_by(|a, b| a.title.cmp(&b.title));
    let operations = fetches.iter().map(|cell| cell.recorded).min()?;
    let mut notes = vec![format!("Point: rows by the mean time of n ≥ {operations} operations.")];
    if let Err(why) = view.same_host(fetches.iter().map(|cell| cell.cell)) {
        notes.push(format!("The points were {}: do not compare them.", escape(&why)));
    }
    (!panels.is_empty()).then(|| Figure { title: "Pages by order and workers".to_owned(), panels, notes })
}

fn point(cell: &CellView) -> Option<Point> {
    Some(Point { across: integer(cell, "workers")? as f64, up: rate(cell)?, between: None })
}
