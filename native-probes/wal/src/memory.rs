//! `stream-memory`: the memory of an open log by the number of its inactive streams.

use crate::options::{self, Options, failed};
use bench_model::{Arguments, Check, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use std::fs;
use wal_load::scenario as shared;
use wal_load::self_timed::{Bench, Folder, Meter};
use wal_log::{Config, Durability, Entry, Retention, StreamId};

const NAME: &str = "stream-memory";

pub(crate) fn scenario() -> Scenario {
    let clock = "growth of the anonymous memory of the process (RssAnon) from before the log is opened until each stream had one entry";
    shared::self_timed(NAME, Unit::Bytes, clock, "a log is opened and one entry is appended to each stream").parameter(
        Parameter::new("streams", 100_000, "logical streams, each of which gets a single entry")
            .sweep([100_000, 1_000_000])
            .between(1, 50_000_000),
    )
}

struct Memory {
    config: Config,
    streams: u32,
    /// Logs with a wrong number of streams.
    wrong: u64,
    meter: Meter,
    folder: Folder,
}

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let mut config = options.config;
    (config.durability, config.retention, config.segment_bytes) = (Durability::None, Retention::All, 8 << 20);
    let streams = shared::count(arguments, "streams")? as u32;
    Ok(Box::new(Memory { config, streams, wrong: 0, meter: Meter::open(bench, NAME, &[])?, folder: options.folder }))
}

impl Memory {
    fn one(&mut self) -> Result<(), ModuleError> {
        give_back();
        let before = anonymous_bytes()?;
        let log = options::open(&self.config)?;
        for stream in 0..self.streams {
            // Sparse numbers, as an application might assign them.
            let entry = Entry { stream: StreamId(stream.wrapping_mul(77)), kind: 0, payload: &[] };
            log.append(entry).map_err(failed)?;
        }
        log.wait_until_idle().map_err(failed)?;
        let after = anonymous_bytes()?;
        self.meter.record(after.saturating_sub(before));
        self.wrong += u64::from(log.stream_count() != self.streams as usize);
        drop(log);
        fs::remove_dir_all(&self.config.directory).map_err(options::io("remove", &self.config.directory))
    }
}

/// Makes the allocator return unused memory, so that the next measurement cannot reuse it.
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time, from any thread.
    let _ = unsafe { libc::malloc_trim(0) };
}

/// Resident anonymous memory of the process.
fn anonymous_bytes() -> Result<u64, ModuleError> {
    let unknown = |why: String| ModuleError::Unavailable(format!("cannot read the memory of the process: {why}"));
    let status = fs::read_to_string("/proc/self/status").map_err(|error| unknown(error.to_string()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| unknown("/proc/self/status has no RssAnon".to_owned()))
}

impl Session for Memory {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.one()?;
        }
        self.meter.flush();
        Ok(Outcome { operations: times, bytes: 0, checksum: self.streams.into() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let left = fs::read_dir(self.folder.path()).map(Iterator::count).unwrap_or_default();
        Ok(vec![Check::equal("every-stream-is-known", &0, &self.wrong), Check::equal("logs-left-behind", &0, &left)])
    }
}
