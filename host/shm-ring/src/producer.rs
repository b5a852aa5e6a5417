//! The writing end of a ring. It must not know who reads, nor touch a line the consumer writes unless the ring seems full.

use crate::claim::Claim;
use crate::wait::{self, Wait};
use crate::{Integrity, PushError, RingError, Waking, record, ring};
use std::sync::atomic::Ordering;

/// The writing end. A ring has one at a time, and its holder's process keeps it until it is dropped.
#[derive(Debug)]
pub struct Producer {
    claim: Claim,
    integrity: Integrity,
    waking: Waking,
    message_max: usize,
    /// Where the next record starts; a multiple of 8.
    tail: u64,
    /// No record may reach beyond this until the head is read again.
    limit: u64,
}

impl Producer {
    pub(crate) fn new(claim: Claim, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let message_max = ring::message_max(&claim.memory);
        let (head, mut tail) = claim.memory.header().positions(claim.memory.capacity())?;
        let word = claim.memory.word(tail).load(Ordering::Acquire);
        // A producer that died between publication and the store of the tail left a record where an end mark belongs.
        if word != record::END {
            let (len, _) = record::decode(tail, word, message_max)
                .map_err(|_| RingError::Damaged(format!("no end mark and no record at its tail, {tail}")))?;
            tail += record::footprint(len) as u64;
        }
        let limit = head + claim.memory.capacity() as u64;
        Ok(Self { claim, integrity, waking, message_max, tail, limit })
    }

    /// Publishes a copy of `message`, or says at once why not.
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
        let crc = self.integrity.digest(message);
        let end = self.reserve(message.len())?;
        // SAFETY: `reserve` saw that the record lies within the `capacity` bytes that are mapped from `tail` on and that
        // the consumer has released them; nobody else writes there.
        unsafe { self.payload().copy_from_nonoverlapping(message.as_ptr(), message.len()) };
        self.publish(message.len(), crc, end);
        Ok(())
    }

    /// Publishes a message of `len` bytes that `fill` writes in place. The bytes it finds there are old ones. A panic in
    /// `fill` publishes nothing.
    #[inline]
    pub fn push_with(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), PushError> {
        let end = self.reserve(len)?;
        // SAFETY: as in `push`; the memory was zeroed by the kernel or written since, and the borrow ends before the
        // record is published.
        let payload = unsafe { std::slice::from_raw_parts_mut(self.payload(), len) };
        fill(payload);
        let crc = self.integrity.digest(payload);
        self.publish(len, crc, end);
        Ok(())
    }

    /// As [`Producer::push`], but waits for room. [`PushError::Full`] says that `wait` gave up.
    #[inline]
    pub fn push_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError> {
        match self.push(message) {
            Err(PushError::Full) => {}
            done => return done,
        }
        let own = self.claim.own();
        let (memory, tail, limit_wanted) = (&self.claim.memory, self.tail, self.wanted(message.len()));
        let room = || head_limit(memory, tail).is_some_and(|limit| limit_wanted <= limit);
        if wait::until(wait, own, room) { self.push(message) } else { Err(PushError::Full) }
    }

    /// Where a record of `len` bytes would end, if there is room for it and for the end mark behind it.
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<u64, PushError> {
        if len > self.message_max {
            return Err(PushError::TooLarge);
        }
        let wanted = self.wanted(len);
        if wanted > self.limit {
            self.read_head();
            if wanted > self.limit {
                return Err(PushError::Full);
            }
        }
        Ok(wanted - record::WORD_BYTES as u64)
    }

    /// Where the end mark behind a record of `len` bytes would end; `len` is at most `message_max`.
    #[inline]
    fn wanted(&self, len: usize) -> u64 {
        self.tail + (record::footprint(len) + record::WORD_BYTES) as u64
    }

    #[cold]
    fn read_head(&mut self) {
        self.limit = head_limit(&self.claim.memory, self.tail).unwrap_or(self.limit);
    }

    #[inline]
    fn payload(&self) -> *mut u8 {
        // SAFETY: `capacity` bytes are mapped from `tail` on, and a capacity is more than a word.
        unsafe { self.claim.memory.at(self.tail).add(record::WORD_BYTES) }
    }

    #[inline]
    fn publish(&mut self, len: usize, crc: u32, end: u64) {
        let memory = &self.claim.memory;
        memory.word(end).store(record::END, Ordering::Relaxed);
        // Release: whoever sees the word sees the payload and the end mark.
        memory.word(self.tail).store(record::encode(self.tail, len, crc), Ordering::Release);
        memory.header().tail.0.store(end, Ordering::Release);
        self.tail = end;
        wait::wake(self.waking, self.claim.peer());
    }
}

/// How far a producer at `tail` may write, from the head as it is now. A head beyond the tail is a damaged one and says
/// nothing.
#[inline]
fn head_limit(memory: &crate::memory::Memory, tail: u64) -> Option<u64> {
    // Acquire: the consumer has read what it released before the producer overwrites it.
    let head = memory.header().head.0.load(Ordering::Acquire);
    (head <= tail).then(|| head + memory.capacity() as u64)
}
