//! `single_write_latency` and `batch_write_throughput`: the sessions that all logs share, with this log. It must not know how
//! they measure.

use crate::journal::{Files, LogJournal};
use crate::options::{self, Options};
use bench_model::{Arguments, ModuleError, Parameter, Scenario, Session};
use wal_load::{Bench, LatencyOptions, ThroughputOptions, batch_throughput, scenario, write_latency};

const FILES: [(&str, Files); 2] = [("recycled", Files::Recycled), ("new", Files::New)];

pub(crate) fn latency() -> Scenario {
    scenario::single_write_latency(options::durability(), "one payload appended").parameter(options::page_state())
}

pub(crate) fn open_latency(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let payload_bytes = scenario::count(arguments, "payload_bytes")?;
    let latency = LatencyOptions::read(arguments, options.synced_bytes(1, payload_bytes))?;
    write_latency(LogJournal::for_few(options.config)?, options.folder, latency, bench)
}

pub(crate) fn throughput() -> Scenario {
    scenario::batch_write_throughput(options::durability(), "one batch appended; the samples are of whole batches")
        .parameter(options::page_state())
        .parameter(
            Parameter::new(
                "file",
                FILES[0].0,
                "whether segments had records before, or are new files whose pages were touched ahead",
            )
            .choices(FILES.map(|(name, _)| name)),
        )
}

pub(crate) fn open_throughput(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let files = scenario::choice(arguments, "file", &FILES)?;
    let mut throughput = ThroughputOptions::read(arguments)?;
    throughput.synced_bytes = options.synced_bytes(throughput.batch, throughput.payload_bytes);
    batch_throughput(LogJournal::open(options.config, files)?, options.folder, throughput, bench)
}
