//! `read`: reads entries from the mapped log sequentially, at random, or as ranges.

use crate::journal::entry;
use crate::options::{Options, failed, unread};
use bench_model::{Arguments, Check, MachineLimit, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use wal_load::self_timed::{Bench, Folder, Meter, Stopwatch};
use wal_load::{Payloads, scenario as shared};
use wal_log::{Log, Record, Retention, Snapshot};

const NAME: &str = "read";

/// Entries of one range.
const RANGE: u64 = 100;

#[derive(Clone, Copy, Debug)]
enum Pattern {
    Sequential,
    Random,
    Range,
}

const PATTERNS: [(&str, Pattern); 3] =
    [("sequential", Pattern::Sequential), ("random", Pattern::Random), ("range", Pattern::Range)];

pub(crate) fn scenario() -> Scenario {
    let clock = "from the call of read until the entry in the mapped file is verified against its checksum; a range is 100 entries";
    shared::self_timed(
        NAME,
        Unit::Nanoseconds,
        clock,
        "one entry read, the next or a random one, or a range of 100 entries",
    )
    .limit(MachineLimit::Clock)
    .parameter(shared::payload_bytes())
    .parameter(
        Parameter::new(
            "pattern",
            PATTERNS[1].0,
            "order of reads: the next entry, a random one, or a range of 100 from a random one",
        )
        .sweep(PATTERNS.map(|(name, _)| name))
        .choices(PATTERNS.map(|(name, _)| name)),
    )
    .parameter(
        Parameter::new("log_bytes", 256 << 20, "payload bytes of the log, which is in the page cache")
            .unit(Unit::Bytes)
            .between(1 << 20, 4_i64 << 30),
    )
}

struct Reading {
    // Fields are dropped in order: the snapshot before the log, and the log before its folder.
    snapshot: Snapshot,
    _log: Log,
    pattern: Pattern,
    payloads: Payloads,
    entries: u64,
    next: u64,
    random: ChaCha8Rng,
    /// Entries that were read, and how many of them were wrong.
    read: u64,
    wrong: u64,
    meter: Meter,
    _folder: Folder,
}

/// Reads after which samples go to the host.
const CHUNK: u64 = 1 << 18;

/// Entries whose content is compared in a verification.
const COMPARED: u64 = 1_000;

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let mut options = Options::read(arguments)?;
    options.config.retention = Retention::All;
    let payload_bytes = shared::count(arguments, "payload_bytes")?;
    let entries = (arguments.size("log_bytes")? / payload_bytes).max(RANGE as usize + 1) as u64;
    let pattern = shared::choice(arguments, "pattern", &PATTERNS)?;
    let batch = ((1 << 20) / payload_bytes).clamp(1, 1_000);
    let mut payloads = Payloads::new(payload_bytes, batch)?;
    let log = options.open()?;
    while payloads.count() < entries {
        let count = (entries - payloads.count()).min(batch as u64) as usize;
        let batch: Vec<_> = payloads.advance_batch(count).iter().map(|payload| entry(payload)).collect();
        log.append_batch(&batch).map_err(failed)?;
    }
    let session = Reading {
        snapshot: log.snapshot(),
        _log: log,
        pattern,
        payloads,
        entries,
        next: 0,
        random: ChaCha8Rng::seed_from_u64(1),
        read: 0,
        wrong: 0,
        meter: Meter::open(bench, NAME, &[])?,
        _folder: options.folder,
    };
    Ok(Box::new(session))
}

impl Reading {
    /// Counts an entry, and compares its number with its sequence number.
    #[inline]
    fn look(read: &mut u64, wrong: &mut u64, record: &Record<'_>, sequence: u64) {
        let number = record.payload.first_chunk().map_or(sequence, |bytes| u64::from_le_bytes(*bytes));
        *read += 1;
        *wrong += u64::from(record.sequence != sequence || number != sequence);
    }

    fn sequential(&mut self, times: u64) -> Result<(), ModuleError> {
        let mut left = times;
        while left > 0 {
            let range = self.next..(self.next + left).min(self.entries);
            let mut records = self.snapshot.range(range.clone()).map_err(unread)?;
            for sequence in range.clone() {
                let watch = Stopwatch::start();
                let record = records.next();
                self.meter.record(watch.ns());
                let Some(record) = record else {
                    return Err(ModuleError::Other(format!("the iterator ended before entry {sequence}")));
                };
                Self::look(&mut self.read, &mut self.wrong, &record.map_err(unread)?, sequence);
            }
            left -= range.end - range.start;
            self.next = if range.end == self.entries { 0 } else { range.end };
        }
        Ok(())
    }

    fn random(&mut self, times: u64) -> Result<(), ModuleError> {
        for _ in 0..times {
            let sequence = self.random.random_range(0..self.entries);
            let watch = Stopwatch::start();
            let record = self.snapshot.read(sequence);
            self.meter.record(watch.ns());
            Self::look(&mut self.read, &mut self.wrong, &record.map_err(unread)?, sequence);
        }
        Ok(())
    }

    fn ranges(&mut self, times: u64) -> Result<(), ModuleError> {
        for _ in 0..times {
            let from = self.random.random_range(0..self.entries - RANGE);
            let (mut read, mut wrong) = (0, 0);
            let watch = Stopwatch::start();
            let records = self.snapshot.range(from..from + RANGE).map_err(unread)?;
            for (record, sequence) in records.zip(from..) {
                Self::look(&mut read, &mut wrong, &record.map_err(unread)?, sequence);
            }
            self.meter.record(watch.ns());
            self.read += read;
            self.wrong += wrong + (RANGE - read);
        }
        Ok(())
    }
}

impl Session for Reading {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.meter.prepare(chunk as usize);
            match self.pattern {
                Pattern::Sequential => self.sequential(chunk)?,
                Pattern::Random => self.random(chunk)?,
                Pattern::Range => self.ranges(chunk)?,
            }
            self.meter.flush();
            left -= chunk;
        }
        let entries = if matches!(self.pattern, Pattern::Range) { RANGE } else { 1 };
        let bytes = times * entries * self.payloads.bytes() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut altered = 0;
        let step = (self.entries / COMPARED).max(1);
        for sequence in (0..self.entries).step_by(step as usize) {
            let record = self.snapshot.read(sequence).map_err(unread)?;
            altered += u64::from(record.payload != self.payloads.expected(sequence));
        }
        let was_read = self.read > 0;
        Ok(vec![
            Check::that("something-was-read", was_read, format!("{} entries", self.read)),
            Check::equal("requested-entry", &0, &self.wrong),
            Check::equal("content", &0, &altered),
            Check::equal("every-entry-there", &self.entries, &self.snapshot.next_sequence()),
        ])
    }
}
