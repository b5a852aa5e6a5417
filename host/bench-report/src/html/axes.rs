//! Small multiples: how the time of a scenario depends on each numeric argument that varies, with a panel for each argument and for
//! each value of what does not fit into one panel.

use crate::family::FamilyChart;
use crate::plots::{Dimension, Figure, Line, Look, Panel, Point};
use crate::{CellView, RunView, SeriesView, escape};
use bench_model::{Unit, Value};
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, PROCESSES_MIN, mean_interval};
use std::collections::BTreeSet;

/// More lines than this are divided among panels.
const LINES_MAX: usize = 10;

/// Panels of one scenario; the table of cells has all.
const PANELS_MAX: usize = 9;

/// Letters of a name in a legend.
const NAME_MAX: usize = 80;

/// A line of more points has no marks.
const MARKS_MAX: usize = 30;

/// A chart for each scenario of `cells` in which a numeric argument varies while all others stay the same.
pub(super) fn charts(view: &RunView, cells: &[&CellView]) -> Vec<FamilyChart> {
    let has_figures = |cell: &&&CellView| cell.status == Status::Ok && cell.timed().is_some();
    let cells: Vec<&CellView> = cells.iter().filter(has_figures).copied().collect();
    // Cells of one scenario are adjacent in a view.
    let scenarios = cells.chunk_by(|one, other| one.scenario == other.scenario);
    scenarios
        .filter_map(|cells| Some(FamilyChart::figure(format!("axes-{}", cells[0].scenario), figure(view, cells)?)))
        .collect()
}

fn figure(view: &RunView, cells: &[&CellView]) -> Option<Figure> {
    let names: BTreeSet<&str> = cells.iter().flat_map(|cell| cell.arguments.iter().map(|(name, _)| name)).collect();
    let varying: Vec<&str> = names.into_iter().filter(|name| distinct(cells, name) > 1).collect();
    let axes = varying.iter().filter(|name| cells.iter().any(|cell| number(cell, name).is_some()));
    let mut looks: Vec<String> = Vec::new();
    let panels: Vec<(Panel, Behind)> = axes.flat_map(|axis| panels(view, cells, axis, &varying, &mut looks)).collect();
    if panels.is_empty() {
        return None;
    }
    let all = panels.len();
    let mut behind = Behind::default();
    let panels: Vec<Panel> = panels
        .into_iter()
        .take(PANELS_MAX)
        .map(|(panel, own)| {
            behind.add(own);
            panel
        })
        .collect();
    let mut notes = vec![behind.note()];
    if all > panels.len() {
        notes.push(format!("The first {} of {all} panels; the table of cells has all.", panels.len()));
    }
    if let Err(why) = view.same_host(cells.iter().map(|cell| cell.cell)) {
        notes.push(format!("The points were {}: do not compare them.", escape(&why)));
    }
    Some(Figure { title: escape(&cells[0].scenario).into_owned(), panels, notes })
}

/// How many values the argument has; a cell without it has none, which is one more.
fn distinct(cells: &[&CellView], name: &str) -> usize {
    cells.iter().map(|cell| value(cell, name)).collect::<BTreeSet<_>>().len()
}

fn value(cell: &CellView, name: &str) -> String {
    cell.arguments.get(name).map_or_else(String::new, Value::to_string)
}

fn number(cell: &CellView, name: &str) -> Option<f64> {
    match cell.arguments.get(name)? {
        Value::Integer(value) => Some(*value as f64),
        Value::Decimal(value) => Some(*value),
        Value::Flag(_) | Value::Text(_) => None,
    }
}

/// Panels over `axis`: the other arguments in `varying` tell lines apart, or panels where there would be too many lines.
fn panels(
    view: &RunView,
    cells: &[&CellView],
    axis: &str,
    varying: &[&str],
    looks: &mut Vec<String>,
) -> Vec<(Panel, Behind)> {
    let mut of_lines: Vec<&str> = varying.iter().copied().filter(|name| *name != axis).collect();
    let mut of_panels: Vec<&str> = Vec::new();
    loop {
        let grouped = grouped(view, cells, axis, &of_panels, &of_lines);
        let most = grouped.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
        let coarsest = of_lines.iter().copied().min_by_key(|name| distinct(cells, name));
        let (Some(coarsest), true) = (coarsest, most > LINES_MAX) else {
            return grouped.into_iter().filter_map(|(title, lines)| panel(axis, &title, lines, looks)).collect();
        };
        of_lines.retain(|name| *name != coarsest);
        of_panels.push(coarsest);
    }
}

/// Things by their names, in the order in which the names first appeared.
type Named<T> = Vec<(String, T)>;

/// The cells of each line of each panel, as far as they have several places on the axis.
fn grouped<'a>(
    view: &RunView,
    cells: &[&'a CellView],
    axis: &str,
    of_panels: &[&str],
    of_lines: &[&str],
) -> Named<Named<Vec<&'a CellView>>> {
    let mut grouped: Named<Named<Vec<&CellView>>> = Vec::new();
    for cell in cells.iter().copied().filter(|cell| number(cell, axis).is_some()) {
        let pairs = |names: &[&str]| {
            let pairs = names.iter().map(|name| (*name, value(cell, name))).filter(|(_, value)| !value.is_empty());
            pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        let (arm, arguments) = (cell.arm_label(), pairs(of_lines));
        let file = if view.has_twin(cell) { cell.module.file.as_str() } else { "" };
        let parts = [arm.as_str(), arguments.as_str(), file].into_iter().filter(|part| !part.is_empty());
        let line = parts.collect::<Vec<_>>().join(" ");
        named(named(&mut grouped, pairs(of_panels)), line).push(cell);
    }
    for (_, lines) in &mut grouped {
        lines.retain(|(_, cells)| distinct(cells, axis) > 1);
    }
    grouped.retain(|(_, lines)| !lines.is_empty());
    grouped
}

