//! The probe `wal-okaywal`: the write-ahead log okaywal as a baseline.

#![cfg(target_os = "linux")]

mod journal;
mod recycling;

pub use journal::OkayJournal;

use bench_model::{Arguments, Descriptor, ModuleError, Session};
use probe_abi::{Host, Probe, export_probe};
use wal_load::scenario::{self, APPEND, APPEND_BATCH};
use wal_load::self_timed::{self, AppendOptions, BatchOptions, Bench, Folder};

/// The probe.
#[derive(Debug)]
pub struct WalOkaywal;

impl Probe for WalOkaywal {
    fn describe() -> Descriptor {
        let durability = || {
            let summary =
                "each: fdatasync before a commit returns, shared by waiting threads; okaywal has no other mode";
            scenario::durability(&["each"], summary)
        };
        Descriptor::new(
            "wal-okaywal",
            env!("CARGO_PKG_VERSION"),
            "baseline: okaywal 0.3, a log with a checkpointing thread",
        )
        .scenario(scenario::append(durability(), "one payload is committed as an entry of one chunk"))
        .scenario(scenario::append_batch(
            durability(),
            "the payloads of a batch are committed as the chunks of one entry",
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
        APPEND => {
            let synced_bytes = OkayJournal::entry_bytes(1, payload_bytes);
            let options = AppendOptions::read(arguments, Some(synced_bytes))?;
            self_timed::append(journal, folder, options, bench)
        }
        APPEND_BATCH => {
            let mut options = BatchOptions::read(arguments)?;
            options.synced_bytes = Some(OkayJournal::entry_bytes(options.batch, payload_bytes));
            self_timed::append_batch(journal, folder, options, bench)
        }
        _ => Err(ModuleError::UnknownScenario(scenario.to_owned())),
    }
}

export_probe!(WalOkaywal);
