//! A ring of cells, each a cache line with one message and its number in it. It must not read or write any other shared line for a
//! message, except the reader's position once a lap.

use crate::claim::Claim;
use crate::header::Form;
use crate::memory::Memory;
use crate::producer::{LINE_BYTES, copy, head_limit};
use crate::sync::Ordering;
use crate::wait::{self, Wait};
use crate::{Corrupt, Integrity, PushError, RingError, Role, Waking};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

/// A ring of messages of up to 56 bytes, each on a cache line of its own. Clones are the same ring; the memory is freed with the last
/// clone and both ends.
///
/// A cell is an 8-byte word and the payload. The word is the message's number and length, and a cell that has the word of an earlier
/// lap is empty: no end mark is needed, and the consumer, which looks at the next cell, does so in its own cache until the
/// producer takes the line to write to it.
#[derive(Clone, Debug)]
pub struct Cells {
    memory: Arc<Memory>,
    waking: Waking,
}

impl Cells {
    /// The length of the longest message.
    pub const MESSAGE_MAX: usize = 56;

    /// Makes a ring of `capacity` bytes, a power of two as [`crate::Ring::create`] takes it; it holds a message for each 64 of them.
    pub fn create(capacity: usize, waking: Waking) -> Result<Self, RingError> {
        let memory = Memory::create(capacity, Form::Cells, Integrity::None, waking)?;
        Ok(Self { memory: Arc::new(memory), waking })
    }

    /// Attaches to the ring behind `fd`, after checking its size, its seals and its header.
    pub fn attach(fd: OwnedFd) -> Result<Self, RingError> {
        let (memory, _, waking) = Memory::attach(fd, Form::Cells)?;
        Ok(Self { memory: Arc::new(memory), waking })
    }

    /// The descriptor for another process to attach with. It is closed on exec; pass a duplicate.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// The messages that it holds.
    pub fn messages_max(&self) -> usize {
        self.memory.capacity() / LINE_BYTES as usize
    }

    /// Opens the writing end. If its last holder's process has ended, it continues after the last published message.
    pub fn producer(&self) -> Result<CellProducer, RingError> {
        CellProducer::new(Claim::acquire(&self.memory, Role::Producer)?, self.waking)
    }

    /// Opens the reading end. If its last holder's process has ended, it continues with the first message that was not released.
    pub fn consumer(&self) -> Result<CellConsumer, RingError> {
        CellConsumer::new(Claim::acquire(&self.memory, Role::Consumer)?, self.waking)
    }
}

/// The writing end. A ring has one at a time, and its holder's process keeps it until it is dropped.
#[derive(Debug)]
pub struct CellProducer {
    claim: Claim,
    waking: Waking,
    /// The position of the next cell, in bytes; a multiple of 64.
    tail: u64,
    /// No cell may reach beyond this until the head is read again.
    limit: u64,
}

impl CellProducer {
    fn new(claim: Claim, waking: Waking) -> Result<Self, RingError> {
        let capacity = claim.memory.capacity() as u64;
        let (head, mut tail) = positions(&claim)?;
        // A producer that died between publication and the store of the tail left one message more.
        let end = head.min(tail) + capacity;
        while tail < end && number(claim.memory.word(tail).load(Ordering::Acquire)) == number_at(tail) {
            tail += LINE_BYTES;
        }
        Ok(Self { claim, waking, tail, limit: head + capacity })
    }

    /// Publishes a copy of `message`, or fails at once.
    #[inline(always)]
    pub fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
        if message.len() > Cells::MESSAGE_MAX {
            return Err(PushError::TooLarge);
        }
        if self.tail + LINE_BYTES > self.limit {
            self.read_head();
            if self.tail + LINE_BYTES > self.limit {
                return Err(PushError::Full);
            }
        }
        let memory = &self.claim.memory;
        // SAFETY: the message fits the cell, a capacity is at least a cell, and the consumer has released this one; nothing else writes
        // there.
        unsafe { copy(message, memory.payload_to_write(self.tail, message.len())) };
        // Release: a thread that sees the word sees the payload.
        memory.word(self.tail).store(encode(self.tail, message.len()), Ordering::Release);
        self.tail += LINE_BYTES;
        // Read by the next producer only, so its line stays here.
        memory.header().tail.0.store(self.tail, Ordering::Release);
        wait::wake(self.waking, self.claim.peer());
        Ok(())
    }

    /// As [`CellProducer::push`], but waits for a free cell. [`PushError::Full`] means that `wait` timed out.
    #[inline]
    pub fn push_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError> {
        match self.push(message) {
            Err(PushError::Full) => {}
            done => return done,
        }
        if self.wait_for_room(wait) { self.push(message) } else { Err(PushError::Full) }
    }

    /// Asks for the line of the next cell, to write to it, where it is known to be free. Nothing but the time of the next push
    /// depends on it.
    #[inline]
    pub fn prefetch(&self) {
        if self.tail + LINE_BYTES <= self.limit {
            self.claim.memory.prefetch_to_write(self.tail);
        }
    }

    #[cold]
    fn wait_for_room(&self, wait: Wait) -> bool {
        let (memory, tail) = (&self.claim.memory, self.tail);
        wait::until(wait, self.claim.own(), || head_limit(memory, tail).is_some_and(|limit| tail + LINE_BYTES <= limit))
    }

    #[cold]
    fn read_head(&mut self) {
        self.limit = head_limit(&self.claim.memory, self.tail).unwrap_or(self.limit);
    }
}

