//! The figures of chains of operators: memory and reaction time by the number of operators.

use super::sweep::{Measured, Sweep, sweeps};
use super::{LATENCY, LATENCY_COLD, MEMORY, OPERATORS, PHASES};
use bench_model::{Arm, Unit};
use bench_report::{Body, DerivedFile, Dimension, Figure, Line, Look, Panel, Point, RunView, Section, escape};
use bench_stats::{LEVEL, PROCESSES_MIN, unpaired_ratios};

/// The arm in which operators are compared if several arms have them, and its baseline.
const ARM: Arm = Arm::Wasm;
const BASELINE: Arm = Arm::Process;

type Drawn = Result<Figure, String>;

/// A PNG file for every figure, in the order of their names; none if the run has no chains of operators.
pub(super) fn files(view: &RunView) -> Vec<DerivedFile> {
    let files = figures(view).into_iter().map(|(name, figure)| DerivedFile::figure(name, figure));
    files.collect()
}

/// A section for each figure that can be drawn.
pub(super) fn sections(view: &RunView) -> impl Iterator<Item = Section> {
    let figures = figures(view).into_iter().filter_map(|(name, figure)| Some((name, figure.ok()?)));
    figures.map(|(name, figure)| Section::new(name, "", Body::Figure(figure)))
}

fn figures(view: &RunView) -> Vec<(&'static str, Drawn)> {
    let sweeps = sweeps(view);
    if sweeps.is_empty() {
        return Vec::new();
    }
    let figures: [(&str, Drawn); 6] = [
        ("latency_rust_vs_go", rust_vs_go(&sweeps, "Reaction time of a chain, Rust and Go", &LATENCIES)),
        (
            "latency_scalability_all",
            all(&sweeps, "Reaction time of a chain by the number of its operators", &LATENCIES),
        ),
        ("memory_active_vs_idle", active_vs_idle(&sweeps)),
        ("memory_rust_vs_go", rust_vs_go(&sweeps, "Memory of operators, Rust and Go", &MEMORIES)),
        ("memory_savings_comparison", savings(view, &sweeps)),
        ("memory_scalability_all", all(&sweeps, "Memory by the number of operators", &MEMORIES)),
    ];
    let cells = sweeps.iter().flat_map(|sweep| sweep.cells.values()).map(|cell| cell.cell);
    let apart = view.same_host(cells).err();
    let note = apart.map(|why| format!("Chains were {}; those of different machines are not compared.", escape(&why)));
    let made = figures.into_iter().map(|(name, figure)| {
        let figure = figure.map(|mut figure| {
            figure.notes.extend(note.clone());
            figure.with_source(view)
        });
        (name, figure)
    });
    made.collect()
}

/// The quantity of a line: its name, the metric, and the phase.
type Quantity = (&'static str, &'static str, Option<&'static str>);

/// What the figures of one kind show of a chain: one quantity with its operators loaded, and one with them unloaded.
struct Shown {
    title: &'static str,
    unit: Unit,
    of: [Quantity; 2],
}

const LATENCIES: Shown = Shown {
    title: "reaction time",
    unit: Unit::Nanoseconds,
    of: [("operators loaded", LATENCY, None), ("operators unloaded", LATENCY_COLD, None)],
};
const MEMORIES: Shown = Shown {
    title: "memory (PSS) of the worker and its operators",
    unit: Unit::Bytes,
    of: [("active", MEMORY, Some("active")), ("unloaded", MEMORY, Some("unloaded"))],
};

impl Shown {
    /// The kind of mean that a point is.
    fn mean(&self) -> &'static str {
        if is_time(self.of[0].1) { "geometric mean" } else { "mean" }
    }

    fn panel(&self, title: &str, lines: Vec<Line>) -> Panel {
        let across = Dimension { title: OPERATORS.to_owned(), unit: Unit::Count };
        let up = Dimension { title: self.title.to_owned(), unit: self.unit.clone() };
        Panel { title: title.to_owned(), across, up, lines }
    }
}

