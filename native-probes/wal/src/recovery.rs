//! `recovery`: opens a log that an earlier process left, intact or damaged, interleaved with a raw checksum over as
//! many bytes of the same files.

use crate::options::{Options, unread};
use crate::victim::{State, Victim};
use bench_model::Metric;
use bench_model::{Arguments, Check, MachineLimit, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::path::Path;
use wal_load::self_timed::{Bench, Folder, Meter, Stopwatch};
use wal_load::{Payloads, ReadBack, scenario as shared};
use wal_log::{Log, LogError, Policy, RecoveryMode};

const NAME: &str = "recovery";

const STATES: [(&str, State); 3] = [("clean", State::Clean), ("torn", State::Torn), ("corrupted", State::Corrupted)];
const POLICIES: [(&str, Policy); 3] = [("fail", Policy::Fail), ("truncate", Policy::Truncate), ("skip", Policy::Skip)];
const MODES: [(&str, RecoveryMode); 2] = [("fast", RecoveryMode::Fast), ("thorough", RecoveryMode::Thorough)];

pub(crate) fn scenario() -> Scenario {
    let clock = "from the call that opens the log to its return, with the log or with an error about the damage";
    let scan = "baseline: a new mapping of the same files and a CRC32C over as many bytes by one thread, interleaved with the log";
    shared::self_timed(
        NAME,
        Unit::Nanoseconds,
        clock,
        "a log that an earlier process left is opened; its files are in the page cache",
    )
    .limit(MachineLimit::MemoryRead)
    .metric(Metric::new("raw_scan", Unit::Nanoseconds, scan))
    .parameter(
        Parameter::new("wal_bytes", 10 << 20, "bytes of the log's records, including their headers")
            .unit(Unit::Bytes)
            .between(64 << 10, 8_i64 << 30),
    )
    .parameter(Parameter::new("payload_bytes", 1024, "bytes of one payload").unit(Unit::Bytes).between(8, 1 << 20))
    .parameter(
        Parameter::new(
            "state",
            STATES[0].0,
            "intact (clean), with a torn last record, or with a flipped bit in the middle (corrupted)",
        )
        .sweep(STATES.map(|(name, _)| name))
        .choices(STATES.map(|(name, _)| name)),
    )
    .parameter(
        Parameter::new("policy", POLICIES[0].0, "what recovery does about corruption; a torn end is always truncated")
            .choices(POLICIES.map(|(name, _)| name)),
    )
    .parameter(
        Parameter::new(
            "mode",
            MODES[0].0,
            "how far recovery reads: up to the last valid record (fast), or all of the files (thorough)",
        )
        .choices(MODES.map(|(name, _)| name)),
    )
    .parameter(
        Parameter::new("recovery_threads", 2, "threads that scan segments; each segment is scanned by one thread")
            .between(1, 64),
    )
}

/// The expected result of opening the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// A log with `records` records, whose next sequence number is `next`.
    Open { records: u64, next: u64 },
    /// An error about the damage.
    Refused,
}

struct Recovering {
    victim: Victim,
    payloads: Payloads,
    expected: Expected,
    recovery: Meter,
    raw_scan: Meter,
    _folder: Folder,
}

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let mut options = Options::read(arguments)?;
    let state = shared::choice(arguments, "state", &STATES)?;
    options.config.policy = shared::choice(arguments, "policy", &POLICIES)?;
    options.config.recovery = shared::choice(arguments, "mode", &MODES)?;
    options.config.recovery_threads = shared::count(arguments, "recovery_threads")? as u32;
    let (log_bytes, policy) = (arguments.size("wal_bytes")? as u64, options.config.policy);
    let payload_bytes = shared::count(arguments, "payload_bytes")?;
    let batch = ((1 << 20) / payload_bytes).clamp(1, 1_000);
    let mut payloads = Payloads::new(payload_bytes, batch)?;
    let victim = Victim::new(options.config, &mut payloads, log_bytes, state, policy != Policy::Fail)?;
    let records = victim.records;
    let expected = match (victim.hurt, state, policy) {
        (None, ..) => Expected::Open { records, next: records },
        (Some(torn), State::Torn, _) => Expected::Open { records: torn, next: torn },
        (Some(_), _, Policy::Fail) => Expected::Refused,
        (Some(hurt), _, Policy::Truncate) => Expected::Open { records: hurt, next: hurt },
        (Some(_), _, Policy::Skip) => Expected::Open { records: records - 1, next: records },
    };
    Ok(Box::new(Recovering {
        victim,
        payloads,
        expected,
        recovery: Meter::open(bench, NAME, &[])?,
        raw_scan: Meter::open(bench, "raw_scan", &[])?,
        _folder: options.folder,
    }))
}

