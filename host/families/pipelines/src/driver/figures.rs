//! What is recorded of transfers, and what they are checked by before it counts.

use super::side::{Side, Which, parts_check};
use super::tables::TableFingerprint;
use super::transfer::Transferred;
use crate::connectors::{Code, Loading};
use crate::spec::{self, CHANNEL, SIDE, STAGE_NAME, metric};
use bench_drivers::{CellFailure, record};
use bench_model::{Check, Scenario};
use bench_sink::Sink;

/// Series of transfers.
pub(super) struct Figures {
    sink: Sink,
    scenario: String,
    /// All sides so far, for the check of their parts.
    sources: Vec<Side>,
    transforms: Vec<Side>,
    destinations: Vec<Side>,
    pub(super) bytes: u64,
}

impl Figures {
    /// Of `scenario`, as the driver specifies it.
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            sink: Sink::new(&scenario.metrics),
            scenario: scenario.name.clone(),
            sources: Vec::new(),
            transforms: Vec::new(),
            destinations: Vec::new(),
            bytes: 0,
        }
    }

    /// Whole transfers so far.
    pub(super) fn transfers(&self) -> u64 {
        self.sources.len() as u64
    }

    pub(super) fn add(&mut self, transferred: Transferred) -> Result<(), CellFailure> {
        let Transferred { wall_ns, retries, source, transform, destination } = transferred;
        let scenario = self.scenario.clone();
        self.append(&scenario, &[], wall_ns)?;
        self.append(spec::RETRIES, &[], u64::from(retries))?;
        self.bytes += source.calls.bytes;
        self.append(metric::BYTES, &[(SIDE, CHANNEL)], source.calls.packed_bytes)?;
        self.side(Which::Source, &source)?;
        if let Some(side) = &transform {
            self.side(Which::Transform, side)?;
        }
        if let Some(side) = &destination {
            self.side(Which::Destination, side)?;
        }
        self.sources.push(source);
        self.transforms.extend(transform);
        self.destinations.extend(destination);
        Ok(())
    }

    fn side(&mut self, which: Which, side: &Side) -> Result<(), CellFailure> {
        let name = which.name();
        let is_compressed = side.calls.packing_ns > 0;
        let within =
            side.within_host_stages().into_iter().filter(|(part, _)| is_compressed || !part.ends_with("compress"));
        for (stage, ns) in side.parts().into_iter().chain(within) {
            self.append(metric::STAGE, &[(SIDE, name), (STAGE_NAME, &stage)], ns)?;
        }
        let other = u64::try_from(side.other_ns()).unwrap_or_default();
        self.append(metric::STAGE, &[(SIDE, name), (STAGE_NAME, "other")], other)?;
        let labels = [(SIDE, name)];
        self.append(metric::WALL, &labels, side.wall_ns)?;
        self.append(metric::RECORDS, &labels, side.transfer.records)?;
        self.append(metric::BYTES, &labels, side.calls.bytes)?;
        let received = side.received.map_or(0, |calls| calls.count);
        self.append(metric::HOST_CALLS, &labels, side.calls.count + received)
    }

    /// What is known once, at the end.
    pub(super) fn once(&mut self, loadings: &[(Which, Loading)], memory_bytes: Option<u64>) -> Result<(), CellFailure> {
        for (which, loading) in loadings {
            self.append(metric::MODULE_LOAD, &[(SIDE, which.name())], loading.ns)?;
        }
        memory_bytes.map_or(Ok(()), |bytes| self.append(metric::MEMORY, &[], bytes))
    }

    /// Whether the stages of each side are all of its time.
    pub(super) fn parts_checks(&self) -> Vec<Check> {
        [&self.sources, &self.transforms, &self.destinations]
            .into_iter()
            .filter_map(|sides| parts_check(sides))
            .collect()
    }

    pub(super) fn sink(&self) -> &Sink {
        &self.sink
    }

    fn append(&mut self, metric: &str, labels: &[(&str, &str)], sample: u64) -> Result<(), CellFailure> {
        record(&mut self.sink, metric, labels, &[sample])
    }
}

/// Whether what the sides say of a transfer is what the host has seen, and what the tables hold: `held` is read, and `expected` must
/// arrive.
pub(super) fn transfer_checks(
    transferred: &Transferred,
    held: &TableFingerprint,
    expected: &TableFingerprint,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let sides = [
        Some((Which::Source, &transferred.source, held)),
        transferred.transform.as_ref().map(|side| (Which::Transform, side, expected)),
        transferred.destination.as_ref().map(|side| (Which::Destination, side, expected)),
    ];
    for (which, side, held) in sides.into_iter().flatten() {
        let name = which.name();
        checks.push(Check::equal(format!("records of the {name}"), &held.rows, &side.transfer.records));
        checks.push(Check::equal(format!("bytes of the {name}"), &side.bytes(), &side.transfer.bytes));
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
