//! One transfer: a source on a thread of its own, alone or with a destination on another, and a transform between them on a third. If
//! several sides fail, the error is that of the side that failed by itself, not of those that it cut off.

use super::channel::{self, Drain, Meter};
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

/// The result of a transfer.
#[derive(Clone, Debug)]
pub(super) struct Transferred {
    /// From before either side was started to after both had ended, in nanoseconds.
    pub(super) wall_ns: u64,
    /// Attempts before this one that failed.
    pub(super) retries: u32,
    pub(super) source: Side,
    pub(super) transform: Option<Side>,
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
    Ok(Transferred { wall_ns, retries: 0, source, transform: None, destination: None })
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
        (Ok(source), Ok(side)) => {
            Ok(Transferred { wall_ns, retries: 0, source, transform: None, destination: Some(side) })
        }
        (read, written) => Err(choose_error(vec![
            read.err().zip(Some((source.name, into.read().was_cut))),
            written.err().zip(Some((destination.name, out.read().was_cut))),
        ])),
    }
}

/// Both sides and a transform between them, each on a thread of its own. Batches wait in two channels.
pub(super) fn transformed(
    source: &mut Endpoint<'_>,
    transform: &mut Endpoint<'_>,
    destination: &mut Endpoint<'_>,
    between: ChannelOptions,
) -> Result<Transferred, ModuleError> {
    let clock = MonotonicClock::new();
    let (entry, of_source, first) = channel::channel(between.inflight_max, between.compression)?;
    let (second, of_transform, exit) = channel::channel(between.inflight_max, between.compression)?;
    let (into, taken, given, out) = (entry.meter(), first.meter(), second.meter(), exit.meter());
    let begin = clock.now_ns();
    let (read, changed, written) = thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let side = run_source(source, &into, Box::new(entry))?;
            of_source.confirm();
            Ok(side)
        });
        let changing = scope.spawn(|| {
            let side = run_transform(transform, &taken, Box::new(first), &given, Box::new(second))?;
            of_transform.confirm();
            Ok(side)
        });
        let writing = scope.spawn(|| run_destination(destination, &out, Box::new(exit)));
        (joined(reading.join()), joined(changing.join()), joined(writing.join()))
    });
    let wall_ns = clock.now_ns() - begin;
    match (read, changed, written) {
        (Ok(source), Ok(changed), Ok(side)) => {
            Ok(Transferred { wall_ns, retries: 0, source, transform: Some(changed), destination: Some(side) })
        }
        (read, changed, written) => Err(choose_error(vec![
            read.err().zip(Some((source.name, into.read().was_cut))),
            changed.err().zip(Some((transform.name, taken.read().was_cut || given.read().was_cut))),
            written.err().zip(Some((destination.name, out.read().was_cut))),
        ])),
    }
}

fn run_source(party: &mut Endpoint<'_>, meter: &Meter, batches: Box<dyn Emit>) -> Result<Side, ModuleError> {
    let arguments = party.arguments;
    side::run(Which::Source, party.connector, meter, |instance| instance.read(arguments, batches))
}

/// Takes batches `from` one channel, whose meter is `taken`, and gives them `into` another.
fn run_transform(
    party: &mut Endpoint<'_>,
    taken: &Meter,
    from: Box<dyn Next>,
    given: &Meter,
    into: Box<dyn Emit>,
) -> Result<Side, ModuleError> {
    let arguments = party.arguments;
    let mut side =
        side::run(Which::Transform, party.connector, given, |instance| instance.change(arguments, from, into))?;
    side.received = Some(taken.read());
    Ok(side)
}

fn run_destination(party: &mut Endpoint<'_>, meter: &Meter, batches: Box<dyn Next>) -> Result<Side, ModuleError> {
    let arguments = party.arguments;
    side::run(Which::Destination, party.connector, meter, |instance| instance.write(arguments, batches))
}

/// The result of a side's thread; a panic is an error of the connector.
fn joined(ended: thread::Result<Result<Side, ModuleError>>) -> Result<Side, ModuleError> {
    ended.unwrap_or_else(|_| Err(ModuleError::Crashed("it panicked".to_owned())))
}

/// A side's error, its name, and whether it was cut off by another side.
type Failure<'a> = (ModuleError, (&'a str, bool));

/// The error to tell: that of the first side which was not cut off by another.
fn choose_error(sides: Vec<Option<Failure<'_>>>) -> ModuleError {
    let mut failures: Vec<_> = sides.into_iter().flatten().collect();
    let was_cut = |failure: &Failure<'_>| failure.1.1;
    if failures.is_empty() {
        return ModuleError::Other("no side has failed".to_owned());
    }
    let chosen = failures.iter().position(|failure| !was_cut(failure)).unwrap_or_default();
    let (error, (name, _)) = failures.remove(chosen);
    // Several may have failed by themselves, as when the server dies.
    let others = failures.iter().filter(|failure| !was_cut(failure));
    let others: String = others.map(|(error, (name, _))| format!("; {name}: {error}")).collect();
    match prefix_error(error, name) {
        ModuleError::Other(text) => ModuleError::Other(text + &others),
        error => error,
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
