//! The break-even of a fresh start and a restore: from how much work at the start on the restore takes less time.

use crate::spec::COLD_START;
use bench_model::{Arguments, Unit, Value};
use bench_report::{
    CellView, Dimension, Figure, Line, Look, Panel, Point, RunView, escape, print_json, scale, significant,
};
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, PROCESSES_MIN, mean_interval, slope};
use serde::Serialize;
use serde_json::Number;

// The parameters that a cold start needs for a curve. Scenarios outside of the family's driver have them too.
const START: &str = "start";
const MEMORY: &str = "heap_bytes";
const WORK: &str = "init_ms";

/// Starts that do the work each time, and starts that skip it.
const AFRESH: [&str; 6] = ["spawn", "fork-exec", "spawn-python", "spawn-node", "wasm-cached", "wasm-pooled"];
const BROUGHT_BACK: [&str; 4] = ["criu-restore", "criu-lazy-pages", "fork-zygote", "wasm-preinitialised"];

/// One kind of start of one scenario in one arm, with one amount of memory and equal other arguments: its median time over the work at
/// the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct StartCurve {
    /// The kind of start, with its other arguments in text, and with what else tells it from other curves of the run.
    pub(super) start: String,
    /// `module/scenario`.
    pub(super) scenario: String,
    /// The arm, with its variant if there is one.
    pub(super) arm: String,
    /// Bytes of memory that are touched at the start.
    pub(super) heap_bytes: u64,
    /// The points, in the order of the work.
    pub(super) points: Vec<StartPoint>,
    /// The numbers of their cells.
    #[serde(skip)]
    pub(super) cells: Vec<u32>,
    #[serde(skip)]
    kind: String,
    #[serde(skip)]
    variant: Option<String>,
    /// The arguments in text that are options of this kind of start.
    #[serde(skip)]
    options: Vec<String>,
    /// The other arguments, except for the memory and the work.
    #[serde(skip)]
    others: Arguments,
}

/// The figure of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct StartPoint {
    /// Milliseconds of work at the start.
    pub(super) init_ms: f64,
    /// The median, in nanoseconds.
    pub(super) median_ns: f64,
    /// The number of samples.
    pub(super) samples: u64,
    /// The number of processes that they are of.
    #[serde(skip)]
    pub(super) processes: usize,
    /// The interval of the geometric mean of the medians of processes, from three on.
    #[serde(skip)]
    pub(super) between: Option<(f64, f64)>,
}

/// The point where two curves meet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BreakEven {
    /// The start that does the work each time.
    pub(super) afresh: String,
    /// The start that skips the work.
    pub(super) brought_back: String,
    /// Bytes of memory that are touched at the start.
    pub(super) heap_bytes: u64,
    /// The milliseconds of work from which on the restore takes less time; 0 if it always does. `None` if the lines do not meet, or
    /// if there are too few points for a line.
    pub(super) init_ms: Option<f64>,
    /// Why there is none although there may be enough points: several machines measured them.
    pub(super) absent: Option<String>,
}

/// The curves of all cells with a figure.
pub(super) fn start_curves(view: &RunView) -> Vec<StartCurve> {
    let mut curves: Vec<StartCurve> = Vec::new();
    for cell in &view.cells {
        let Some((curve, point)) = measured(cell) else { continue };
        match curves.iter_mut().find(|known| known.is_same(&curve)) {
            Some(known) => {
                known.points.push(point);
                known.cells.push(cell.cell);
            }
            None => curves.push(StartCurve { points: vec![point], cells: vec![cell.cell], ..curve }),
        }
    }
    let names: Vec<_> = curves.iter().map(|curve| curve.name(&curves)).collect();
    for (curve, name) in curves.iter_mut().zip(names) {
        curve.start = name;
        curve.points.sort_by(|a, b| a.init_ms.total_cmp(&b.init_ms));
    }
    curves.sort_by(|a, b| (a.heap_bytes, &a.start).cmp(&(b.heap_bytes, &b.start)));
    curves
}

/// The figure of `cell`, and its curve without points and name.
fn measured(cell: &CellView) -> Option<(StartCurve, StartPoint)> {
    let is_it = cell.scenario_name() == COLD_START && cell.status == Status::Ok;
    let timed = cell.timed().filter(|series| is_it && series.unit == Unit::Nanoseconds)?;
    let integer = |name: &str| match cell.arguments.get(name)? {
        Value::Integer(value) => u64::try_from(*value).ok(),
        _ => None,
    };
    let Value::Text(start) = cell.arguments.get(START)? else { return None };
    let point = StartPoint {
        init_ms: integer(WORK)? as f64,
        median_ns: timed.distribution.quantile(0.5)?,
        samples: timed.samples,
        processes: timed.process_medians.len(),
        between: interval(&timed.process_medians),
    };
    let (mut options, mut others) = (Vec::new(), Arguments::default());
    for (name, value) in cell.arguments.iter().filter(|(name, _)| ![START, MEMORY, WORK].contains(name)) {
        match value {
            Value::Text(text) if !text.starts_with('@') && !text.contains('/') => options.push(text.clone()),
            _ => others.set(name, value.clone()),
        }
    }
    let curve = StartCurve {
        start: String::new(),
        scenario: cell.scenario.clone(),
        arm: cell.arm_label(),
        heap_bytes: integer(MEMORY)?,
        points: Vec::new(),
        cells: Vec::new(),
        kind: start.clone(),
        variant: cell.variant.clone(),
        options,
        others,
    };
    Some((curve, point))
}

