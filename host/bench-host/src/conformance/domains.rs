//! The rules on scenarios beyond their first defaults: measured with every combination of their defaults, as `load` measures them, opened at
//! the edges of their domains, and with samples of every metric in one of all these cells.

use super::evidence::Payload;
use super::scenario::{BRIEF_NS, ConformanceRun, Values, cells, lines, measure};
use super::{Checksums, Outcome};
use crate::resolve::Resolved;
use crate::worker::Reply;
use bench_drivers::workload::{RECORDED, UNRECORDED};
use bench_engine::worker::WorkerError;
use bench_engine::{Cell, Report};
use bench_model::{Arguments, Domain, Parameter, Scenario, Value};
use bench_sink::runfile::Status;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long the further defaults of one module may take together, and its edges; and one cell of either.
const DEFAULTS: Duration = Duration::from_secs(3);
const EDGES: Duration = Duration::from_secs(5);
const CELL: Duration = Duration::from_secs(2);

/// More combinations of defaults are not tried, although `load` would.
const COMBINATIONS_MAX: usize = 1_000;

/// What was seen of the cells of one module so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The cells that were measured: scenario and arguments.
    measured: Vec<(String, Arguments)>,
    /// What an operation of each scenario takes, as measured before others are tried.
    usual: BTreeMap<String, Payload>,
    /// The metrics of each scenario that a measured cell has recorded.
    recorded: BTreeMap<String, BTreeSet<String>>,
    /// Of scenarios that have not recorded all metrics in a first cell, what was said of that.
    unrecorded: BTreeMap<String, String>,
    /// When no further defaults are tried, and no more edges.
    defaults_until: Option<Instant>,
    edges_until: Option<Instant>,
}

impl Seen {
    /// Notes that `cell` was measured.
    pub(super) fn measured(&mut self, cell: &Cell, report: &Report) {
        self.records(&cell.scenario.name, report);
        if let Some(payload) = Payload::of(report, &cell.scenario.name) {
            self.usual.entry(cell.scenario.name.clone()).or_insert(payload);
        }
        self.measured.push((cell.scenario.name.clone(), cell.arguments.clone()));
    }

    /// Notes that a first cell of the scenario has not recorded all metrics.
    pub(super) fn lacks_samples(&mut self, scenario: &str, detail: String) {
        self.unrecorded.insert(scenario.to_owned(), detail);
    }

    /// Notes which metrics a cell has recorded.
    fn records(&mut self, scenario: &str, report: &Report) {
        let recorded = report.series.iter().filter(|series| series.count > 0).map(|series| series.metric.clone());
        self.recorded.entry(scenario.to_owned()).or_default().extend(recorded);
    }

    fn has_measured(&self, scenario: &str) -> bool {
        self.measured.iter().any(|(name, _)| name == scenario)
    }

    fn has_measured_cell(&self, cell: &Cell) -> bool {
        self.measured.iter().any(|(name, arguments)| *name == cell.scenario.name && *arguments == cell.arguments)
    }
}

/// What became of one cell.
enum Tried {
    Works,
    /// It was not tested, for this reason.
    Skipped(String),
    /// There is a finding, or nothing to tell.
    Told,
}

/// What became of the cells of one kind.
#[derive(Default)]
struct Tally {
    works: Vec<String>,
    skipped: Vec<(String, Vec<String>)>,
}

impl Tally {
    fn add(&mut self, at: String, tried: Tried) {
        match tried {
            Tried::Works => self.works.push(at),
            Tried::Skipped(why) => match self.skipped.iter_mut().find(|(reason, _)| *reason == why) {
                Some((_, all)) => all.push(at),
                None => self.skipped.push((why, vec![at])),
            },
            Tried::Told => {}
        }
    }
}

/// A kind of cells: the rule that one of them breaks, the rule that all hold, and what to do.
struct CellKind {
    one: &'static str,
    all: &'static str,
    remedy: &'static str,
}

const DEFAULT: CellKind = CellKind {
    one: "works with a further default",
    all: "works with its further defaults",
    remedy: "handle it, or leave the default out",
};

const EDGE: CellKind = CellKind {
    one: "works at an edge of its domain",
    all: "works at the edges of its domains",
    remedy: "handle it, or narrow the domain",
};