/// The reading end. A ring has one at a time, and its holder's process keeps it until it is dropped.
#[derive(Debug)]
pub struct CellConsumer {
    claim: Claim,
    waking: Waking,
    /// The position of the oldest message's cell, in bytes; a multiple of 64.
    head: u64,
    /// Whether that message was borrowed and not released.
    is_lent: bool,
}

impl CellConsumer {
    fn new(claim: Claim, waking: Waking) -> Result<Self, RingError> {
        let (head, _) = positions(&claim)?;
        Ok(Self { claim, waking, head, is_lent: false })
    }

    /// Borrows the oldest message in place, if there is one. Until [`CellConsumer::release`], it returns the same message again.
    #[inline(always)]
    pub fn peek(&mut self) -> Result<Option<&[u8]>, Corrupt> {
        // Acquire: the payload is as it was when the word was written.
        let word = self.claim.memory.word(self.head).load(Ordering::Acquire);
        if number(word) != number_at(self.head) {
            return self.empty(word).map(|()| None);
        }
        let len = (word & LEN_MASK) as usize;
        if len > Cells::MESSAGE_MAX {
            return Err(Corrupt::Record { position: self.head, word });
        }
        self.is_lent = true;
        // SAFETY: `len` is within a cell, and a capacity is at least a cell. The producer does not write there until the cell is
        // released, which takes `&mut self`.
        Ok(Some(unsafe { &*self.claim.memory.payload_to_read(self.head, len) }))
    }

    /// Frees the cell of the message that was borrowed, if one was.
    #[inline(always)]
    pub fn release(&mut self) {
        if !std::mem::take(&mut self.is_lent) {
            return;
        }
        self.head += LINE_BYTES;
        // Release: the payload was read before the producer may overwrite it.
        self.claim.memory.header().head.0.store(self.head, Ordering::Release);
        wait::wake(self.waking, self.claim.peer());
    }

    /// Passes the oldest message to `read`, if there is one, and frees its cell. A panic in `read` keeps the message.
    #[inline(always)]
    pub fn pop<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, Corrupt> {
        let Some(message) = self.peek()? else { return Ok(None) };
        let result = read(message);
        self.release();
        Ok(Some(result))
    }

    /// Waits for a message to [`CellConsumer::peek`] at; returns whether there is one, or a damaged cell in its place.
    #[inline(always)]
    pub fn wait(&self, wait: Wait) -> bool {
        let (word, expected) = (self.claim.memory.word(self.head), number_at(self.head));
        wait::until(wait, self.claim.own(), || number(word.load(Ordering::Relaxed)) == expected)
            || self.empty(word.load(Ordering::Relaxed)).is_err()
    }

    /// An empty cell has the word of the lap before, or none in the first one. Anything else was not written by a producer.
    #[cold]
    fn empty(&self, word: u64) -> Result<(), Corrupt> {
        let before = self.head.checked_sub(self.claim.memory.capacity() as u64).map_or(0, number_at);
        // The message may have come since the word was looked at.
        if number(word) == before || number(word) == number_at(self.head) {
            Ok(())
        } else {
            Err(Corrupt::Record { position: self.head, word })
        }
    }
}

/// The bits of a word that are the length of its message.
const LEN_MASK: u64 = 0xff;

/// The word of a message of `len` bytes in the cell at `position`.
fn encode(position: u64, len: usize) -> u64 {
    number_at(position) << LEN_MASK.count_ones() | len as u64
}

/// The number of the message that has this word: from 1 on, and 0 where there was none yet.
fn number(word: u64) -> u64 {
    word >> LEN_MASK.count_ones()
}

/// The number of the message in the cell at `position`.
fn number_at(position: u64) -> u64 {
    position / LINE_BYTES + 1
}

/// Head and tail, each at the start of a cell.
fn positions(claim: &Claim) -> Result<(u64, u64), RingError> {
    let (head, tail) = claim.memory.header().positions(claim.memory.capacity())?;
    if head.is_multiple_of(LINE_BYTES) && tail.is_multiple_of(LINE_BYTES) {
        return Ok((head, tail));
    }
    Err(RingError::Damaged(format!("its head is {head} and its tail {tail}, which are not the starts of cells")))
}
