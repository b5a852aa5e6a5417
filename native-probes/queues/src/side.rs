//! One side of two queues: the loops that every queue is measured with. They take no clock and no lock, and allocate nothing.

use crate::message::{Tally, message};
use crate::queue::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most messages that are handed to a queue, or taken from it, at a time.
const BURST: u64 = 64;

/// Looks between two checks whether the other thread has ended: some tens of milliseconds.
const LOOKS: u32 = 1 << 20;

/// One side, whatever the queue; each method returns whether it got to its end, which it does unless a thread has ended.
pub(crate) trait Side {
    /// Sends each of `rounds` messages when the answer to the one before has been checked.
    fn ask(&mut self, rounds: u64) -> bool;
    /// Checks `rounds` messages and answers each.
    fn answer(&mut self, rounds: u64) -> bool;
    /// Sends `messages`.
    fn send(&mut self, messages: u64) -> bool;
    /// Checks `messages`.
    fn drain(&mut self, messages: u64) -> bool;
    /// What was sent and received so far.
    fn tally(&self) -> Tally;
}

/// The side that writes to `output` and reads from `input`.
pub(crate) struct Half<S, R, const W: usize> {
    output: S,
    input: R,
    tally: Tally,
    ended: Arc<AtomicBool>,
}

impl<S: Sender<W>, R: Receiver, const W: usize> Half<S, R, W> {
    pub(crate) fn new(output: S, input: R, ended: Arc<AtomicBool>) -> Self {
        Self { output, input, tally: Tally::default(), ended }
    }

    #[inline(always)]
    fn send_one(&mut self) -> bool {
        let message = message::<W>(self.tally.sent);
        self.tally.sent += 1;
        until(&self.ended, || self.output.send(&message))
    }

    #[inline(always)]
    fn receive_one(&mut self) -> bool {
        until(&self.ended, || self.input.receive(|found| self.tally.count::<W>(found)))
    }
}

impl<S: Sender<W>, R: Receiver, const W: usize> Side for Half<S, R, W> {
    fn ask(&mut self, rounds: u64) -> bool {
        (0..rounds).all(|_| self.send_one() && self.receive_one())
    }

    fn answer(&mut self, rounds: u64) -> bool {
        (0..rounds).all(|_| self.receive_one() && self.send_one())
    }

    fn send(&mut self, messages: u64) -> bool {
        let end = self.tally.sent + messages;
        while self.tally.sent < end {
            let first = self.tally.sent;
            let most = (end - first).min(BURST);
            let alive = until(&self.ended, || {
                self.tally.sent = first + self.output.send_burst(first, most);
                self.tally.sent > first
            });
            if !alive {
                return false;
            }
        }
        true
    }

    fn drain(&mut self, messages: u64) -> bool {
        let end = self.tally.received + messages;
        while self.tally.received < end {
            let before = self.tally.received;
            let most = (end - before).min(BURST);
            let alive = until(&self.ended, || {
                self.input.receive_burst(most, |found| self.tally.count::<W>(found));
                self.tally.received > before
            });
            if !alive {
                return false;
            }
        }
        true
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// Looks until `is_done`; false if a thread has ended.
#[inline(always)]
pub(crate) fn until(ended: &AtomicBool, mut is_done: impl FnMut() -> bool) -> bool {
    loop {
        for _ in 0..LOOKS {
            if is_done() {
                return true;
            }
            std::hint::spin_loop();
        }
        if ended.load(Ordering::Relaxed) {
            return false;
        }
    }
}
