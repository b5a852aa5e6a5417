//! `message-conversion`: converts a broker's message to an entry and back.

use bench_model::{Arguments, Check, MachineLimit, ModuleError, Outcome, Scenario, Session, Unit};
use std::hint::black_box;
use wal_load::self_timed::{Bench, Meter, Stopwatch};
use wal_load::{Payloads, scenario as shared};
use wal_log::{Message, StreamId};

const NAME: &str = "message-conversion";

pub(crate) fn scenario() -> Scenario {
    let clock = "from a message with a key, two headers and a timestamp to its entry and back to a message";
    Scenario::new(NAME, shared::FAMILY, "one message converted to an entry and back")
        .times_itself(Unit::Nanoseconds, clock)
        .limit(MachineLimit::Clock)
        .parameter(shared::payload_bytes().sweep([shared::PAYLOADS[0], shared::PAYLOADS[1]]))
}

struct Conversion {
    payloads: Payloads,
    buffer: Vec<u8>,
    meter: Meter,
    failed: u64,
}

/// Conversions after which samples go to the host.
const CHUNK: u64 = 1 << 18;

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let payloads = Payloads::new(shared::count(arguments, "payload_bytes")?, 1)?;
    Ok(Box::new(Conversion { payloads, buffer: Vec::new(), meter: Meter::open(bench, NAME, &[])?, failed: 0 }))
}

fn message<'a>(payload: &'a [u8], key: &'a [u8], timestamp_ns: i64) -> Message<'a> {
    let headers = vec![("content-type", &b"application/json"[..]), ("trace", &b"4bf92f3577b34da6"[..])];
    Message { key: Some(key), headers, timestamp_ns, payload }
}

const BEGIN_NS: i64 = 1_700_000_000_000_000_000;

impl Session for Conversion {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.meter.prepare(chunk as usize);
            for number in 0..chunk {
                let payload = self.payloads.advance();
                let message = message(payload, b"customer-1234", BEGIN_NS + number as i64);
                let watch = Stopwatch::start();
                let entry = black_box(&message).to_entry(StreamId(1), &mut self.buffer);
                let decoded = black_box(Message::decode(black_box(entry.payload)));
                self.meter.record(watch.ns());
                self.failed += u64::from(decoded.as_ref() != Ok(&message));
            }
            self.meter.flush();
            left -= chunk;
        }
        let bytes = times * self.payloads.bytes() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![
            Check::equal("messages-that-came-back-changed", &0, &self.failed),
            Check::that("something-was-converted", self.payloads.count() > 0, format!("{}", self.payloads.count())),
        ])
    }
}
