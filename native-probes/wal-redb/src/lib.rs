//! The probe `wal-redb`: the database redb as a write-ahead log, with one transaction per append or batch, as a
//! baseline.

#![cfg(target_os = "linux")]

mod journal;

pub use journal::RedbJournal;

use bench_model::{Arguments, Descriptor, ModuleError, Session};
use probe_abi::{Host, Probe, export_probe};
use redb::Durability;
use wal_load::scenario::{self, APPEND, APPEND_BATCH};
use wal_load::self_timed::{self, AppendOptions, BatchOptions, Bench, Folder};

/// The probe.
#[derive(Debug)]
pub struct WalRedb;

/// The modes of redb. It has none in between: data that is not durable stays in the process until a durable commit.
const DURABILITY: [(&str, Durability); 2] = [("each", Durability::Immediate), ("none", Durability::None)];

impl Probe for WalRedb {
    fn describe() -> Descriptor {
        let durability = || {
            let summary = "each: on disk when the commit returns; none: in the memory of the process only";
            scenario::durability(&DURABILITY.map(|(name, _)| name), summary)
        };
        let summary = "baseline: redb 4.6, an embedded database, used as a log";
        Descriptor::new("wal-redb", env!("CARGO_PKG_VERSION"), summary)
            .scenario(scenario::append(
                durability(),
                "one payload is inserted under the next number, in a transaction of its own",
            ))
            .scenario(scenario::append_batch(
                durability(),
                "the payloads of a batch are inserted under the next numbers, in one transaction",
            ))
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, host.into())
    }
}

/// Opens a scenario, whose samples go to `bench`.
pub fn open(scenario: &str, arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let durability = scenario::choice(arguments, "durability", &DURABILITY)?;
    let is_durable = matches!(durability, Durability::Immediate);
    let folder = Folder::new(arguments.text("directory")?)?;
    if is_durable {
        folder.require_disk()?;
    }
    // The bytes that redb is given. How many pages it writes for them is part of what is compared.
    let record_bytes = RedbJournal::KEY_BYTES + scenario::count(arguments, "payload_bytes")?;
    let journal = RedbJournal::open(folder.path(), durability)?;
    match scenario {
        APPEND => {
            let options = AppendOptions::read(arguments, is_durable.then_some(record_bytes))?;
            self_timed::append(journal, folder, options, bench)
        }
        APPEND_BATCH => {
            let mut options = BatchOptions::read(arguments)?;
            options.synced_bytes = is_durable.then_some(options.batch * record_bytes);
            self_timed::append_batch(journal, folder, options, bench)
        }
        _ => Err(ModuleError::UnknownScenario(scenario.to_owned())),
    }
}

export_probe!(WalRedb);
