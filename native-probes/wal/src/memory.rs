//! `memory_efficiency`: what the memory of an open log grows by with the streams that nobody writes to. It must not know what
//! the log keeps of a stream.

use crate::options::{self, Options, failed};
use bench_model::{Arguments, Check, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use std::fs;
use wal_load::{Bench, Folder, Meter, scenario as shared};
use wal_log::{Config, Durability, Entry, Retention, StreamId};

const NAME: &str = "memory_efficiency";

pub(crate) fn scenario() -> Scenario {
    let clock =
        "anonymous memory of the process (RssAnon), from before the log is opened to when each stream had one entry";
    shared::scenario(NAME, Unit::Bytes, clock, "one log opened, and an entry appended to each stream").parameter(
        Parameter::new("streams", 100_000, "logical streams, each of which had one entry and then none")
            .sweep([100_000, 1_000_000])
            .between(1, 50_000_000),
    )
}

struct Memory {
    config: Config,
    streams: u32,
    /// Logs that had another number of streams than they were given.
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
            // Numbers as an application might give them out, not dense.
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

/// Has the allocator give unused memory back, so that none of it is used for what is measured next.
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time, from any thread.
    let _ = unsafe { libc::malloc_trim(0) };
}

/// Anonymous memory that the process has resident.
fn anonymous_bytes() -> Result<u64, ModuleError> {
    let unknown = |why: String| ModuleError::Unavailable(format!("the process's memory is not known: {why}"));
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
        self.meter.hand_over();
        Ok(Outcome { operations: times, bytes: 0, checksum: self.streams.into() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let left = fs::read_dir(self.folder.path()).map(Iterator::count).unwrap_or_default();
        Ok(vec![Check::equal("every-stream-is-known", &0, &self.wrong), Check::equal("logs-left-behind", &0, &left)])
    }
}