impl Recovering {
    fn one(&mut self) -> Result<(), ModuleError> {
        let watch = Stopwatch::start();
        self.victim.files.iter().try_for_each(|(path, bytes)| scan(path, *bytes as usize))?;
        self.raw_scan.record(watch.ns());
        let watch = Stopwatch::start();
        let opened = Log::open(self.victim.config.clone());
        self.recovery.record(watch.ns());
        self.compare(&opened)?;
        if let Ok(log) = opened {
            // Waits until the log has prepared its next segment, so that this does not run during the next operation.
            log.wait_until_idle().map_err(crate::options::failed)?;
        }
        self.victim.restore(self.payloads.bytes())
    }

    /// Fails if the result of opening is not the expected one.
    fn compare(&self, opened: &Result<Log, LogError>) -> Result<(), ModuleError> {
        let found = match opened {
            Ok(log) => {
                let recovery = log.recovery();
                Expected::Open { records: recovery.records, next: recovery.next_sequence }
            }
            Err(LogError::Corrupt { .. }) => Expected::Refused,
            Err(error) => return Err(ModuleError::Other(format!("cannot open the log: {error}"))),
        };
        if found == self.expected {
            Ok(())
        } else {
            Err(ModuleError::Other(format!("recovery returned {found:?}, expected {:?}", self.expected)))
        }
    }
}

/// Maps the first `bytes` of a file and computes their checksum.
fn scan(path: &Path, bytes: usize) -> Result<(), ModuleError> {
    let failed = |error: std::io::Error| ModuleError::Other(format!("cannot scan {}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    // SAFETY: a new mapping at an address that the kernel chooses.
    let base = unsafe { mmap(std::ptr::null_mut(), bytes, ProtFlags::READ, MapFlags::SHARED, &file, 0) };
    let base = base.map_err(|errno| failed(errno.into()))?;
    // SAFETY: the mapping has `bytes` bytes, and nothing writes to the file while the log is closed.
    let mapped = unsafe { std::slice::from_raw_parts(base.cast::<u8>(), bytes) };
    std::hint::black_box(crc32c::crc32c(mapped));
    // SAFETY: the slice is not used after this.
    unsafe { munmap(base, bytes) }.map_err(|errno| failed(errno.into()))
}

impl Session for Recovering {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        self.recovery.prepare(times.min(1 << 16) as usize);
        for _ in 0..times {
            self.one()?;
        }
        self.recovery.flush();
        self.raw_scan.flush();
        let bytes: u64 = self.victim.files.iter().map(|(_, bytes)| bytes).sum();
        Ok(Outcome { operations: times, bytes: times * bytes, checksum: self.payloads.digest() ^ self.victim.records })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let opened = Log::open(self.victim.config.clone());
        self.compare(&opened)?;
        let mut checks = vec![Check::that("expected-result", true, format!("{:?}", self.expected))];
        if let (Ok(log), Expected::Open { records, .. }) = (&opened, self.expected) {
            let (mut found, mut altered) = (0, 0);
            let mut read_back = ReadBack::of_newest(records, records);
            for record in log.snapshot().iter(0).map_err(unread)? {
                let record = record.map_err(unread)?;
                found += 1;
                altered += u64::from(record.payload.first_chunk() != Some(&record.sequence.to_le_bytes()));
                if self.victim.hurt.is_none() {
                    read_back.take(&self.payloads, record.payload);
                }
            }
            checks.push(Check::equal("every-record-is-readable", &(records, 0), &(found, altered)));
            if self.victim.hurt.is_none() {
                checks.extend(read_back.checks(&self.payloads, records));
            }
        }
        drop(opened);
        self.victim.restore(self.payloads.bytes())?;
        Ok(checks)
    }
}
