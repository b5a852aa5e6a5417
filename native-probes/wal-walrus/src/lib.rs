//! The probe `wal-walrus`: the write-ahead log walrus as a baseline. It describes the scenarios and reads their arguments; it
//! must not know how they are measured.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "walrus takes its settings from the environment alone")]

mod journal;
mod process;

pub use journal::{Promise, WalrusJournal};

use bench_model::{Arguments, Descriptor, ModuleError, Parameter, Session};
use probe_abi::{Host, Probe, export_probe};
use wal_load::{Bench, Folder, LatencyOptions, ThroughputOptions, scenario};

/// The probe.
#[derive(Debug)]
pub struct WalWalrus;

const DURABILITY: [(&str, Promise); 3] =
    [("process-crash", Promise::ProcessCrash), ("interval", Promise::Interval), ("each", Promise::Each)];

impl Probe for WalWalrus {
    fn describe() -> Descriptor {
        let summary = "walrus 0.2, a log of topics in files of 1000 MiB; a write that fails is not told: a baseline";
        Descriptor::new("wal-walrus", env!("CARGO_PKG_VERSION"), summary)
            .scenario(scenario::single_write_latency(
                durability(
                    "process-crash: pwrite, and a sync after each 10 MiB; interval: and one every 200 ms by a thread; \
                     each: pwrite to a file opened with O_SYNC, then fsync",
                ),
                "one payload is appended to a topic",
            ))
            .scenario(scenario::batch_write_throughput(
                durability(
                    "each: walrus's own batch by io_uring, which ends with fsync whatever it was opened for; \
                     process-crash and interval: one append after the other, because it has no other batch",
                ),
                "the payloads of a batch are appended to a topic",
            ))
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, host.into())
    }
}

fn durability(summary: &str) -> Parameter {
    scenario::durability(&DURABILITY.map(|(name, _)| name), summary)
}

/// Opens a scenario, whose samples go to `bench`.
pub fn open(scenario: &str, arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let promise = scenario::choice(arguments, "durability", &DURABILITY)?;
    let is_durable = promise == Promise::Each;
    let folder = Folder::new(arguments.text("directory")?)?;
    if is_durable {
        folder.require_disk()?;
    }
    let payload_bytes = scenario::count(arguments, "payload_bytes")?;
    let record_bytes = WalrusJournal::record_bytes(payload_bytes)?;
    match scenario {
        "single_write_latency" => {
            let journal = WalrusJournal::open(folder.path(), promise)?;
            let options = LatencyOptions::read(arguments, is_durable.then_some(record_bytes))?;
            wal_load::write_latency(journal, folder, options, bench)
        }
        "batch_write_throughput" => {
            let mut options = ThroughputOptions::read(arguments)?;
            options.synced_bytes = is_durable.then_some(options.batch * record_bytes);
            let promise = if is_durable { Promise::each_batch(options.batch)? } else { promise };
            let journal = WalrusJournal::open(folder.path(), promise)?;
            wal_load::batch_throughput(journal, folder, options, bench)
        }
        _ => Err(ModuleError::UnknownScenario(scenario.to_owned())),
    }
}

export_probe!(WalWalrus);
