//! The probe `wal-walrus`: the write-ahead log walrus as a baseline.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "walrus takes its settings from the environment alone")]

mod journal;
mod process;

pub use journal::{Durability, WalrusJournal};

use bench_model::{Arguments, Descriptor, ModuleError, Parameter, Session};
use probe_abi::{Host, Probe, export_probe};
use wal_load::scenario::{self, APPEND, APPEND_BATCH};
use wal_load::self_timed::{self, AppendOptions, BatchOptions, Bench, Folder};

/// The probe.
#[derive(Debug)]
pub struct WalWalrus;

const DURABILITY: [(&str, Durability); 3] =
    [("process-crash", Durability::ProcessCrash), ("interval", Durability::Interval), ("each", Durability::Each)];

impl Probe for WalWalrus {
    fn describe() -> Descriptor {
        let summary = "baseline: walrus 0.2, a log of topics in files of 1000 MiB, which does not report failed writes";
        Descriptor::new("wal-walrus", env!("CARGO_PKG_VERSION"), summary)
            .scenario(scenario::append(
                durability(
                    "process-crash: pwrite, and a sync after each 10 MiB; interval: the same, and a sync every 200 ms; \
                     each: pwrite to a file opened with O_SYNC, then fsync",
                ),
                "one payload is appended to a topic",
            ))
            .scenario(scenario::append_batch(
                durability(
                    "each: walrus's batch call with io_uring, which always ends with fsync; \
                     process-crash and interval: single appends, because walrus has no batch call without fsync",
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
    let durability = scenario::choice(arguments, "durability", &DURABILITY)?;
    let is_durable = durability == Durability::Each;
    let folder = Folder::new(arguments.text("directory")?)?;
    if is_durable {
        folder.require_disk()?;
    }
    let payload_bytes = scenario::count(arguments, "payload_bytes")?;
    let record_bytes = WalrusJournal::record_bytes(payload_bytes)?;
    match scenario {
        APPEND => {
            let journal = WalrusJournal::open(folder.path(), durability)?;
            let options = AppendOptions::read(arguments, is_durable.then_some(record_bytes))?;
            self_timed::append(journal, folder, options, bench)
        }
        APPEND_BATCH => {
            let mut options = BatchOptions::read(arguments)?;
            options.synced_bytes = is_durable.then_some(options.batch * record_bytes);
            let durability = if is_durable { Durability::each_batch(options.batch)? } else { durability };
            let journal = WalrusJournal::open(folder.path(), durability)?;
            self_timed::append_batch(journal, folder, options, bench)
        }
        _ => Err(ModuleError::UnknownScenario(scenario.to_owned())),
    }
}

export_probe!(WalWalrus);
