//! What the machine did to a run: the warnings it began with, and what was seen of it during the repetitions of each cell.

use crate::notes::lines_of;
use crate::{CellView, RunView};
use bench_model::Value;
use bench_sink::environment::Witness;
use bench_sink::runfile::Status;

/// Marks a cell with figures whose repetitions were disturbed, and a ratio of such cells.
pub(crate) const MARK: &str = "disturbed";

/// Withholding less than this share of a repetition is left to its record.
const WITHHELD_SHARE_MIN: f64 = 0.05;

/// A thread that has a processor to itself waits far less than this.
const RUN_QUEUE_SHARE_MIN: f64 = 0.2;

/// Below this, other processes hardly slow down the caches, memory and frequency that a cell shares with them.
const OTHERS_BUSY_SHARE_MIN: f64 = 0.15;

/// Values of parameters that stand for a server: a temporary one of PostgreSQL, the API server of a kubeconfig. Addresses of others are
/// recognised by their form.
const SERVERS: [&str; 2] = ["@cluster", "kube"];

/// A way in which the machine disturbs repetitions.
struct Disturbance {
    /// What happened.
    what: &'static str,
    /// What the share is one of.
    of: &'static str,
    /// The effect on figures, and what to do about it.
    effect: &'static str,
    /// How much of a repetition it took.
    share: fn(&Witness) -> f64,
    /// A repetition with a smaller share counts as not disturbed.
    share_min: f64,
    /// Whether it tells anything about a cell.
    concerns: fn(&CellView) -> bool,
}

const DISTURBANCES: [Disturbance; 3] = [
    // That hypervisor, quota or suspension took the processor away.
    Disturbance {
        what: "the machine withheld the processor",
        of: "the time",
        effect: "high quantiles show it; use a machine with processors of its own",
        share: Witness::withheld_share,
        share_min: WITHHELD_SHARE_MIN,
        concerns: |_| true,
    },
    // That the thread that is timed did not have its processor to itself.
    Disturbance {
        what: "other work was on the processor that was measured",
        of: "the time",
        effect: "stop other work, or wait",
        share: Witness::run_queue_share,
        share_min: RUN_QUEUE_SHARE_MIN,
        concerns: is_bound,
    },
    // Other processes share caches, memory and frequency with what is measured, so even a ratio of two arms is that of a busy machine.
    Disturbance {
        what: "other processes used the processors",
        of: "all processors' time",
        effect: "figures and ratios are those of a busy machine; stop other work, or wait",
        share: Witness::others_busy_share,
        share_min: OTHERS_BUSY_SHARE_MIN,
        concerns: is_without_server,
    },
];

/// Whether all repetitions were bound to one processor. Threads of a module that places them itself may share processors, so what they
/// wait for in the run queue may be each other.
fn is_bound(cell: &CellView) -> bool {
    cell.cpu.is_some()
}

/// Whether no argument names a server. A server is outside of the worker's process group, so its work for the cell would count as that of
/// other processes.
fn is_without_server(cell: &CellView) -> bool {
    let is_server = |text: &str| SERVERS.contains(&text) || text.contains("://") || text.contains("host=");
    !cell.arguments.iter().any(|(_, value)| matches!(value, Value::Text(text) if is_server(text)))
}

/// How often the repetitions of cells were disturbed, in each of the ways.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disturbed([Seen; DISTURBANCES.len()]);

/// How often one disturbance was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Repetitions that were disturbed.
    disturbed: usize,
    /// Repetitions of which it is known whether they were.
    all: usize,
    share_max: f64,
}

impl Disturbed {
    /// The repetitions of one cell.
    pub(crate) fn of(cell: &CellView) -> Self {
        Self(std::array::from_fn(|way| Seen::of(&DISTURBANCES[way], cell)))
    }

    /// Takes what was seen of further repetitions.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(seen, more)| seen.add(more));
    }

    /// A text for each way in which any was disturbed. Not escaped.
    pub(crate) fn texts(&self) -> Vec<String> {
        let ways = DISTURBANCES.iter().zip(&self.0).filter(|(_, seen)| seen.disturbed > 0);
        ways.map(|(way, seen)| seen.text(way)).collect()
    }
}

impl Seen {
    fn of(way: &Disturbance, cell: &CellView) -> Self {
        let mut seen = Self::default();
        for witness in cell.witnesses.iter().filter(|_| (way.concerns)(cell)) {
            let share = (way.share)(witness);
            seen.add(&Self { disturbed: usize::from(share >= way.share_min), all: 1, share_max: share });
        }
        seen
    }

    fn add(&mut self, other: &Self) {
        self.disturbed += other.disturbed;
        self.all += other.all;
        self.share_max = self.share_max.max(other.share_max);
    }

    fn text(&self, way: &Disturbance) -> String {
        let percent = (self.share_max * 100.0).min(100.0);
        let (what, of) = (way.what, way.of);
        format!("{what} in {} of {} repetitions, for up to {percent:.0} % of {of}", self.disturbed, self.all)
    }
}

/// The warnings that a run began with, each with what to do about it. Not escaped.
pub(crate) fn warnings(view: &RunView) -> impl Iterator<Item = String> {
    view.warnings.iter().map(|warning| format!("{}: {}", warning.found, warning.remedy))
}

/// One line for each way in which repetitions of `runs` were disturbed: its cells, how often, and what to do about it. The cells are listed
/// below it where `all_cells`. Not escaped.
pub(crate) fn disturbances(runs: &[RunView], all_cells: bool) -> Vec<String> {
    let Some(first) = runs.first() else { return Vec::new() };
    let mut seen: Vec<(&CellView, Disturbed)> = Vec::new();
    for cell in runs.iter().flat_map(|run| &run.cells) {
        let of_cell = Disturbed::of(cell);
        // In a single run, two cells are never the same.
        match seen.iter_mut().filter(|_| runs.len() > 1).find(|(known, _)| is_same(known, cell)) {
            Some((_, known)) => known.add(&of_cell),
            None => seen.push((cell, of_cell)),
        }
    }
    let mut lines = Vec::new();
    for (index, way) in DISTURBANCES.iter().enumerate() {
        let mut total = Seen::default();
        let mut named: Vec<&CellView> = Vec::new();
        for (cell, Disturbed(ways)) in seen.iter().filter(|(_, Disturbed(ways))| ways[index].disturbed > 0) {
            total.add(&ways[index]);
            named.push(cell);
        }
        if !named.is_empty() {
            lines.extend(lines_of(first, &format!("{}: {}", total.text(way), way.effect), &named, all_cells));
        }
    }
    lines
}

/// Whether both are the same cell, of two runs.
fn is_same(a: &CellView, b: &CellView) -> bool {
    a.identity() == b.identity() && a.module.file == b.module.file
}

/// What disturbed the repetitions of one cell. Not escaped.
pub(crate) fn of_cell(cell: &CellView) -> Vec<String> {
    Disturbed::of(cell).texts()
}

/// Whether the figures of `cell` carry a warning.
pub(crate) fn is_disturbed(cell: &CellView) -> bool {
    cell.status == Status::Ok && !of_cell(cell).is_empty()
}
