//! The probe `wal-okaywal`: the write-ahead log okaywal as a baseline. It describes the scenarios and reads their arguments;
//! it must not know how they are measured.

#![cfg(target_os = "linux")]

mod journal;
mod keeper;

pub use journal::OkayJournal;

use bench_model::{Arguments, Descriptor, ModuleError, Session};
use probe_abi::{Host, Probe, export_probe};
use wal_load::{Bench, Folder, LatencyOptions, ThroughputOptions, scenario};

/// The probe.
#[derive(Debug)]
pub struct WalOkaywal;

impl Probe for WalOkaywal {
    fn describe() -> Descriptor {
        let durability = || {
            let summary =
                "each: fdatasync before a commit returns, shared by the threads that wait; okaywal has no other mode";
            scenario::durability(&["each"], summary)
        };
        Descriptor::new(
            "wal-okaywal",
            env!("CARGO_PKG_VERSION"),
            "okaywal 0.3, a log with a checkpointing thread: a baseline",
        )
        .scenario(scenario::single_write_latency(
            durability(),
            "one payload is appended as an entry of one chunk, which is committed",
        ))
        .scenario(scenario::batch_write_throughput(
            durability(),
            "the payloads of a batch are appended as the chunks of one entry, which is committed",
        ))
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, host.into())
    }
}

/// Opens a scenario, whose samples go to `bench`.
pub fn open(scenario: &str, arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let folder = Folder::new(arguments.text("directory")?)?;
    folder.require_disk()?;
    let payload_bytes = scenario::count(arguments, "payload_bytes")?;
    let journal = OkayJournal::open(folder.path())?;
    match scenario {
        "single_write_latency" => {
            let synced_bytes = OkayJournal::entry_bytes(1, payload_bytes);
            let options = LatencyOptions::read(arguments, Some(synced_bytes))?;
            wal_load::write_latency(journal, folder, options, bench)
        }
        "batch_write_throughput" => {
            let mut options = ThroughputOptions::read(arguments)?;
            options.synced_bytes = Some(OkayJournal::entry_bytes(options.batch, payload_bytes));
            wal_load::batch_throughput(journal, folder, options, bench)
        }
        _ => Err(ModuleError::UnknownScenario(scenario.to_owned())),
    }
}

export_probe!(WalOkaywal);