/// A line for each kind in each arm; for components also one with unloaded operators.
fn all(sweeps: &[Sweep<'_>], title: &str, shown: &Shown) -> Drawn {
    let mut gathered = Gathered::default();
    for (index, sweep) in sweeps.iter().enumerate() {
        let look = Look::of(index);
        let [loaded, unloaded] = shown.of;
        let name = format!("{} {}", sweep.name.title(), sweep.name.arm_label());
        gathered.add(sweep, &format!("{name}, {}", loaded.0), look, loaded);
        if sweep.name.is_in(ARM) {
            gathered.add(sweep, &format!("{name}, {}", unloaded.0), look.dashed(), unloaded);
        }
    }
    gathered.figure(title, shown, "")
}

/// Operators in Rust and in Go, in the first arm that has both.
fn rust_vs_go(sweeps: &[Sweep<'_>], title: &str, shown: &Shown) -> Drawn {
    const KINDS: [&str; 2] = ["rust-only", "go-only"];
    let of = |kind: &str| sweeps.iter().filter(|sweep| sweep.name.kind == kind).collect::<Vec<_>>();
    let [rust, go] = KINDS.map(of);
    for (found, language) in [(&rust, "Rust"), (&go, "Go")] {
        if found.is_empty() {
            return Err(format!(
                "the run has no chain of {language} operators alone; `bench-host run operators-rust operators-go` has both"
            ));
        }
    }
    let arm = |sweep: &&Sweep<'_>| sweep.name.arm_label();
    let Some(shared) = rust.iter().map(arm).find(|label| go.iter().any(|other| arm(other) == *label)) else {
        return Err("no arm has both Rust and Go operators; measure both with --arm wasm".to_owned());
    };
    let mut gathered = Gathered::default();
    for (index, sweep) in rust.iter().chain(&go).filter(|sweep| arm(sweep) == shared).enumerate() {
        let look = Look::of(index);
        for (quantity, look) in shown.of.into_iter().zip([look, look.dashed()]) {
            gathered.add(sweep, &format!("{}, {}", sweep.name.title(), quantity.0), look, quantity);
        }
    }
    gathered.figure(&format!("{title} ({})", escape(&shared)), shown, "")
}

/// Memory in each phase, with a panel for each kind, in its first arm.
fn active_vs_idle(sweeps: &[Sweep<'_>]) -> Drawn {
    let mut panels: Vec<Panel> = Vec::new();
    let mut notes = Notes::default();
    let mut last = String::new();
    for sweep in sweeps {
        // The arms of a kind are adjacent.
        if std::mem::replace(&mut last, sweep.name.title()) == sweep.name.title() {
            continue;
        }
        let mut gathered = Gathered::default();
        for (index, phase) in PHASES.into_iter().enumerate() {
            gathered.add(sweep, phase, Look::of(index), (phase, MEMORY, Some(phase)));
        }
        notes.take(&gathered.notes);
        if !gathered.lines.is_empty() {
            let title = format!("{} ({})", sweep.name.title(), sweep.name.arm_label());
            panels.push(MEMORIES.panel(&escape(&title), gathered.lines));
        }
    }
    if panels.is_empty() {
        return Err(no_figures(MEMORIES.title));
    }
    let title = "Memory of operators while they are active, idle and unloaded".to_owned();
    Ok(Figure { title, panels, notes: vec![notes.text(MEMORIES.mean(), "")] })
}

/// How much less memory components take than the same operators as processes.
fn savings(view: &RunView, sweeps: &[Sweep<'_>]) -> Drawn {
    let in_arm = |arm| sweeps.iter().filter(|sweep| sweep.name.is_in(arm)).collect::<Vec<_>>();
    let (components, processes) = (in_arm(ARM), in_arm(BASELINE));
    if components.is_empty() || processes.is_empty() {
        let arm = if components.is_empty() { ARM } else { BASELINE };
        return Err(format!(
            "the run has no operators in arm {arm}; build them with `cargo xtask plugins` and measure with --arm wasm,process"
        ));
    }
    let mut gathered = Gathered::default();
    let mut apart = None;
    for (index, sweep) in components.iter().enumerate() {
        let same = processes.iter().find(|other| other.name.title() == sweep.name.title());
        let Some(process) = same else { continue };
        for ((word, metric, phase), look) in MEMORIES.of.into_iter().zip([Look::of(index), Look::of(index).dashed()]) {
            let live = process.measured(metric, Some(PHASES[0]));
            let pairs = sweep.measured(metric, phase).into_iter().filter_map(|own| {
                let live = live.iter().find(|live| live.operators == own.operators)?;
                let (component, other) = (sweep.cells.get(&own.operators)?, process.cells.get(&own.operators)?);
                // Titles have an argument only if chains of one arm differ in it.
                if !component.agrees_with(other, &[]) {
                    return None;
                }
                match view.same_host([own.cell, live.cell]) {
                    Ok(()) => Some((saving(&own, live, view.seed)?, own)),
                    Err(why) => {
                        apart = Some(why);
                        None
                    }
                }
            });
            let (points, own): (Vec<_>, Vec<_>) = pairs.unzip();
            gathered.line(format!("{}, components {word}", sweep.name.title()), look, points, &own);
        }
    }
    let saved = Shown { title: "less memory than as processes", unit: Unit::from("%"), of: MEMORIES.of };
    if let (true, Some(why)) = (gathered.lines.is_empty(), apart) {
        return Err(format!("arms wasm and process were {why}"));
    }
    if gathered.lines.is_empty() {
        return Err(
            "arms wasm and process have no chain of as many operators in common; measure both with the same parameters"
                .to_owned(),
        );
    }
    gathered.figure(
        "Memory saved by components against a process for each operator",
        &saved,
        "Against processes that are active, everything counted; below 0, components take more. Intervals are of the ratio of means.",
    )
}

/// By how many per cent `own` is less than `live`.
fn saving(own: &Measured, live: &Measured, seed: u64) -> Option<Point> {
    let alone = |measured: &Measured| measured.medians.iter().map(|median| vec![*median]).collect::<Vec<_>>();
    let percent = |ratio: f64| 100.0 * (1.0 - ratio);
    let between = unpaired_ratios(&alone(live), &alone(own), seed).map(|ratios| ratios.means.interval(LEVEL));
    let between = between.filter(|interval| interval.low.is_finite() && interval.high.is_finite());
    let between = between.filter(|_| own.has_interval() && live.has_interval());
    let up = percent(own.mean() / live.mean());
    up.is_finite().then(|| Point {
        across: own.operators as f64,
        up,
        between: between.map(|interval| (percent(interval.high), percent(interval.low))),
    })
}

/// Whether the metric is a time. Times are averaged on the log scale, because disturbances multiply them.
fn is_time(metric: &str) -> bool {
    metric != MEMORY
}

/// The lines of a panel, and the numbers of processes and samples behind them.
#[derive(Default)]
struct Gathered {
    lines: Vec<Line>,
    notes: Notes,
}

impl Gathered {
    /// Adds a line of the quantity, if the chains have it.
    fn add(&mut self, sweep: &Sweep<'_>, name: &str, look: Look, (_, metric, phase): Quantity) {
        let measured = sweep.measured(metric, phase);
        let points = measured.iter().map(|measured| {
            let (up, interval) = match is_time(metric) {
                true => measured.geometric(),
                false => (measured.mean(), measured.interval()),
            };
            let between = interval.map(|interval| (interval.low, interval.high));
            Point { across: measured.operators as f64, up, between }
        });
        self.line(name.to_owned(), look, points.collect(), &measured);
    }

    fn line(&mut self, name: String, look: Look, points: Vec<Point>, measured: &[Measured]) {
        if points.is_empty() {
            return;
        }
        measured.iter().for_each(|measured| self.notes.count(measured));
        self.lines.push(Line { name: escape(&name).into_owned(), look, points });
    }

    fn figure(self, title: &str, shown: &Shown, note: &str) -> Drawn {
        if self.lines.is_empty() {
            return Err(no_figures(shown.title));
        }
        Ok(Figure {
            title: title.to_owned(),
            panels: vec![shown.panel("", self.lines)],
            notes: vec![self.notes.text(shown.mean(), note)],
        })
    }
}

fn no_figures(of: &str) -> String {
    format!("no chain of the run has figures of: {of}; `bench-host run operators-rust` measures it on Linux")
}

/// The minimum and maximum of some numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Range(Option<(u64, u64)>);

impl Range {
    fn take(&mut self, value: u64) {
        let (least, most) = self.0.unwrap_or((value, value));
        self.0 = Some((least.min(value), most.max(value)));
    }

    fn text(self) -> String {
        match self.0 {
            Some((least, most)) if least == most => least.to_string(),
            Some((least, most)) => format!("{least} to {most}"),
            None => "0".to_owned(),
        }
    }
}

/// The numbers of processes and samples behind a point.
#[derive(Clone, Copy, Debug, Default)]
struct Notes {
    processes: Range,
    samples: Range,
}

impl Notes {
    fn count(&mut self, measured: &Measured) {
        self.processes.take(measured.medians.len() as u64);
        self.samples.take(measured.samples);
    }

    fn take(&mut self, other: &Self) {
        for (own, other) in [(&mut self.processes, other.processes), (&mut self.samples, other.samples)] {
            if let Some((least, most)) = other.0 {
                own.take(least);
                own.take(most);
            }
        }
    }

    /// Explains points and whiskers.
    fn text(&self, mean: &str, more: &str) -> String {
        let (processes, samples) = (self.processes.text(), self.samples.text());
        let point = format!("Point: {mean} over processes of the median of each");
        let has_interval = self.processes.0.is_some_and(|(_, most)| most >= u64::from(PROCESSES_MIN));
        let bar = match has_interval {
            true => "band and whiskers: its 95 % interval over processes",
            false => "no interval, because that takes three processes or more (--processes 3)",
        };
        let number = format!("n = {processes} processes a point, of {samples} samples together");
        format!("{point}; {bar}; {number}. {more}").trim_end().to_owned()
    }
}
