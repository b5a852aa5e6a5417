//! One append at a time: the service time of each, and in an open loop its response time from when it was due.

use super::{ArrivalRate, Bench, Folder, Meter, RawCommits, Schedule, Stopwatch};
use crate::scenario::{self, APPEND};
use crate::{Journal, Payloads, verify};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use std::time::Instant;

/// How single appends are measured.
#[derive(Clone, Copy, Debug)]
pub struct AppendOptions {
    /// Bytes of a payload.
    pub payload_bytes: usize,
    /// When appends begin.
    pub rate: ArrivalRate,
    /// Bytes that the log writes for one append and syncs before it returns; `None` where it does not sync.
    pub synced_bytes: Option<usize>,
}

impl AppendOptions {
    /// Reads the arguments of [`scenario::append`].
    pub fn read(arguments: &Arguments, synced_bytes: Option<usize>) -> Result<Self, ModuleError> {
        let payload_bytes = scenario::count(arguments, "payload_bytes")?;
        Ok(Self { payload_bytes, rate: ArrivalRate::parse(arguments.integer("rate")?)?, synced_bytes })
    }
}

/// Appends after which samples go to the host, so that they fit in memory.
const CHUNK: u64 = 1 << 18;

struct AppendSession<J> {
    // Fields are dropped in order: the log before its folder.
    journal: J,
    payloads: Payloads,
    schedule: Option<Schedule>,
    raw: Option<RawCommits>,
    service: Meter,
    response: Option<Meter>,
    raw_commit: Option<Meter>,
    misnumbered: u64,
    _folder: Folder,
}

/// A session that appends to `journal`, whose files are in `folder`.
pub fn append<J: Journal + 'static>(
    journal: J,
    folder: Folder,
    options: AppendOptions,
    bench: impl Into<Bench>,
) -> Result<Box<dyn Session>, ModuleError> {
    let raw = options.synced_bytes.map(|bytes| RawCommits::new(folder.path(), bytes)).transpose()?;
    let schedule = match options.rate {
        ArrivalRate::Closed => None,
        ArrivalRate::Open { rate } => Some(Schedule::new(rate)),
    };
    let bench = bench.into();
    let meter = |metric: &str| Meter::open(bench, metric, &[]);
    Ok(Box::new(AppendSession {
        payloads: Payloads::new(options.payload_bytes, 1)?,
        service: meter(APPEND)?,
        response: schedule.is_some().then(|| meter("response")).transpose()?,
        raw_commit: raw.is_some().then(|| meter("raw_commit")).transpose()?,
        misnumbered: 0,
        journal,
        schedule,
        raw,
        _folder: folder,
    }))
}

impl<J: Journal> AppendSession<J> {
    /// A closed loop: each append begins when the one before has returned.
    fn closed(&mut self, times: u64) -> Result<(), ModuleError> {
        for _ in 0..times {
            if let (Some(raw), Some(meter)) = (&mut self.raw, &mut self.raw_commit) {
                let watch = Stopwatch::start();
                raw.commit()?;
                meter.record(watch.ns());
            }
            let expected = self.payloads.count();
            let payload = self.payloads.advance();
            let watch = Stopwatch::start();
            let sequence = self.journal.append(payload)?;
            self.service.record(watch.ns());
            self.misnumbered += u64::from(sequence != expected);
        }
        Ok(())
    }

    /// An open loop: each append is due at its time, whether or not the one before has returned.
    fn open(&mut self, times: u64) -> Result<(), ModuleError> {
        let (Some(schedule), Some(response)) = (&mut self.schedule, &mut self.response) else { return Ok(()) };
        schedule.begin();
        for _ in 0..times {
            let expected = self.payloads.count();
            let payload = self.payloads.advance();
            let intended = schedule.wait();
            let start = Instant::now();
            let sequence = self.journal.append(payload)?;
            let end = Instant::now();
            self.misnumbered += u64::from(sequence != expected);
            self.service.record((end - start).as_nanos() as u64);
            response.record((end - intended).as_nanos() as u64);
        }
        schedule.end();
        Ok(())
    }
}

impl<J: Journal> Session for AppendSession<J> {
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
            meters.into_iter().flatten().for_each(Meter::flush);
            left -= chunk;
        }
        Ok(Outcome { operations: times, bytes: times * self.payloads.bytes() as u64, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut checks = verify(&mut self.journal, &self.payloads, self.misnumbered)?;
        checks.extend(self.schedule.iter_mut().flat_map(Schedule::checks));
        Ok(checks)
    }
}
