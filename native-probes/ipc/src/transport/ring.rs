//! Two rings in shared memory, waited for by spinning or by spinning shortly and then sleeping. It must not know how a ring
//! works.

use super::{Fault, Link, Setup, Transport};
use crate::Placement;
use crate::peer::Watch;
use bench_model::ModuleError;
use rustix::fd::{AsRawFd, RawFd};
use shm_ring::{Consumer, Integrity, Producer, PushError, Ring, Wait, Waking};
use std::time::Duration;

/// Rounds between two looks whether the other process is there: some tens of milliseconds.
const SPIN_ROUNDS: u32 = 1 << 20;
/// Rounds before a side sleeps, where it has a CPU of its own: some microseconds, which is less than a sleep costs.
const PARK_ROUNDS: u32 = 100;
/// How long a side sleeps before it looks whether the other process is there.
const PARK_TIMEOUT: Duration = super::LOOK_AFTER;

/// A ring holds four messages and more, and is small enough to stay in a cache.
const CAPACITY_MIN: usize = 16 << 10;
const MESSAGES_MIN: usize = 4;

pub(crate) struct Rings<const PARK: bool> {
    to_peer: Ring,
    from_peer: Ring,
    wait: Wait,
}

pub(crate) struct Side {
    producer: Producer,
    consumer: Consumer,
    wait: Wait,
    watch: Watch,
    fds: [RawFd; 2],
}

impl<const PARK: bool> Link for Rings<PARK> {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let capacity = (setup.payload_bytes * MESSAGES_MIN + 1).next_power_of_two().max(CAPACITY_MIN);
        let (waking, wait) = if PARK {
            // On one CPU the other side cannot publish while this one spins.
            let rounds = if setup.placement == Placement::Same { 0 } else { PARK_ROUNDS };
            (Waking::Futex, Wait::Park { rounds, timeout: PARK_TIMEOUT })
        } else {
            (Waking::Never, Wait::Spin { rounds: SPIN_ROUNDS })
        };
        let ring = || {
            Ring::create_with(capacity, Integrity::None, waking)
                .map_err(|error| ModuleError::Other(format!("the ring was not made: {error}")))
        };
        Ok(Self { to_peer: ring()?, from_peer: ring()?, wait })
    }

    fn parent(self, watch: Watch) -> Result<Side, Fault> {
        Side::new(&self.to_peer, &self.from_peer, self.wait, watch)
    }

    fn peer(self) -> Result<Side, Fault> {
        Side::new(&self.from_peer, &self.to_peer, self.wait, Watch::on_parent())
    }
}

impl Side {
    fn new(output: &Ring, input: &Ring, wait: Wait, watch: Watch) -> Result<Self, Fault> {
        let taken = |_| Fault::Protocol("an end of a ring cannot be had");
        let fds = [output.fd().as_raw_fd(), input.fd().as_raw_fd()];
        let (producer, consumer) = (output.producer().map_err(taken)?, input.consumer().map_err(taken)?);
        Ok(Self { producer, consumer, wait, watch, fds })
    }
}

impl Transport for Side {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        loop {
            match self.producer.push_waiting(message, self.wait) {
                Ok(()) => return Ok(()),
                Err(PushError::TooLarge) => return Err(Fault::Protocol("a message is larger than the ring takes")),
                Err(PushError::Full) if self.watch.is_gone() => return Err(Fault::Closed),
                Err(PushError::Full) => {}
            }
        }
    }

    #[inline]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        while !self.consumer.wait(self.wait) {
            if self.watch.is_gone() {
                return Err(Fault::Closed);
            }
        }
        let read = |message: &[u8]| (message.len() == len).then(|| read(message));
        match self.consumer.pop(read) {
            Ok(Some(Some(result))) => Ok(result),
            Ok(Some(None)) => Err(Fault::Protocol("a message of another length arrived")),
            Ok(None) => Err(Fault::Protocol("a message was there and is gone")),
            Err(_) => Err(Fault::Protocol("the ring is damaged")),
        }
    }

    fn fds(&self) -> Vec<RawFd> {
        self.fds.to_vec()
    }
}
