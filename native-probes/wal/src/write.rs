//! `append` and `append-batch`: the sessions that all logs share, with this log.

use crate::journal::{Files, LogJournal};
use crate::options::{self, Options};
use bench_model::{Arguments, ModuleError, Parameter, Scenario, Session};
use wal_load::scenario;
use wal_load::self_timed::{self, AppendOptions, BatchOptions, Bench};

const FILES: [(&str, Files); 2] = [("recycled", Files::Recycled), ("new", Files::New)];

pub(crate) fn latency() -> Scenario {
    scenario::append(options::durability(), "one payload is appended").parameter(options::page_state())
}

pub(crate) fn open_latency(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let payload_bytes = scenario::count(arguments, "payload_bytes")?;
    let latency = AppendOptions::read(arguments, options.synced_bytes(1, payload_bytes))?;
    self_timed::append(LogJournal::for_few(options.config)?, options.folder, latency, bench)
}

pub(crate) fn throughput() -> Scenario {
    scenario::append_batch(options::durability(), "one batch is appended; a sample spans the whole batch")
        .parameter(options::page_state())
        .parameter(
            Parameter::new(
                "file",
                FILES[0].0,
                "segment files: recycled ones that had records before, or new ones whose pages were touched in advance",
            )
            .choices(FILES.map(|(name, _)| name)),
        )
}

pub(crate) fn open_throughput(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let files = scenario::choice(arguments, "file", &FILES)?;
    let mut throughput = BatchOptions::read(arguments)?;
    throughput.synced_bytes = options.synced_bytes(throughput.batch, throughput.payload_bytes);
    self_timed::append_batch(LogJournal::open(options.config, files)?, options.folder, throughput, bench)
}
