//! `replay`: replays messages to a subscriber, and delivers new messages to a subscriber that waits.

use crate::options::{Options, failed, unread};
use bench_model::{Arguments, Check, MachineLimit, Metric, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wal_load::self_timed::{Bench, Folder, Meter, elapsed_ns};
use wal_load::{Payloads, scenario as shared};
use wal_log::{Log, Message, Record, Retention, StreamId};

const NAME: &str = "replay";

pub(crate) fn scenario() -> Scenario {
    let clock = "from one delivery of a replay to the next: read, verified against its checksum, decoded and delivered";
    let delivery = "from the call that appends a message to its delivery to a subscriber in another thread";
    shared::self_timed(NAME, Unit::Nanoseconds, clock, "one message replayed from the log to a subscriber")
        .limit(MachineLimit::Clock)
        .metric(Metric::new("delivery", Unit::Nanoseconds, delivery))
        .parameter(shared::payload_bytes())
        .parameter(Parameter::new("messages", 200_000, "messages in the log").between(1_000, 10_000_000))
}

struct Streaming {
    log: Log,
    payloads: Payloads,
    messages: u64,
    replayed: u64,
    wrong: u64,
    delivered: u64,
    replay: Meter,
    delivery: Meter,
    _folder: Folder,
}

/// Messages after which samples go to the host.
const CHUNK: u64 = 1 << 18;

/// Messages that are delivered to a waiting subscriber after each round of replays.
const DELIVERIES: u64 = 200;

/// How long a subscriber waits for a message before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let mut options = Options::read(arguments)?;
    options.config.retention = Retention::All;
    let mut payloads = Payloads::new(shared::count(arguments, "payload_bytes")?, 1)?;
    let messages = shared::count(arguments, "messages")? as u64;
    let log = options.open()?;
    let mut buffer = Vec::new();
    for number in 0..messages {
        log.append(message(payloads.advance(), number).to_entry(StreamId(1), &mut buffer)).map_err(failed)?;
    }
    Ok(Box::new(Streaming {
        log,
        payloads,
        messages,
        replayed: 0,
        wrong: 0,
        delivered: 0,
        replay: Meter::open(bench, NAME, &[])?,
        delivery: Meter::open(bench, "delivery", &[])?,
        _folder: options.folder,
    }))
}

fn message(payload: &[u8], number: u64) -> Message<'_> {
    Message { key: Some(b"key"), headers: Vec::new(), timestamp_ns: number as i64, payload }
}

/// Whether the record is the message with this number, which its payload begins with too.
fn is_message(record: &Record<'_>, number: u64) -> bool {
    Message::from_record(record).is_ok_and(|message| {
        let stamped = message.payload.first_chunk().is_none_or(|bytes| u64::from_le_bytes(*bytes) == number);
        message.timestamp_ns as u64 == number && stamped
    })
}

impl Streaming {
    /// Replays the first `count` messages of the log.
    fn replay(&mut self, count: u64) -> Result<(), ModuleError> {
        let Self { log, replay, wrong, .. } = self;
        let mut next = 0;
        let mut last = Instant::now();
        let handed = log.replay(0, |record| {
            *wrong += u64::from(!is_message(&record, next));
            let now = Instant::now();
            replay.record((now - last).as_nanos() as u64);
            last = now;
            next += 1;
            next < count
        });
        self.replayed += handed.map_err(unread)?;
        Ok(())
    }

    /// Appends messages that a subscriber in another thread receives, each after the previous one has arrived.
    fn deliver(&mut self, count: u64) -> Result<(), ModuleError> {
        let from = self.log.next_sequence();
        let (begin, arrived, seen_ns) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        let (log, arrived, seen_ns) = (&self.log, &arrived, &seen_ns);
        let (mut buffer, mut samples) = (Vec::new(), Vec::with_capacity(count as usize));
        let payloads = &mut self.payloads;
        let received = thread::scope(|scope| {
            let subscriber = scope.spawn(move || -> Result<u64, ModuleError> {
                let mut subscription = log.subscribe(from).map_err(unread)?;
                let mut received = 0;
                while received < count && subscription.wait(PATIENCE) {
                    subscription
                        .drain(|record| {
                            seen_ns.store(elapsed_ns(begin), Ordering::Relaxed);
                            received += u64::from(is_message(&record, from + received));
                            arrived.store(received, Ordering::Release);
                            received < count
                        })
                        .map_err(unread)?;
                }
                Ok(received)
            });
            for number in 0..count {
                let message = message(payloads.advance(), from + number);
                let entry = message.to_entry(StreamId(1), &mut buffer);
                let start_ns = elapsed_ns(begin);
                log.append(entry).map_err(failed)?;
                while arrived.load(Ordering::Acquire) <= number && !subscriber.is_finished() {
                    std::hint::spin_loop();
                }
                samples.push(seen_ns.load(Ordering::Relaxed).saturating_sub(start_ns));
            }
            subscriber.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        self.delivered += received;
        self.wrong += count - received;
        samples.iter().take(received as usize).for_each(|sample| self.delivery.record(*sample));
        self.delivery.flush();
        Ok(())
    }
}

impl Session for Streaming {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK).min(self.messages);
            self.replay.prepare(chunk as usize);
            self.replay(chunk)?;
            self.replay.flush();
            left -= chunk;
        }
        if times > 0 {
            self.deliver(DELIVERIES)?;
        }
        let bytes = times * self.payloads.bytes() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() ^ self.messages })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![
            Check::equal("messages-wrong-or-lost", &0, &self.wrong),
            Check::equal("deliveries-in-the-log", &(self.messages + self.delivered), &self.log.next_sequence()),
            Check::that("something-was-replayed", self.replayed > 0, format!("{} messages", self.replayed)),
        ])
    }
}
