//! Two rings in shared memory. A side waits by spinning, or by spinning briefly and then sleeping.

use super::form::{Form, Input, Output};
use super::line::Line;
use super::{Fault, Link, Setup, Transport};
use crate::{Look, Placement};
use bench_model::ModuleError;
use ring_peer::{SPIN_ROUNDS, Watch};
use rustix::fd::{AsRawFd, RawFd};
use shm_ring::{Wait, Waking};
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

/// Two rings of one form.
pub(crate) struct Rings<M, F> {
    to_peer: F,
    from_peer: F,
    waits: Waits,
    mode: PhantomData<M>,
}

/// How a side waits for the other, and the line of the raw loop.
struct Waits {
    wait: Wait,
    pauses: u32,
    look: Look,
    line: Arc<Line>,
}

pub(crate) struct Side<F: Form> {
    output: F::Output,
    input: F::Input,
    waits: Waits,
    watch: Watch,
    fds: [RawFd; 2],
}

impl<M: Mode + 'static, F: Form> Link for Rings<M, F> {
    type Side = Side<F>;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let capacity = (setup.message_max * MESSAGES_MIN + 1).next_power_of_two().max(CAPACITY_MIN);
        let ring = || {
            F::create(capacity, M::WAKING)
                .map_err(|error| ModuleError::Other(format!("cannot create the ring: {error}")))
        };
        let Setup { pauses, look, .. } = *setup;
        let waits = Waits { wait: M::wait(setup.placement), pauses, look, line: Line::new()? };
        Ok(Self { to_peer: ring()?, from_peer: ring()?, waits, mode: PhantomData })
    }

    fn parent(self, watch: Watch) -> Result<Side<F>, Fault> {
        Side::new(&self.to_peer, &self.from_peer, self.waits, watch)
    }

    fn peer(self) -> Result<Side<F>, Fault> {
        Side::new(&self.from_peer, &self.to_peer, self.waits, Watch::on_parent())
    }
}

impl<F: Form> Side<F> {
    fn new(output: &F, input: &F, waits: Waits, watch: Watch) -> Result<Self, Fault> {
        let taken = |_| Fault::Protocol("an end of the ring was taken before");
        let fds = [output.fd().as_raw_fd(), input.fd().as_raw_fd()];
        let (output, input) = (output.output().map_err(taken)?, input.input().map_err(taken)?);
        Ok(Self { output, input, waits, watch, fds })
    }

    /// Lets the other side write its message before this one looks for it: looking takes a copy of the cache line, which the
    /// writer must then have withdrawn. Meanwhile the lines of this side's next message, of `len` bytes, come here.
    #[inline(always)]
    fn pause(&self, len: usize) {
        if self.waits.pauses > 0 {
            self.output.prefetch(len);
            (0..self.waits.pauses).for_each(|_| std::hint::spin_loop());
        }
    }
}

impl<F: Form> Transport for Side<F> {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        self.output.send(message, self.waits.wait, &self.watch)
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        self.pause(len);
        let result = read(self.input.next(len, self.waits.look, self.waits.wait, &self.watch)?);
        self.input.release();
        Ok(result)
    }

    /// The message stays where it is until the answer was sent.
    #[inline(always)]
    fn answer<R>(
        &mut self,
        len: usize,
        answer: &[u8],
        asks: impl FnOnce(&[u8]) -> bool,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, Fault> {
        self.pause(len);
        let message = self.input.next(len, self.waits.look, self.waits.wait, &self.watch)?;
        if asks(message) {
            self.output.send(answer, self.waits.wait, &self.watch)?;
        }
        let result = read(message);
        self.input.release();
        Ok(result)
    }

    /// The raw loop passes one cache line back and forth.
    fn bare(&mut self, rounds: u64, _: usize, leads: bool) -> Result<(), Fault> {
        self.waits.line.exchange(rounds, leads, &self.watch)
    }

    fn fds(&self) -> Vec<RawFd> {
        self.fds.to_vec()
    }
}
