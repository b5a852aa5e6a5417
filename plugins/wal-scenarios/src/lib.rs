//! What a log is driven with in a plug-in: three scenarios over any log, each with its content checked. It must not know
//! where a log keeps what is appended, nor on which side of a boundary.

mod append;
mod batch;
#[cfg(test)]
mod faulty;
mod look_back;
mod payload;
mod read;

use append::Append;
use batch::Batch;
use bench_plugin::prelude::*;
use read::Read;
use std::ops::Range;

/// A log under test. Its first payload has sequence 0.
pub trait Journal {
    /// Appends one payload; its sequence.
    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError>;

    /// Appends payloads in order, durable together; their sequences.
    fn append_batch(&mut self, payloads: &[Vec<u8>]) -> Result<Range<u64>, ModuleError>;

    /// Hands the payload of a sequence to `read`.
    fn read(&mut self, sequence: u64, read: impl FnOnce(&[u8])) -> Result<(), ModuleError>;

    /// What can be read, once as much was forgotten as a reader who comes later would not know. Not timed.
    fn readable(&mut self) -> Result<Range<u64>, ModuleError>;
}

/// Bytes of a payload: a control message, an application's message, bulk data.
const PAYLOADS: [i64; 3] = [64, 1024, 65_536];

/// Payloads of a batch.
const BATCHES: [i64; 5] = [1, 10, 100, 1_000, 10_000];

/// Bytes of the largest batch. A component hands over 64 MiB in one call at most, and a log keeps no less.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// What a module's log can be opened with, beside what every log has.
#[derive(Debug)]
pub struct Offer {
    /// What an append promises; the first is the default.
    pub durabilities: &'static [&'static str],
    /// Further parameters.
    pub parameters: Vec<Parameter>,
}

/// The scenarios of a log, described.
pub fn describe(descriptor: Descriptor, offer: &Offer) -> Descriptor {
    let append = "One payload appended to the log, as durable as the log was opened for; read back afterwards.";
    let batch = "One batch of payloads appended to the log, durable together; read back afterwards.";
    let read = "One payload read at random out of the log, whose last two segments are full.";
    let number = Parameter::new("batch", BATCHES[0], "payloads of one batch").sweep(BATCHES).choices(BATCHES);
    descriptor
        .scenario(
            scenario("append", append, offer)
                .limit(MachineLimit::MemoryCopy)
                .parameter(payload_bytes().sweep(PAYLOADS)),
        )
        .scenario(
            scenario("append_batch", batch, offer)
                .limit(MachineLimit::MemoryCopy)
                .parameter(payload_bytes())
                .parameter(number),
        )
        .scenario(
            scenario("read", read, offer).limit(MachineLimit::MemoryRead).parameter(payload_bytes().sweep(PAYLOADS)),
        )
}

fn scenario(name: &str, summary: &str, offer: &Offer) -> Scenario {
    let segments = Parameter::new("segment_bytes", 16 << 20, "bytes of a segment, of which the last ones are kept");
    let durability =
        Parameter::new("durability", offer.durabilities[0], "what an append that returned has been promised");
    let scenario = Scenario::new(name, "wal", summary)
        .requires("scratch:directory", "the log's files")
        .parameter(Parameter::new("directory", "@temp", "the folder in which the log gets one of its own"))
        .parameter(durability.choices(offer.durabilities.iter().copied()))
        .parameter(segments.unit(Unit::Bytes).between(64 << 10, 64 << 20));
    offer.parameters.iter().cloned().fold(scenario, Scenario::parameter)
}

fn payload_bytes() -> Parameter {
    Parameter::new("payload_bytes", PAYLOADS[0], "bytes of one payload").unit(Unit::Bytes).between(16, PAYLOADS[2])
}

/// A session of `scenario` over the log that `open` opens, which is new and empty.
pub fn open<J: Journal + 'static>(
    scenario: &str,
    arguments: &Arguments,
    open: impl FnOnce() -> Result<J, ModuleError>,
) -> Result<Box<dyn Session>, ModuleError> {
    let payload_bytes = arguments.size("payload_bytes")?;
    match scenario {
        "append" => Ok(Box::new(Append::new(open()?, payload_bytes))),
        "append_batch" => {
            let payloads = arguments.size("batch")?;
            if payloads.saturating_mul(payload_bytes) > BATCH_BYTES_MAX {
                let reason = format!("{payloads} payloads of {payload_bytes} bytes");
                return Err(ModuleError::Unavailable(format!(
                    "a batch of {reason} is larger than {BATCH_BYTES_MAX} bytes, the most that one call hands over"
                )));
            }
            Ok(Box::new(Batch::new(open()?, payload_bytes, payloads)))
        }
        "read" => Ok(Box::new(Read::new(open()?, payload_bytes, arguments.size("segment_bytes")?)?)),
        other => Err(ModuleError::UnknownScenario(other.to_owned())),
    }
}
