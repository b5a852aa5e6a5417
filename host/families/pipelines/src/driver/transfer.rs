//! One transfer: a source on a thread of its own, alone or with a destination on another. Of two sides that fail, the one that
//! failed by itself is told, not the one that was cut off by it.

use super::channel::{self, Calls, Drain, Meter};
use super::compression::Compression;
use super::side::{self, Side, Which};
use crate::connectors::{Connector, Emit, Next};
use bench_engine::{Clock, MonotonicClock};
use bench_model::{Arguments, ModuleError};
use std::thread;

/// A connector and what it is called with.
pub(super) struct Endpoint<'a> {
    /// `module/scenario`, for errors.
    pub(super) name: &'a str,
    pub(super) connector: &'a mut dyn Connector,
    pub(super) arguments: &'a Arguments,
}

/// How batches get from one side to the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelOptions {
    pub(super) inflight_max: usize,
    pub(super) compression: Compression,
}

/// What a transfer came to.
#[derive(Clone, Debug)]
pub(super) struct Transferred {
    /// From before either side was started to after both had ended, in nanoseconds.
    pub(super) wall_ns: u64,
    /// Attempts before this one that failed.
    pub(super) retries: u32,
    pub(super) source: Side,
    pub(super) destination: Option<Side>,
}

/// The source alone; its batches go nowhere.
pub(super) fn drained(source: &mut Endpoint<'_>) -> Result<Transferred, ModuleError> {
    let clock = MonotonicClock::new();
    let drain = Drain::default();
    let meter = drain.meter();
    let begin = clock.now_ns();
    let ended = thread::scope(|scope| {
        let side = scope.spawn(|| run_source(source, &meter, Box::new(drain)));
        joined(side.join())
    });
    let wall_ns = clock.now_ns() - begin;
    let source = ended.map_err(|error| prefix_error(error, source.name))?;
    Ok(Transferred { wall_ns, retries: 0, source, destination: None })
}

/// Both sides, each on a thread of its own.
pub(super) fn piped(
    source: &mut Endpoint<'_>,
    destination: &mut Endpoint<'_>,
    between: ChannelOptions,
) -> Result<Transferred, ModuleError> {
    let clock = MonotonicClock::new();
    let (entry, confirmation, exit) = channel::channel(between.inflight_max, between.compression)?;
    let (into, out) = (entry.meter(), exit.meter());
    let begin = clock.now_ns();
    let (read, written) = thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let side = run_source(source, &into, Box::new(entry))?;
            confirmation.confirm();
            Ok(side)
        });
        let writing = scope.spawn(|| run_destination(destination, &out, Box::new(exit)));
        (joined(reading.join()), joined(writing.join()))
    });
    let wall_ns = clock.now_ns() - begin;
    match (read, written) {
        (Ok(source), Ok(side)) => Ok(Transferred { wall_ns, retries: 0, source, destination: Some(side) }),
        (read, written) => Err(choose_error(
            read.err().zip(Some((source.name, into.read()))),
            written.err().zip(Some((destination.name, out.read()))),
        )),
    }
}

fn run_source(party: &mut Endpoint<'_>, meter: &Meter, batches: Box<dyn Emit>) -> Result<Side, ModuleError> {
    let arguments = party.arguments;
    side::run(Which::Source, party.connector, meter, |instance| instance.read(arguments, batches))
}

fn run_destination(party: &mut Endpoint<'_>, meter: &Meter, batches: Box<dyn Next>) -> Result<Side, ModuleError> {
    let arguments = party.arguments;
    side::run(Which::Destination, party.connector, meter, |instance| instance.write(arguments, batches))
}

/// What a side's thread came to; a panic is the connector's.
fn joined(ended: thread::Result<Result<Side, ModuleError>>) -> Result<Side, ModuleError> {
    ended.unwrap_or_else(|_| Err(ModuleError::Crashed("it panicked".to_owned())))
}

/// A side's error, its name, and what the host saw of its calls.
type Failure<'a> = (ModuleError, (&'a str, Calls));

/// The error to tell: that of the side which was not cut off by the other.
fn choose_error(source: Option<Failure<'_>>, destination: Option<Failure<'_>>) -> ModuleError {
    let was_cut = |failure: &Failure<'_>| failure.1.1.was_cut;
    let (first, second) = match (source, destination) {
        (Some(source), Some(destination)) if was_cut(&source) && !was_cut(&destination) => (destination, Some(source)),
        (Some(source), destination) => (source, destination),
        (None, Some(destination)) => (destination, None),
        (None, None) => return ModuleError::Other("neither side has failed".to_owned()),
    };
    // Both may have failed by themselves, as when the server dies.
    let beside = second.filter(|second| !was_cut(second)).map(|(error, (name, _))| format!("; {name}: {error}"));
    let error = prefix_error(first.0, first.1.0);
    match (error, beside) {
        (ModuleError::Other(text), Some(beside)) => ModuleError::Other(text + &beside),
        (error, _) => error,
    }
}

/// The error with the name of the side that it is of.
fn prefix_error(error: ModuleError, name: &str) -> ModuleError {
    let with = |text: String| format!("{name}: {text}");
    match error {
        ModuleError::UnknownScenario(text) => ModuleError::UnknownScenario(with(text)),
        ModuleError::InvalidArgument(text) => ModuleError::InvalidArgument(with(text)),
        ModuleError::CapabilityDenied(text) => ModuleError::CapabilityDenied(with(text)),
        ModuleError::Unavailable(text) => ModuleError::Unavailable(with(text)),
        ModuleError::Crashed(text) => ModuleError::Crashed(with(text)),
        ModuleError::Other(text) => ModuleError::Other(with(text)),
    }
}
