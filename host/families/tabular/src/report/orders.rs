//! What workers and orders of handing pages on gain and cost: rates, how long the first page takes, how many pages wait.

use super::{integer, mean, text};
use bench_model::Unit;
use bench_report::{
    Body, CellView, Column, Datum, Dimension, Figure, Line, Look, Measure, Panel, Point, RunView, Section, Table,
    escape,
};

/// The name of the figure and of its file.
pub(super) const FIGURE: &str = "fetch-orders";

const ORDERS: [&str; 3] = ["ordered", "unordered", "window"];

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
    let body = Body::Table(Table::plain(columns, cells.iter().map(|cell| row(cell)).collect()));
    let meaning = "waited: by complete pages, summed; in flight and buffered: the most at a time; counts are means over operations";
    Section::new("tabular.orders", "pages by order and workers", body).with_remarks(vec![meaning.to_owned()])
}

fn row(cell: &CellView) -> Vec<Datum> {
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

/// A line per order, and a panel per latency; none unless some order has several numbers of workers.
pub(super) fn figure(view: &RunView, cells: &[&CellView]) -> Option<Figure> {
    let fetches: Vec<_> = cells.iter().copied().filter(|cell| is_fetch(cell)).collect();
    let mut latencies: Vec<_> = fetches.iter().map(|cell| latency(cell)).collect();
    latencies.sort_unstable();
    latencies.dedup();
    let line = |latency: &str, (index, order): (usize, &&str)| {
        let of_line =
            fetches.iter().filter(|cell| self::latency(cell) == latency && text(cell, "order") == Some(order));
        let mut points: Vec<_> = of_line.filter_map(|cell| point(cell)).collect();
        points.sort_by(|a, b| a.across.total_cmp(&b.across));
        (points.len() > 1).then(|| Line { name: (*order).to_owned(), look: Look::of(index), points })
    };
    let panel = |latency: &String| {
        let lines: Vec<_> = ORDERS.iter().enumerate().filter_map(|order| line(latency, order)).collect();
        (!lines.is_empty()).then(|| Panel {
            title: format!("latency {latency}"),
            across: Dimension { title: "workers".to_owned(), unit: Unit::Count },
            up: Dimension { title: "rows per second".to_owned(), unit: Unit::Count },
            lines,
        })
    };
    let panels: Vec<_> = latencies.iter().filter_map(panel).collect();
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
