//! One append at a time: how long each takes, and how long after its intended start it returned.

use crate::{Bench, Folder, Journal, Meter, Pace, Payloads, RawCommits, ReadBack, Schedule, Stopwatch};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use std::time::Instant;

/// How a log is measured one append at a time.
#[derive(Clone, Copy, Debug)]
pub struct LatencyOptions {
    /// Bytes of a payload.
    pub payload_bytes: usize,
    /// When appends begin.
    pub pace: Pace,
    /// Bytes that the log writes for one append and syncs before it returns; `None` where it does not sync.
    pub synced_bytes: Option<usize>,
}

impl LatencyOptions {
    /// Reads the arguments of [`crate::scenario::single_write_latency`].
    pub fn read(arguments: &Arguments, synced_bytes: Option<usize>) -> Result<Self, ModuleError> {
        let payload_bytes = crate::scenario::count(arguments, "payload_bytes")?;
        Ok(Self { payload_bytes, pace: Pace::of_rate(arguments.integer("rate")?)?, synced_bytes })
    }
}

/// Appends between two transfers of samples to the host, so that samples fit into memory.
const CHUNK: u64 = 1 << 18;

/// Payloads that are read back for `verify`.
const READ_BACK_MAX: u64 = 10_000;

struct WriteLatency<J> {
    // Dropped in order: the log before its folder.
    journal: J,
    payloads: Payloads,
    schedule: Option<Schedule>,
    raw: Option<RawCommits>,
    service: Meter,
    response: Option<Meter>,
    raw_commit: Option<Meter>,
    bytes_each: u64,
    _folder: Folder,
}

/// A session that appends to `journal`, whose files are in `folder`.
pub fn write_latency<J: Journal + 'static>(
    journal: J,
    folder: Folder,
    options: LatencyOptions,
    bench: impl Into<Bench>,
) -> Result<Box<dyn Session>, ModuleError> {
    let raw = options.synced_bytes.map(|bytes| RawCommits::new(folder.path(), bytes)).transpose()?;
    let schedule = match options.pace {
        Pace::Closed => None,
        Pace::Open { rate } => Some(Schedule::new(rate)),
    };
    let bench = bench.into();
    let meter = |metric: &str| Meter::open(bench, metric, &[]);
    Ok(Box::new(WriteLatency {
        payloads: Payloads::new(options.payload_bytes, 1)?,
        service: meter("single_write_latency")?,
        response: schedule.is_some().then(|| meter("response")).transpose()?,
        raw_commit: raw.is_some().then(|| meter("raw_commit")).transpose()?,
        bytes_each: options.payload_bytes as u64,
        journal,
        schedule,
        raw,
        _folder: folder,
    }))
}

impl<J: Journal> WriteLatency<J> {
    /// Appends one after the other; the next one starts when the previous one has returned.
    fn closed(&mut self, times: u64) -> Result<(), ModuleError> {
        for _ in 0..times {
            if let (Some(raw), Some(meter)) = (&mut self.raw, &mut self.raw_commit) {
                let watch = Stopwatch::start();
                raw.commit()?;
                meter.record(watch.ns());
            }
            let payload = self.payloads.advance();
            let watch = Stopwatch::start();
            self.journal.append(payload)?;
            self.service.record(watch.ns());
        }
        Ok(())
    }

    /// Appends at the intended times of the schedule.
    fn open(&mut self, times: u64) -> Result<(), ModuleError> {
        let (Some(schedule), Some(response)) = (&mut self.schedule, &mut self.response) else { return Ok(()) };
        schedule.begin();
        for _ in 0..times {
            let payload = self.payloads.advance();
            let intended = schedule.wait();
            let start = Instant::now();
            self.journal.append(payload)?;
            let end = Instant::now();
            self.service.record((end - start).as_nanos() as u64);
            response.record((end - intended).as_nanos() as u64);
        }
        schedule.end();
        Ok(())
    }
}

impl<J: Journal> Session for WriteLatency<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            let meters = [Some(&mut self.service), self.response.as_mut(), self.raw_commit.as_mut()];
            meters.into_iter().flatten().for_each(|meter| meter.prepare(chunk as usize));
            self.journal.make_way(chunk, self.payloads.bytes())?;
            if self.schedule.is_some() {
                self.open(chunk)?
            } else {
                self.closed(chunk)?
            }
            let meters = [Some(&mut self.service), self.response.as_mut(), self.raw_commit.as_mut()];
            meters.into_iter().flatten().for_each(Meter::hand_over);
            left -= chunk;
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes_each, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut checks = read_back(&mut self.journal, &self.payloads)?;
        checks.extend(self.schedule.as_mut().map(Schedule::check));
        Ok(checks)
    }
}

/// Reads back the newest payloads, and checks that they are those that were appended.
pub(crate) fn read_back<J: Journal>(journal: &mut J, payloads: &Payloads) -> Result<Vec<Check>, ModuleError> {
    // Fewer large payloads, so that checking them takes no longer.
    let kept = payloads.count() - journal.kept_from();
    let wanted = kept.min(READ_BACK_MAX).min((64 << 20) / payloads.bytes() as u64);
    let mut read_back = ReadBack::default();
    journal.read_last(wanted, &mut |payload| read_back.take(payloads, payload))?;
    Ok(read_back.checks(payloads, wanted))
}
