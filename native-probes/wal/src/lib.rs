//! The probe `wal`: a write-ahead log in mapped files, written to, read, recovered and stressed. It describes the scenarios and
//! opens them; it must not know how the log works, nor how a figure is made of its samples.
//!
//! To add a scenario, write one file with its description and its session, and name it in `SCENARIOS`.

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
use wal_load::Bench;

/// The probe.
#[derive(Debug)]
pub struct Wal;

type Open = fn(&Arguments, Bench) -> Result<Box<dyn Session>, ModuleError>;

/// What a scenario is, and how it is opened.
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
        let summary = "a write-ahead log in memory-mapped files, with the machine's own limits beside it";
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
    fn the_descriptor_keeps_the_rules() {
        Wal::describe().validate().unwrap();
    }
}