impl StartCurve {
    /// Whether points of both are of one curve.
    fn is_same(&self, other: &Self) -> bool {
        let have_same_arguments = self.heap_bytes == other.heap_bytes && self.others == other.others;
        self.is_alike(other) && self.is_beside(other) && have_same_arguments
    }

    /// Whether nothing that names usually have tells them apart.
    fn is_alike(&self, other: &Self) -> bool {
        self.kind == other.kind && self.options == other.options
    }

    /// Whether both are of the same scenario and arm.
    fn is_beside(&self, other: &Self) -> bool {
        self.scenario == other.scenario && self.arm == other.arm
    }

    /// `criu-restore (tmpfs, warm)`: the kind of start and its options. If that is also the name of a curve of another scenario, another arm
    /// or with other arguments, what tells them apart too.
    fn name(&self, all: &[Self]) -> String {
        let alike: Vec<&Self> = all.iter().filter(|other| other.is_alike(self)).collect();
        let mut parts = self.options.clone();
        if !alike.iter().all(|other| other.is_beside(self)) {
            parts.push(format!("{} {}", self.scenario, self.arm));
        }
        let others: Vec<_> = alike.iter().filter(|other| other.is_beside(self)).map(|other| &other.others).collect();
        let names = Arguments::varying(&others);
        let telling = self.others.iter().filter(|(name, _)| names.contains(name));
        parts.extend(telling.map(|(name, value)| format!("{name}={value}")));
        if parts.is_empty() { self.kind.clone() } else { format!("{} ({})", self.kind, parts.join(", ")) }
    }

    /// Whether both, with the same memory, can be starts of the same function: they are of one variant, arguments that are no options of a
    /// kind of start are equal, and none of `all` is of the scenario of the one and of the kind of the other.
    fn is_comparable(&self, other: &Self, all: &[Self]) -> bool {
        let has = |scenario: &Self, kind: &Self| all.iter().any(|one| one.is_beside(scenario) && one.kind == kind.kind);
        let mut others = self.others.iter();
        self.heap_bytes == other.heap_bytes
            && self.variant == other.variant
            && others.all(|(name, value)| other.others.get(name).is_none_or(|found| found == value))
            && (self.is_beside(other) || !(has(self, other) || has(other, self)))
    }
}

/// Whether `cell` is a point of a curve.
pub(super) fn has_curve(cell: &CellView) -> bool {
    measured(cell).is_some()
}

/// On the log scale, because disturbances multiply a time.
fn interval(medians: &[f64]) -> Option<(f64, f64)> {
    let logs: Vec<f64> = medians.iter().map(|median| median.ln()).collect();
    let interval = mean_interval(&logs, LEVEL).filter(|_| logs.len() >= PROCESSES_MIN as usize)?;
    Some((interval.low.exp(), interval.high.exp()))
}

/// The break-even of each start that does the work and each that skips it, for each amount of memory.
pub(super) fn break_evens(view: &RunView, curves: &[StartCurve]) -> Vec<BreakEven> {
    let is_of = |curve: &StartCurve, kinds: &[&str]| kinds.contains(&curve.kind.as_str());
    let mut found = Vec::new();
    for afresh in curves.iter().filter(|curve| is_of(curve, &AFRESH)) {
        let is_back = |other: &&StartCurve| is_of(other, &BROUGHT_BACK) && afresh.is_comparable(other, curves);
        for back in curves.iter().filter(is_back) {
            let absent = view.same_host(afresh.cells.iter().chain(&back.cells).copied()).err();
            let is_of_one_machine = absent.is_none();
            found.push(BreakEven {
                afresh: afresh.start.clone(),
                brought_back: back.start.clone(),
                heap_bytes: afresh.heap_bytes,
                init_ms: meeting(&afresh.points, &back.points).filter(|_| is_of_one_machine),
                absent,
            });
        }
    }
    found
}

/// The work at which the line through `afresh` rises above the mean of `back`, which does not depend on the work.
fn meeting(afresh: &[StartPoint], back: &[StartPoint]) -> Option<f64> {
    let points: Vec<_> = afresh.iter().map(|point| (point.init_ms, point.median_ns)).collect();
    let rise = slope(&points)?.estimate;
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count as f64;
    let level = mean(&mut back.iter().map(|point| point.median_ns), back.len());
    let (x, y) = (
        mean(&mut points.iter().map(|point| point.0), points.len()),
        mean(&mut points.iter().map(|point| point.1), points.len()),
    );
    // ȳ + rise · (x − x̄) = level.
    let meeting = x + (level - y) / rise;
    (rise > 0.0 && meeting.is_finite()).then_some(meeting.max(0.0))
}

