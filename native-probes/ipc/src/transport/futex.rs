//! Slots in shared memory with a futex as the signal: a side that has nothing to do sleeps at once, and is woken only
//! if it sleeps.

use super::slots::{Receiver, Sender, Sleeper, Slots};
use super::{Fault, LOOK_AFTER, Link, Setup, Transport, alternate};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::fd::RawFd;
use rustix::thread::{Timespec, futex};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) struct Slept {
    to_peer: Arc<Slots>,
    from_peer: Arc<Slots>,
}

pub(crate) struct Side {
    sender: Sender,
    receiver: Receiver,
    watch: Watch,
}

impl Link for Slept {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        Ok(Self { to_peer: Slots::new(setup.message_max)?, from_peer: Slots::new(setup.message_max)? })
    }

    fn parent(self, watch: Watch) -> Result<Side, Fault> {
        Ok(Side { sender: Sender::new(self.to_peer), receiver: Receiver::new(self.from_peer), watch })
    }

    fn peer(self) -> Result<Side, Fault> {
        let watch = Watch::on_parent();
        Ok(Side { sender: Sender::new(self.from_peer), receiver: Receiver::new(self.to_peer), watch })
    }
}

impl Transport for Side {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        while !self.sender.has_room() {
            self.sender.own().announce();
            let room = self.sender.has_room();
            sleep(self.sender.own(), room, &self.watch)?;
        }
        self.sender.push(message);
        wake(self.sender.receiver());
        Ok(())
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        while !self.receiver.has_message() {
            self.receiver.own().announce();
            let message = self.receiver.has_message();
            sleep(self.receiver.own(), message, &self.watch)?;
        }
        let result = self.receiver.pop(len, read);
        wake(self.receiver.sender());
        Ok(result)
    }

    fn bare(&mut self, rounds: u64, _: usize, leads: bool) -> Result<(), Fault> {
        let give = |side: &mut Self| {
            let word = side.sender.slots().bare();
            word.store(1, Ordering::Release);
            // Fails only for an unmapped word, and this one is mapped.
            let _ = futex::wake(word, futex::Flags::empty(), 1);
            Ok(())
        };
        let take = |side: &mut Self| {
            let word = side.receiver.slots().bare();
            while word.load(Ordering::Acquire) == 0 {
                let timeout = Timespec::try_from(LOOK_AFTER).ok();
                let slept = futex::wait(word, futex::Flags::empty(), 0, timeout.as_ref());
                if slept == Err(rustix::io::Errno::TIMEDOUT) && side.watch.is_gone() {
                    return Err(Fault::Closed);
                }
            }
            word.store(0, Ordering::Relaxed);
            Ok(())
        };
        alternate(self, rounds, leads, give, take)
    }

    fn fds(&self) -> Vec<RawFd> {
        Vec::new()
    }
}

/// Sleeps while the announcement stands, unless the second check was `ready`. May return early; the caller checks
/// again.
#[inline(always)]
fn sleep(own: &Sleeper, ready: bool, watch: &Watch) -> Result<(), Fault> {
    let mut result = Ok(());
    if !ready {
        let timeout = Timespec::try_from(LOOK_AFTER).ok();
        let slept = futex::wait(&own.0, futex::Flags::empty(), 1, timeout.as_ref());
        if slept == Err(rustix::io::Errno::TIMEDOUT) && watch.is_gone() {
            result = Err(Fault::Closed);
        }
    }
    own.withdraw();
    result
}

#[inline(always)]
fn wake(other: &Sleeper) {
    if other.take() {
        // Fails only for an unmapped word, and this one is mapped.
        let _ = futex::wake(&other.0, futex::Flags::empty(), 1);
    }
}