/// The thing of this name, which is made where there is none.
fn named<T: Default>(all: &mut Named<T>, name: String) -> &mut T {
    let index = all.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        all.push((name, T::default()));
        all.len() - 1
    });
    &mut all[index].1
}

fn panel(axis: &str, title: &str, lines: Named<Vec<&CellView>>, looks: &mut Vec<String>) -> Option<(Panel, Behind)> {
    let timed = lines.iter().flat_map(|(_, cells)| cells).find_map(|cell| cell.timed())?;
    let quantity = if timed.unit == Unit::Nanoseconds { "time of an operation" } else { timed.metric.as_str() };
    let up = Dimension { title: escape(quantity).into_owned(), unit: timed.unit.clone() };
    let (unit, factor) = unit_of(axis);
    let mut behind = Behind::default();
    let mut drawn: Vec<Line> = Vec::new();
    for (name, cells) in lines {
        let mut points: Vec<Point> = Vec::new();
        for cell in cells {
            let timed = cell.timed().filter(|timed| timed.unit == up.unit);
            let (Some(timed), Some(across)) = (timed, number(cell, axis)) else { continue };
            points.extend(point(across * factor, timed));
            behind.count(timed);
        }
        points.sort_by(|one, other| one.across.total_cmp(&other.across));
        let index = looks.iter().position(|known| *known == name).unwrap_or_else(|| {
            looks.push(name.clone());
            looks.len() - 1
        });
        let look = if points.len() > MARKS_MAX { Look::of(index).unmarked() } else { Look::of(index) };
        if !points.is_empty() {
            drawn.push(Line { name: short(&name), look, points });
        }
    }
    let across = Dimension { title: escape(axis).into_owned(), unit };
    (!drawn.is_empty()).then(|| (Panel { title: short(title), across, up, lines: drawn }, behind))
}

/// `text` escaped, without its end where it is longer than a legend has room for.
fn short(text: &str) -> String {
    let escaped = escape(text);
    let end = escaped.char_indices().nth(NAME_MAX);
    match end {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped.into_owned(),
    }
}

/// The unit of a parameter, which its name ends with, and how many of it one is.
fn unit_of(axis: &str) -> (Unit, f64) {
    let units = [
        ("_bytes", Unit::Bytes, 1.0),
        ("_ns", Unit::Nanoseconds, 1.0),
        ("_us", Unit::Nanoseconds, 1e3),
        ("_ms", Unit::Nanoseconds, 1e6),
    ];
    let name = format!("_{axis}");
    let found = units.into_iter().find(|(end, ..)| name.ends_with(*end));
    found.map_or((Unit::Count, 1.0), |(_, unit, factor)| (unit, factor))
}

/// The mean over processes of the median of each, on the log scale because disturbances multiply a time, with its interval from three
/// processes on. `None` without samples.
fn point(across: f64, timed: &SeriesView) -> Option<Point> {
    let medians = &timed.process_medians;
    let is_positive = medians.iter().all(|median| *median > 0.0);
    let there = |value: f64| if is_positive { value.ln() } else { value };
    let back = |value: f64| if is_positive { value.exp() } else { value };
    let values: Vec<f64> = medians.iter().copied().map(there).collect();
    let up = back(values.iter().sum::<f64>() / values.len() as f64);
    let interval = mean_interval(&values, LEVEL).filter(|_| values.len() >= PROCESSES_MIN as usize);
    let between = interval.map(|interval| (back(interval.low), back(interval.high)));
    up.is_finite().then_some(Point { across, up, between })
}

/// The least and the most processes and samples behind points.
#[derive(Clone, Copy, Debug, Default)]
struct Behind {
    processes: Option<(u64, u64)>,
    samples: Option<(u64, u64)>,
}

impl Behind {
    fn count(&mut self, timed: &SeriesView) {
        let processes = timed.process_medians.len() as u64;
        self.add(Self { processes: Some((processes, processes)), samples: Some((timed.samples, timed.samples)) });
    }

    fn add(&mut self, other: Self) {
        self.processes = widest(self.processes, other.processes);
        self.samples = widest(self.samples, other.samples);
    }

    /// What points, bands and whiskers are, and of how many.
    fn note(&self) -> String {
        let interval = match self.processes {
            Some((_, most)) if most >= u64::from(PROCESSES_MIN) => {
                "band and whiskers: its 95 % interval over processes"
            }
            _ => "no interval, because that takes three processes or more (--processes 3)",
        };
        format!(
            "Point: geometric mean over processes of the median of each; {interval}; n = {} processes a point, of {} samples \
             together.",
            range(self.processes),
            range(self.samples)
        )
    }
}

fn widest(one: Option<(u64, u64)>, other: Option<(u64, u64)>) -> Option<(u64, u64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

fn range(ends: Option<(u64, u64)>) -> String {
    match ends {
        Some((least, most)) if least == most => least.to_string(),
        Some((least, most)) => format!("{least} to {most}"),
        None => "0".to_owned(),
    }
}