impl ConformanceRun<'_> {
    /// Measures the scenario with every further combination of its defaults, as `load` does; only what works with the first one.
    pub(super) fn further_defaults(&mut self, scenario: &Scenario, checksums: &mut Checksums) {
        if self.interrupt.is_raised() || !self.seen.has_measured(&scenario.name) {
            return;
        }
        let axes = axes(scenario, &self.loader.parameters);
        let combinations = axes.iter().map(|(_, values)| values.len()).fold(1, usize::saturating_mul);
        let found = match combinations {
            0..=1 => return,
            2..=COMBINATIONS_MAX => cells(self.loaded, scenario, &axes).map_err(|error| error.to_string()),
            _ => Err(format!("{combinations} combinations of defaults are not all tried; try some with -p")),
        };
        let all = match found {
            Ok(all) => all,
            Err(reason) => return self.findings.push(Some(&scenario.name), DEFAULT.all, Outcome::Skipped, reason),
        };
        let until = *self.seen.defaults_until.get_or_insert_with(|| Instant::now() + DEFAULTS);
        let mut tally = Tally::default();
        for cell in all {
            if self.seen.has_measured_cell(&cell) {
                continue;
            }
            if self.interrupt.is_raised() {
                return;
            }
            let at = differing(scenario, &cell.arguments);
            if at.is_empty() {
                continue;
            }
            if Instant::now() >= until {
                let why = format!("the time for further defaults is over; try them with -p {at}");
                tally.add(format!("{at} and later ones"), Tried::Skipped(why));
                break;
            }
            let tried = self.with_defaults(&cell, &at, checksums);
            tally.add(at, tried);
        }
        self.tell(scenario, &DEFAULT, tally);
    }

    /// Measures a cell in two processes, briefly.
    fn with_defaults(&mut self, cell: &Cell, at: &str, checksums: &mut Checksums) -> Tried {
        let Ok(resolved) = self.loader.resolve(self.modules, self.loaded, cell) else { return Tried::Told };
        let scenario = &cell.scenario;
        let brief = match self.tried(cell, &resolved, Some(BRIEF_NS), (at, &DEFAULT)) {
            Ok(report) => report,
            Err(tried) => return tried,
        };
        let grown = self.grows_with_payload(scenario, at, &brief);
        self.seen.measured(cell, &brief);
        if !matches!(grown, Tried::Works) {
            return grown;
        }
        let again = match self.tried(cell, &resolved, None, (at, &DEFAULT)) {
            Ok(report) => report,
            Err(tried) => return tried,
        };
        let (Some(first), Some(second)) = (brief.outcome.checksum, again.outcome.checksum) else { return Tried::Told };
        if first != second {
            let detail = format!("{at}: two processes have {first}, {second}; use fixed seeds, no time, no addresses");
            self.findings.push(Some(&scenario.name), DEFAULT.one, Outcome::Broken, detail);
            return Tried::Told;
        }
        checksums.entry(self.key(cell)).or_default().push((self.loaded.offer.arm, first));
        Tried::Works
    }

    /// Opens the scenario at the edges of the domain of each parameter that the command line does not set, and executes an operation.
    pub(super) fn edges(&mut self, scenario: &Scenario) -> anyhow::Result<()> {
        let until = *self.seen.edges_until.get_or_insert_with(|| Instant::now() + EDGES);
        let mut tally = Tally::default();
        'edges: for (name, value) in edges(scenario, &self.loader.parameters) {
            let at = format!("{name}={value}");
            let values: Vec<_> = std::iter::once((name, vec![value])).chain(self.loader.parameters.clone()).collect();
            for cell in cells(self.loaded, scenario, &values)? {
                if self.interrupt.is_raised() {
                    return Ok(());
                }
                if self.seen.has_measured_cell(&cell) {
                    continue;
                }
                if Instant::now() >= until {
                    let why = format!("the time for edges is over; try them with -p {at}");
                    tally.add(format!("{at} and later ones"), Tried::Skipped(why));
                    break 'edges;
                }
                let tried = self.edge(&cell, &at);
                tally.add(at.clone(), tried);
            }
        }
        self.tell(scenario, &EDGE, tally);
        Ok(())
    }

    /// Executes an operation at one edge.
    fn edge(&mut self, cell: &Cell, at: &str) -> Tried {
        let Ok(resolved) = self.loader.resolve(self.modules, self.loaded, cell) else { return Tried::Told };
        match self.tried(cell, &resolved, None, (at, &EDGE)) {
            Ok(report) => {
                self.seen.records(&cell.scenario.name, &report);
                self.grows_with_payload(&cell.scenario, at, &report)
            }
            Err(tried) => tried,
        }
    }

    /// Measures a cell for a time, or else one operation. Where it has no figure, a finding is made if that is its fault.
    fn tried(
        &mut self,
        cell: &Cell,
        resolved: &Resolved,
        time_ns: Option<u64>,
        (at, kind): (&str, &CellKind),
    ) -> Result<Report, Tried> {
        let deadline = CELL + self.loader.deadline_of(&resolved.module) - self.loader.deadline();
        let end = measure(self.loader, resolved, cell, time_ns, deadline, self.interrupt);
        let reason = match end.result {
            Ok(Reply::Measured(report)) => match report.outcome.status {
                Status::Ok => return Ok(*report),
                Status::Skipped | Status::Void => {
                    return Err(Tried::Skipped(report.outcome.reason.unwrap_or_default()));
                }
                Status::Failed => report.outcome.reason.unwrap_or_default(),
            },
            Ok(Reply::Refused(reason)) => reason,
            Ok(_) => "unexpected reply of the worker".to_owned(),
            Err(WorkerError::Deadline { .. }) => {
                let why = format!("takes more than {} s; try it with -p {at}", CELL.as_secs());
                return Err(Tried::Skipped(why));
            }
            Err(WorkerError::Interrupted) => return Err(Tried::Told),
            Err(error) => error.to_string(),
        };
        let detail = format!("{at}: {reason}; {}", kind.remedy);
        self.findings.push(Some(&cell.scenario.name), kind.one, Outcome::Broken, detail);
        self.findings.printed.extend(lines(&end.stdout, &end.stderr));
        Err(Tried::Told)
    }

    fn tell(&mut self, scenario: &Scenario, kind: &CellKind, tally: Tally) {
        for (why, cells) in tally.skipped {
            let detail = format!("{}: {why}", cells.join(", "));
            self.findings.push(Some(&scenario.name), kind.one, Outcome::Skipped, detail);
        }
        if !tally.works.is_empty() {
            self.findings.push(Some(&scenario.name), kind.all, Outcome::Held, tally.works.join(", "));
        }
    }

    /// Whether samples of every metric were recorded in one of the cells that were measured.
    pub(super) fn metrics_are_recorded(&mut self) {
        let loaded = self.loaded;
        for (name, said) in std::mem::take(&mut self.seen.unrecorded) {
            let scenario = loaded.offer.descriptor.scenarios.iter().find(|scenario| scenario.name == name);
            // Where none was measured, another rule is broken.
            let (outcome, detail) = match (scenario, self.seen.recorded.get(&name)) {
                (Some(scenario), Some(recorded)) => of_metrics(scenario, recorded, &self.loader.parameters),
                _ => (Outcome::Broken, said),
            };
            self.findings.push(Some(&name), RECORDED, outcome, detail);
        }
    }

    /// Whether an operation takes longer if its payload is far larger; otherwise there is a finding.
    fn grows_with_payload(&mut self, scenario: &Scenario, at: &str, report: &Report) -> Tried {
        const RULE: &str = "time grows with the payload";
        let usual = self.seen.usual.get(&scenario.name).copied();
        let found = usual.zip(Payload::of(report, &scenario.name));
        let complaint = found.and_then(|(usual, found)| found.complaint(usual));
        match complaint {
            Some(complaint) => {
                self.findings.push(Some(&scenario.name), RULE, Outcome::Broken, format!("{at}: {complaint}"));
                Tried::Told
            }
            None => Tried::Works,
        }
    }
}

