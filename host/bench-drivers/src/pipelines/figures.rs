//! What is recorded of transfers, and what they are checked by before it counts.

use super::side::{Side, Which, parts_check};
use super::tables::Held;
use super::transfer::Transferred;
use super::{Code, Loading};
use crate::stop::{Stop, record};
use bench_model::{Check, Metric, Unit};
use bench_sink::Sink;

/// The series beside the one with the scenario's name, which holds whole transfers.
pub fn metrics(scenario: &str) -> Vec<Metric> {
    let ns = |name: &str, summary: &str| Metric::new(name, Unit::Nanoseconds, summary);
    let of_a_side = |metric: Metric| metric.label("side");
    vec![
        ns(scenario, "from before both sides are started to after both have ended, committed"),
        ns("stage", "one stage of a side; with `/`, a part of a stage").label("side").label("name"),
        of_a_side(ns("wall", "a side, from before its instance to after its call")),
        of_a_side(ns("module_load", "from the file being opened to an instance being possible, once a process")),
        of_a_side(Metric::new("records", Unit::Count, "rows read, or written and committed")),
        of_a_side(Metric::new("bytes", Unit::Bytes, "bytes of batches as a side has them; `channel`: as they wait")),
        of_a_side(Metric::new("host_calls", Unit::Count, "calls of the host for a batch")),
        Metric::new("memory", Unit::Bytes, "the most memory the process ever had resident, once a process"),
    ]
}

/// Series of transfers.
pub(super) struct Figures {
    sink: Sink,
    scenario: String,
    /// All sides so far, for the check of their parts.
    sources: Vec<Side>,
    destinations: Vec<Side>,
    pub(super) bytes: u64,
}

impl Figures {
    pub(super) fn new(scenario: &str) -> Self {
        Self {
            sink: Sink::new(&metrics(scenario)),
            scenario: scenario.to_owned(),
            sources: Vec::new(),
            destinations: Vec::new(),
            bytes: 0,
        }
    }

    /// Whole transfers so far.
    pub(super) fn transfers(&self) -> u64 {
        self.sources.len() as u64
    }

    pub(super) fn add(&mut self, transferred: Transferred) -> Result<(), Stop> {
        let Transferred { wall_ns, source, destination } = transferred;
        let scenario = self.scenario.clone();
        self.append(&scenario, &[], wall_ns)?;
        self.bytes += source.calls.bytes;
        self.append("bytes", &[("side", "channel")], source.calls.packed_bytes)?;
        self.side(Which::Source, &source)?;
        if let Some(side) = &destination {
            self.side(Which::Destination, side)?;
        }
        self.sources.push(source);
        self.destinations.extend(destination);
        Ok(())
    }

    fn side(&mut self, which: Which, side: &Side) -> Result<(), Stop> {
        let name = which.name();
        let is_compressed = side.calls.packing_ns > 0;
        let within =
            side.within_host_stage().into_iter().filter(|(part, _)| is_compressed || !part.ends_with("compress"));
        for (stage, ns) in side.parts().into_iter().chain(within) {
            self.append("stage", &[("side", name), ("name", &stage)], ns)?;
        }
        let other = u64::try_from(side.other_ns()).unwrap_or_default();
        self.append("stage", &[("side", name), ("name", "other")], other)?;
        let labels = [("side", name)];
        self.append("wall", &labels, side.wall_ns)?;
        self.append("records", &labels, side.transfer.records)?;
        self.append("bytes", &labels, side.calls.bytes)?;
        self.append("host_calls", &labels, side.calls.count)
    }

    /// What is known once, at the end.
    pub(super) fn once(&mut self, loadings: &[(Which, Loading)], memory_bytes: Option<u64>) -> Result<(), Stop> {
        for (which, loading) in loadings {
            self.append("module_load", &[("side", which.name())], loading.ns)?;
        }
        memory_bytes.map_or(Ok(()), |bytes| self.append("memory", &[], bytes))
    }

    /// Whether the stages of each side are all of its time.
    pub(super) fn parts_checks(&self) -> Vec<Check> {
        [&self.sources, &self.destinations].into_iter().filter_map(|sides| parts_check(sides)).collect()
    }

    pub(super) fn sink(&self) -> &Sink {
        &self.sink
    }

    fn append(&mut self, metric: &str, labels: &[(&str, &str)], sample: u64) -> Result<(), Stop> {
        record(&mut self.sink, metric, labels, &[sample])
    }
}

/// Whether what the sides say of a transfer is what the host has seen, and what the tables hold.
pub(super) fn transfer_checks(transferred: &Transferred, held: &Held) -> Vec<Check> {
    let mut checks = Vec::new();
    let sides = [
        Some((Which::Source, &transferred.source)),
        transferred.destination.as_ref().map(|side| (Which::Destination, side)),
    ];
    for (which, side) in sides.into_iter().flatten() {
        let name = which.name();
        checks.push(Check::equal(format!("records of the {name}"), &held.rows, &side.transfer.records));
        checks.push(Check::equal(format!("bytes of the {name}"), &side.calls.bytes, &side.transfer.bytes));
    }
    checks
}

/// As it is called among conditions.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Native => "native",
        Code::Cached => "cached",
        Code::Compiled => "compiled",
    }
}
