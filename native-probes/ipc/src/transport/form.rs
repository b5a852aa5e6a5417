//! What the transports over rings need of one, whatever its form: records of any length, or cells.

use super::Fault;
use crate::Look;
use ring_peer::Watch;
use rustix::fd::BorrowedFd;
use shm_ring::{
    CellConsumer, CellProducer, Cells, Consumer, Corrupt, Integrity, Producer, PushError, Ring, RingError, Wait, Waking,
};

/// A ring, before its ends are opened.
pub(crate) trait Form: Sized + 'static {
    type Output: Output + 'static;
    type Input: Input + 'static;

    /// Makes a ring of `capacity` bytes.
    fn create(capacity: usize, waking: Waking) -> Result<Self, RingError>;
    fn fd(&self) -> BorrowedFd<'_>;
    fn output(&self) -> Result<Self::Output, RingError>;
    fn input(&self) -> Result<Self::Input, RingError>;
}

/// The writing end.
pub(crate) trait Output {
    fn push_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError>;

    /// Asks for the cache lines of the next message, of `len` bytes, to write to them.
    fn prefetch(&self, len: usize);

    /// Sends `message`; fails where it does not fit the ring or the other side is gone.
    #[inline(always)]
    fn send(&mut self, message: &[u8], wait: Wait, watch: &Watch) -> Result<(), Fault> {
        loop {
            match self.push_waiting(message, wait) {
                Ok(()) => return Ok(()),
                Err(PushError::TooLarge) => return Err(Fault::Protocol("a message does not fit in the ring")),
                Err(PushError::Full) if watch.is_gone() => return Err(Fault::Closed),
                Err(PushError::Full) => {}
            }
        }
    }
}

/// The reading end.
pub(crate) trait Input {
    fn wait(&self, wait: Wait) -> bool;
    /// As [`Input::wait`], and asks for all lines of a message of `len` bytes at each look.
    fn wait_for(&self, len: usize, wait: Wait) -> bool;
    fn peek(&mut self) -> Result<Option<&[u8]>, Corrupt>;
    fn release(&mut self);

    /// Waits for the next message and lends it, which has to be of `len` bytes.
    #[inline(always)]
    fn next(&mut self, len: usize, look: Look, wait: Wait, watch: &Watch) -> Result<&[u8], Fault> {
        let is_there = |input: &Self| match look {
            Look::Word => input.wait(wait),
            Look::Message => input.wait_for(len, wait),
        };
        while !is_there(self) {
            if watch.is_gone() {
                return Err(Fault::Closed);
            }
        }
        match self.peek() {
            Ok(Some(message)) if message.len() == len => Ok(message),
            Ok(Some(_)) => Err(Fault::Protocol("received a message of unexpected length")),
            Ok(None) => Err(Fault::Protocol("a message disappeared from the ring")),
            Err(_) => Err(Fault::Protocol("the ring is damaged")),
        }
    }
}

impl Form for Ring {
    type Output = Producer;
    type Input = Consumer;

    fn create(capacity: usize, waking: Waking) -> Result<Self, RingError> {
        Self::create_with(capacity, Integrity::None, waking)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        Self::fd(self)
    }

    fn output(&self) -> Result<Producer, RingError> {
        self.producer()
    }

    fn input(&self) -> Result<Consumer, RingError> {
        self.consumer()
    }
}

impl Output for Producer {
    #[inline(always)]
    fn push_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError> {
        Self::push_waiting(self, message, wait)
    }

    #[inline(always)]
    fn prefetch(&self, len: usize) {
        Self::prefetch(self, len);
    }
}

impl Input for Consumer {
    #[inline(always)]
    fn wait(&self, wait: Wait) -> bool {
        Self::wait(self, wait)
    }

    #[inline(always)]
    fn wait_for(&self, len: usize, wait: Wait) -> bool {
        Self::wait_for(self, len, wait)
    }

    #[inline(always)]
    fn peek(&mut self) -> Result<Option<&[u8]>, Corrupt> {
        Self::peek(self)
    }

    #[inline(always)]
    fn release(&mut self) {
        Self::release(self);
    }
}

impl Form for Cells {
    type Output = CellProducer;
    type Input = CellConsumer;

    fn create(capacity: usize, waking: Waking) -> Result<Self, RingError> {
        Self::create(capacity, waking)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        Self::fd(self)
    }

    fn output(&self) -> Result<CellProducer, RingError> {
        self.producer()
    }

    fn input(&self) -> Result<CellConsumer, RingError> {
        self.consumer()
    }
}

impl Output for CellProducer {
    #[inline(always)]
    fn push_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError> {
        Self::push_waiting(self, message, wait)
    }

    #[inline(always)]
    fn prefetch(&self, _: usize) {
        Self::prefetch(self);
    }
}

impl Input for CellConsumer {
    #[inline(always)]
    fn wait(&self, wait: Wait) -> bool {
        Self::wait(self, wait)
    }

    /// A message has one line.
    #[inline(always)]
    fn wait_for(&self, _: usize, wait: Wait) -> bool {
        Self::wait(self, wait)
    }

    #[inline(always)]
    fn peek(&mut self) -> Result<Option<&[u8]>, Corrupt> {
        Self::peek(self)
    }

    #[inline(always)]
    fn release(&mut self) {
        Self::release(self);
    }
}
