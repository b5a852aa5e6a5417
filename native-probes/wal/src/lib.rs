//! The probe `wal`: measures a write-ahead log in memory-mapped files: appends, reads, recovery, and load from several
//! threads.
//!
//! To add a scenario, write a file with its description and its session, and add it to `SCENARIOS`.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "recovery is compared with a bare scan of a mapped file")]

mod concurrent;
mod journal;
mod limits;
mod memory;
mod messages;
mod options;
mod reading;
mod recovery;
mod rotation;
mod streaming;
mod stress;
mod threads;
mod transactions;
mod victim;
mod write;

use bench_model::{Arguments, Descriptor, ModuleError, Scenario, Session};
use probe_abi::{Host, Probe, export_probe};
use wal_load::self_timed::Bench;

/// The probe.
#[derive(Debug)]
pub struct Wal;

type Open = fn(&Arguments, Bench) -> Result<Box<dyn Session>, ModuleError>;

/// The description of a scenario, and the function that opens it.
type Entry = (fn() -> Scenario, Open);

const SCENARIOS: &[Entry] = &[
    (write::latency, write::open_latency),
    (write::throughput, write::open_throughput),
    (concurrent::scenario, concurrent::open),
    (reading::scenario, reading::open),
    (recovery::scenario, recovery::open),
    (rotation::scenario, rotation::open),
    (memory::scenario, memory::open),
    (messages::scenario, messages::open),
    (transactions::scenario, transactions::open),
    (streaming::scenario, streaming::open),
    (stress::scenario, stress::open),
    (limits::scenario, limits::open),
];

impl Probe for Wal {
    fn describe() -> Descriptor {
        let summary = "a write-ahead log in memory-mapped files, with baselines of the machine";
        let descriptor = Descriptor::new("wal", env!("CARGO_PKG_VERSION"), summary);
        SCENARIOS.iter().fold(descriptor, |descriptor, (scenario, _)| descriptor.scenario(scenario()))
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, host.into())
    }
}

/// Opens a scenario, whose samples go to `bench`.
pub fn open(scenario: &str, arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    match SCENARIOS.iter().find(|(known, _)| known().name == scenario) {
        Some((_, open)) => open(arguments, bench),
        None => Err(ModuleError::UnknownScenario(scenario.to_owned())),
    }
}

export_probe!(Wal);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        Wal::describe().validate().unwrap();
    }
}