/// Whether the metrics that were `recorded` are all of the scenario; with `given` values it may record others elsewhere.
fn of_metrics(scenario: &Scenario, recorded: &BTreeSet<String>, given: &[Values]) -> (Outcome, String) {
    let missing = scenario.metrics.iter().filter(|metric| !recorded.contains(&metric.name));
    let missing: Vec<_> = missing.map(|metric| metric.name.as_str()).collect();
    let is_given = |parameter: &Parameter| given.iter().any(|(name, _)| *name == parameter.name);
    if missing.is_empty() {
        (Outcome::Held, format!("{} metrics", scenario.metrics.len()))
    } else if scenario.parameters.iter().any(is_given) {
        (Outcome::Skipped, format!("no samples of {} with the given values; test it without them", missing.join(", ")))
    } else {
        (Outcome::Broken, format!("no samples of {}; {UNRECORDED}", missing.join(", ")))
    }
}

/// The values of every parameter: those that the command line gives, or else all defaults.
fn axes(scenario: &Scenario, given: &[Values]) -> Vec<Values> {
    let values = |parameter: &Parameter| {
        let of_line = given.iter().find(|(name, _)| *name == parameter.name).map(|(_, values)| values.clone());
        let all = || parameter.defaults.iter().map(Value::to_string).collect();
        (parameter.name.clone(), of_line.unwrap_or_else(all))
    };
    scenario.parameters.iter().map(values).collect()
}

