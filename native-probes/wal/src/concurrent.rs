//! `concurrent-append`: several threads append to one log, each in a closed loop.

use crate::options::{Options, failed, unread, with_log};
use crate::threads::share_out;
use bench_model::{Arguments, Check, MachineLimit, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use std::sync::Barrier;
use wal_load::self_timed::{Bench, Folder, Meter, Stopwatch};
use wal_load::{Payloads, ReadBack, scenario as shared};
use wal_log::{Entry, Log, StreamId};

const NAME: &str = "concurrent-append";

pub(crate) fn scenario() -> Scenario {
    let clock = "from the call of append to its return, in the thread that called it";
    let scenario = shared::self_timed(NAME, Unit::Nanoseconds, clock, "one payload appended by one of several threads");
    with_log(scenario.limit(MachineLimit::Clock).parameter(shared::payload_bytes()))
        .parameter(Parameter::new("threads", 8, "threads that append at the same time").sweep([1, 8]).between(1, 256))
}

struct Concurrent {
    log: Log,
    /// The payloads of each thread, which has a stream of its own.
    payloads: Vec<Payloads>,
    meter: Meter,
    _folder: Folder,
}

/// Appends of all threads after which samples go to the host.
const CHUNK: u64 = 1 << 18;

/// Records that are read back in a verification.
const READ_BACK_MAX: u64 = 20_000;

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let threads = shared::count(arguments, "threads")?;
    let payloads = Payloads::new(shared::count(arguments, "payload_bytes")?, 1)?;
    let meter = Meter::open(bench, NAME, &[])?;
    let log = options.open()?;
    Ok(Box::new(Concurrent { log, payloads: vec![payloads; threads], meter, _folder: options.folder }))
}

/// Appends `times` payloads to `stream` and returns the time of each.
fn append_all(
    log: &Log,
    stream: u32,
    payloads: &mut Payloads,
    times: u64,
    start: &Barrier,
) -> Result<Vec<u64>, ModuleError> {
    // Touched before the clock starts, so that recording a sample never causes a page fault.
    let mut samples = vec![1; times as usize];
    start.wait();
    for sample in &mut samples {
        let entry = Entry { stream: StreamId(stream), kind: 0, payload: payloads.advance() };
        let watch = Stopwatch::start();
        log.append(entry).map_err(failed)?;
        *sample = watch.ns();
    }
    Ok(samples)
}

impl Concurrent {
    fn round(&mut self, times: u64) -> Result<(), ModuleError> {
        let start = Barrier::new(self.payloads.len());
        let log = &self.log;
        let samples = share_out(&mut self.payloads, times, |index, payloads, share| {
            append_all(log, index as u32, payloads, share, &start)
        })?;
        samples.iter().flatten().for_each(|sample| self.meter.record(*sample));
        self.meter.flush();
        Ok(())
    }
}

impl Session for Concurrent {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.round(chunk)?;
            left -= chunk;
        }
        let bytes = times * self.payloads[0].bytes() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads[0].digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let appended: u64 = self.payloads.iter().map(Payloads::count).sum();
        let snapshot = self.log.snapshot();
        let wanted = appended.min(READ_BACK_MAX).min((64 << 20) / self.payloads[0].bytes() as u64);
        let from = snapshot.next_sequence() - wanted;
        let (mut counts, mut strangers) = (vec![0; self.payloads.len()], 0);
        for record in snapshot.iter(from).map_err(unread)? {
            let stream = record.map_err(unread)?.stream.0 as usize;
            *counts.get_mut(stream).unwrap_or(&mut strangers) += 1;
        }
        let newest = |(payloads, count): (&Payloads, &u64)| ReadBack::of_newest(payloads.count(), *count);
        let mut streams: Vec<_> = self.payloads.iter().zip(&counts).map(newest).collect();
        for record in snapshot.iter(from).map_err(unread)? {
            let record = record.map_err(unread)?;
            let stream = record.stream.0 as usize;
            if let Some(read_back) = streams.get_mut(stream) {
                read_back.take(&self.payloads[stream], record.payload);
            }
        }
        let found: u64 = counts.iter().sum();
        let mut checks = vec![
            Check::equal("appended-once-each", &appended, &snapshot.next_sequence()),
            Check::equal("read-back-count", &(wanted, 0), &(found, strangers)),
        ];
        for ((payloads, read_back), count) in self.payloads.iter().zip(&streams).zip(&counts) {
            // Only failed checks are added: checks of one name are merged.
            checks.extend(read_back.checks(payloads, *count).into_iter().filter(|check| !check.passed));
        }
        Ok(checks)
    }
}
