//! Two rings in shared memory. A side waits by spinning, or by spinning briefly and then sleeping.

use super::line::Line;
use super::{Fault, Link, Setup, Transport};
use crate::Placement;
use bench_model::ModuleError;
use ring_peer::{SPIN_ROUNDS, Watch};
use rustix::fd::{AsRawFd, RawFd};
use shm_ring::{Consumer, Integrity, Producer, PushError, Ring, Wait, Waking};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Spins before a side with a CPU of its own sleeps: some microseconds, less than the cost of a sleep.
const PARK_ROUNDS: u32 = 100;
/// How long a side sleeps before it checks whether the other process is alive.
const PARK_TIMEOUT: Duration = super::LOOK_AFTER;

/// A ring holds at least four messages, and is small enough to stay in a cache.
const CAPACITY_MIN: usize = 16 << 10;
const MESSAGES_MIN: usize = 4;

/// How sides wait.
pub(crate) trait Mode {
    const WAKING: Waking;

    fn wait(placement: Placement) -> Wait;
}

pub(crate) struct Spin;
pub(crate) struct Park;

impl Mode for Spin {
    const WAKING: Waking = Waking::Never;

    fn wait(_: Placement) -> Wait {
        Wait::Spin { rounds: SPIN_ROUNDS }
    }
}

impl Mode for Park {
    const WAKING: Waking = Waking::Futex;

    fn wait(placement: Placement) -> Wait {
        // On one CPU the other side cannot publish while this one spins.
        let rounds = if placement == Placement::Same { 0 } else { PARK_ROUNDS };
        Wait::Park { rounds, timeout: PARK_TIMEOUT }
    }
}

pub(crate) struct Rings<M> {
    to_peer: Ring,
    from_peer: Ring,
    line: Arc<Line>,
    wait: Wait,
    mode: PhantomData<M>,
}

pub(crate) struct Side<M> {
    producer: Producer,
    consumer: Consumer,
    line: Arc<Line>,
    wait: Wait,
    watch: Watch,
    fds: [RawFd; 2],
    mode: PhantomData<M>,
}

impl<M: Mode + 'static> Link for Rings<M> {
    type Side = Side<M>;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let capacity = (setup.message_max * MESSAGES_MIN + 1).next_power_of_two().max(CAPACITY_MIN);
        let ring = || {
            Ring::create_with(capacity, Integrity::None, M::WAKING)
                .map_err(|error| ModuleError::Other(format!("cannot create the ring: {error}")))
        };
        let (to_peer, from_peer) = (ring()?, ring()?);
        Ok(Self { to_peer, from_peer, line: Line::new()?, wait: M::wait(setup.placement), mode: PhantomData })
    }

    fn parent(self, watch: Watch) -> Result<Side<M>, Fault> {
        Side::new(&self.to_peer, &self.from_peer, self.line, self.wait, watch)
    }

    fn peer(self) -> Result<Side<M>, Fault> {
        Side::new(&self.from_peer, &self.to_peer, self.line, self.wait, Watch::on_parent())
    }
}

impl<M: Mode> Side<M> {
    fn new(output: &Ring, input: &Ring, line: Arc<Line>, wait: Wait, watch: Watch) -> Result<Self, Fault> {
        let taken = |_| Fault::Protocol("an end of the ring was taken before");
        let fds = [output.fd().as_raw_fd(), input.fd().as_raw_fd()];
        let (producer, consumer) = (output.producer().map_err(taken)?, input.consumer().map_err(taken)?);
        Ok(Self { producer, consumer, line, wait, watch, fds, mode: PhantomData })
    }
}

impl<M: Mode> Transport for Side<M> {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        loop {
            match self.producer.push_waiting(message, self.wait) {
                Ok(()) => return Ok(()),
                Err(PushError::TooLarge) => return Err(Fault::Protocol("a message does not fit in the ring")),
                Err(PushError::Full) if self.watch.is_gone() => return Err(Fault::Closed),
                Err(PushError::Full) => {}
            }
        }
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        while !self.consumer.wait(self.wait) {
            if self.watch.is_gone() {
                return Err(Fault::Closed);
            }
        }
        let read = |message: &[u8]| (message.len() == len).then(|| read(message));
        match self.consumer.pop(read) {
            Ok(Some(Some(result))) => Ok(result),
            Ok(Some(None)) => Err(Fault::Protocol("received a message of unexpected length")),
            Ok(None) => Err(Fault::Protocol("a message disappeared from the ring")),
            Err(_) => Err(Fault::Protocol("the ring is damaged")),
        }
    }

    /// The raw loop passes one cache line back and forth.
    fn bare(&mut self, rounds: u64, _: usize, leads: bool) -> Result<(), Fault> {
        self.line.exchange(rounds, leads, &self.watch)
    }

    fn fds(&self) -> Vec<RawFd> {
        self.fds.to_vec()
    }
}