/// The arguments that are not the first defaults, as options give them.
fn differing(scenario: &Scenario, arguments: &Arguments) -> String {
    let differing = scenario.parameters.iter().filter_map(|parameter| {
        let value = arguments.get(&parameter.name).filter(|value| Some(*value) != parameter.defaults.first())?;
        Some(format!("{}={value}", parameter.name))
    });
    differing.collect::<Vec<_>>().join(" -p ")
}

/// The edges of the domains: parameters and values. A path, a server or a module has none.
fn edges(scenario: &Scenario, given: &[Values]) -> Vec<(String, String)> {
    let of_requirement =
        |name: &str| scenario.requirements.iter().any(|requirement| requirement.parameter() == Some(name));
    let free = scenario
        .parameters
        .iter()
        .filter(|parameter| !of_requirement(&parameter.name) && !given.iter().any(|(name, _)| *name == parameter.name));
    let mut edges = Vec::new();
    for parameter in free {
        let values = match &parameter.domain {
            Domain::Any => Vec::new(),
            Domain::Choices(choices) => choices.clone(),
            Domain::Between(low, high) => vec![low.clone(), high.clone()],
        };
        let first = parameter.defaults.first();
        let further = values.into_iter().filter(|value| Some(value) != first);
        edges.extend(further.map(|value| (parameter.name.clone(), value.to_string())));
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::{Metric, Unit};

    #[test]
    fn edges_are_those_of_parameters_that_nothing_else_decides() {
        let scenario = Scenario::new("s", "f", "")
            .parameter(Parameter::new("n", 5, "").between(0, 9))
            .parameter(Parameter::new("m", 0, "").between(0, 1))
            .parameter(Parameter::new("mode", "a", "").choices(["a", "b"]))
            .parameter(Parameter::new("folder", "x", "").choices(["x", "y"]))
            .requires("read:folder", "");
        let check = |given: &[Values], expect: &[(&str, &str)]| {
            let found = edges(&scenario, given);
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, expect);
        };
        check(&[], &[("n", "0"), ("n", "9"), ("m", "1"), ("mode", "b")]);
        check(&[("n".to_owned(), vec!["3".to_owned()])], &[("m", "1"), ("mode", "b")]);
    }

    #[test]
    fn further_defaults_are_named_as_options_give_them() {
        let scenario = Scenario::new("s", "f", "")
            .parameter(Parameter::new("n", 5, "").sweep([5, 6]))
            .parameter(Parameter::new("mode", "a", "").sweep(["a", "b"]));
        let check = |n: i64, mode: &str, expect: &str| {
            let mut arguments = Arguments::default();
            arguments.set("n", n);
            arguments.set("mode", mode);
            assert_eq!(differing(&scenario, &arguments), expect);
        };
        check(5, "a", "");
        check(6, "a", "n=6");
        check(6, "b", "n=6 -p mode=b");
        let found = axes(&scenario, &[("n".to_owned(), vec!["7".to_owned()])]);
        let found: Vec<_> = found.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
        assert_eq!(found, ["n=7", "mode=a,b"]);
    }

    #[test]
    fn metric_that_no_cell_has_recorded_is_missing_unless_cells_were_chosen() {
        let scenario = Scenario::new("s", "f", "")
            .parameter(Parameter::new("n", 5, ""))
            .metric(Metric::new("lag", Unit::Nanoseconds, ""))
            .metric(Metric::new("depth", Unit::Count, ""));
        let check = |recorded: &[&str], given: &[Values], expect: (Outcome, &str)| {
            let recorded = recorded.iter().map(|name| (*name).to_owned()).collect();
            let (outcome, detail) = of_metrics(&scenario, &recorded, given);
            assert_eq!((outcome, detail.starts_with(expect.1)), (expect.0, true), "{detail}");
        };
        let given = [("n".to_owned(), vec!["3".to_owned()])];
        check(&["s", "lag", "depth"], &[], (Outcome::Held, "2 metrics"));
        check(&["s", "depth"], &[], (Outcome::Broken, "no samples of lag; record them in `iterate`"));
        check(&["s"], &given, (Outcome::Skipped, "no samples of lag, depth with the given values"));
    }
}