#[derive(Serialize)]
struct Document<'a> {
    run: &'a str,
    unit: &'static str,
    curves: &'a [StartCurve],
    break_even: Vec<BreakEvenJson>,
}

#[derive(Serialize)]
struct BreakEvenJson {
    afresh: String,
    brought_back: String,
    heap_bytes: u64,
    init_ms: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<String>,
}

/// The curves and their break-even points as a JSON document.
pub(super) fn break_even_json(view: &RunView) -> String {
    let curves = start_curves(view);
    let break_even = break_evens(view, &curves).into_iter().map(|found| BreakEvenJson {
        afresh: found.afresh,
        brought_back: found.brought_back,
        heap_bytes: found.heap_bytes,
        init_ms: found.init_ms.and_then(significant),
        absent: found.absent,
    });
    print_json(&Document { run: &view.id, unit: "ns", curves: &curves, break_even: break_even.collect() })
}

/// The curves, with a panel for each amount of memory. `None` if there are none.
pub(super) fn figure(view: &RunView, curves: &[StartCurve]) -> Option<Figure> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let samples = points().map(|point| point.samples).min()?;
    let (least, most) = (points().map(|point| point.processes).min()?, points().map(|point| point.processes).max()?);
    let processes = if least == most { least.to_string() } else { format!("{least}–{most}") };
    let mut names: Vec<&str> = curves.iter().map(|curve| curve.start.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |curve: &StartCurve| {
        let point =
            |point: &StartPoint| Point { across: point.init_ms * 1e6, up: point.median_ns, between: point.between };
        let index = names.iter().position(|name| *name == curve.start).unwrap_or_default();
        Line {
            name: escape(&curve.start).into_owned(),
            look: Look::of(index),
            points: curve.points.iter().map(point).collect(),
        }
    };
    let panel = |curves: &[StartCurve]| Panel {
        title: format!("{} touched", scale::bytes(curves[0].heap_bytes as f64)),
        across: Dimension { title: "work at the start".to_owned(), unit: Unit::Nanoseconds },
        up: Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds },
        lines: curves.iter().map(line).collect(),
    };
    let has_band = points().any(|point| point.between.is_some());
    let band = match has_band {
        true => "band and whiskers: the 95 % interval of the medians of processes",
        false => "no interval, because that takes three processes or more (--processes 3)",
    };
    let amounts = curves.chunk_by(|one, other| one.heap_bytes == other.heap_bytes);
    let mut notes = vec![format!("Point: median, n ≥ {samples} samples in n = {processes} processes; {band}.")];
    if let Err(why) = view.same_host(curves.iter().flat_map(|curve| curve.cells.iter().copied())) {
        notes.push(format!("The points were {}: do not compare them.", escape(&why)));
    }
    let title = "Start to first correct response".to_owned();
    Some(Figure { title, panels: amounts.map(panel).collect(), notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(of: &[(f64, f64)]) -> Vec<StartPoint> {
        let (samples, processes, between) = (10, 1, None);
        of.iter().map(|&(init_ms, median_ns)| StartPoint { init_ms, median_ns, samples, processes, between }).collect()
    }

    #[test]
    fn lines_meet_at_the_break_even() {
        let afresh = points(&[(0.0, 1e6), (10.0, 11e6), (100.0, 101e6)]);
        let check = |back: &[(f64, f64)], expect: Option<f64>| {
            let found = meeting(&afresh, &points(back));
            assert_eq!(found.map(|at| (at * 1e6).round() / 1e6), expect, "{back:?}");
        };
        check(&[(0.0, 16e6), (100.0, 16e6)], Some(15.0));
        check(&[(0.0, 0.5e6)], Some(0.0));
        assert_eq!(meeting(&points(&[(0.0, 1e6)]), &points(&[(0.0, 2e6)])), None, "one point has no line");
        assert_eq!(meeting(&points(&[(0.0, 2e6), (10.0, 1e6)]), &points(&[(0.0, 3e6)])), None, "it never takes longer");
    }

    #[test]
    fn fresh_starts_and_restores_are_compared_at_the_same_memory() {
        let curve = |kind: &str, heap_bytes, of: &[(f64, f64)]| StartCurve {
            start: format!("{kind} (warm)"),
            scenario: "criu/cold-start".to_owned(),
            arm: "native".to_owned(),
            heap_bytes,
            points: points(of),
            cells: Vec::new(),
            kind: kind.to_owned(),
            variant: None,
            options: vec!["warm".to_owned()],
            others: Arguments::default(),
        };
        let curves = [
            curve("spawn", 1, &[(0.0, 1e6), (10.0, 11e6)]),
            curve("criu-restore", 1, &[(0.0, 6e6)]),
            curve("criu-restore", 2, &[(0.0, 6e6)]),
        ];
        let found = break_evens(&sample_run::Run::begin(1, 1).view(), &curves);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].brought_back.as_str(), found[0].init_ms), ("criu-restore (warm)", Some(5.0)));
    }
}
