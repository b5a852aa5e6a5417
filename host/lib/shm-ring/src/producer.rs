//! The writing end of a ring. It must not touch a cache line that the consumer writes unless the ring seems full.

use crate::claim::Claim;
use crate::sync::Ordering;
use crate::wait::{self, Wait};
use crate::{Integrity, PushError, RingError, Waking, record, ring};

/// No record ends here.
const NOWHERE: u64 = u64::MAX;

/// How far ahead of the staged records cache lines are prefetched, so that several are in flight at once.
const AHEAD_BYTES: u64 = 1024;

/// The most that is asked for ahead: about as many lines as a core can have on their way.
pub(crate) const PREFETCH_BYTES_MAX: u64 = 2048;

/// A cache line, the unit that cores hand to each other.
pub(crate) const LINE_BYTES: u64 = 64;

/// The writing end. A ring has one at a time, and its holder's process keeps it until it is dropped.
#[derive(Debug)]
pub struct Producer {
    claim: Claim,
    integrity: Integrity,
    waking: Waking,
    message_max: usize,
    /// The position of the next record; a multiple of 8.
    tail: u64,
    /// The first of the records that are written and not yet published, which hides the others.
    staged: Option<Staged>,
    /// The position of an end mark that was already written in the free space, if any.
    marked: u64,
    /// No record may reach beyond this until the head is read again.
    limit: u64,
}

/// A record whose word is withheld.
#[derive(Clone, Copy, Debug)]
struct Staged {
    position: u64,
    word: u64,
}

impl Producer {
    pub(crate) fn new(claim: Claim, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let message_max = ring::message_max(&claim.memory);
        let (head, published) = claim.memory.header().positions(claim.memory.capacity())?;
        let limit = head.min(published) + claim.memory.capacity() as u64;
        let mut tail = published;
        // A producer that died between publication and the store of the tail left records where an end mark belongs.
        loop {
            let word = claim.memory.word(tail).load(Ordering::Acquire);
            if word == record::END {
                break;
            }
            let damaged =
                || RingError::Damaged(format!("no end mark and no record at {tail}, behind its tail, {published}"));
            let (len, _) = record::decode(tail, word, message_max).map_err(|_| damaged())?;
            let next = tail + record::footprint(len) as u64;
            if next >= limit {
                return Err(damaged());
            }
            tail = next;
        }
        let limit = head + claim.memory.capacity() as u64;
        Ok(Self { claim, integrity, waking, message_max, tail, staged: None, marked: NOWHERE, limit })
    }

    /// Publishes a copy of `message`, or fails at once. Staged messages are published first.
    #[inline(always)]
    pub fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
        self.publish();
        let crc = self.integrity.digest(message);
        let end = self.reserve(message.len())?;
        self.mark_end(end);
        // SAFETY: `reserve` saw that the record lies within the `capacity` bytes that are mapped from `tail` on and that
        // the consumer has released them; nothing else writes there.
        unsafe { copy(message, self.claim.memory.payload_to_write(self.tail, message.len())) };
        self.publish_one(message.len(), crc, end);
        Ok(())
    }

    /// Publishes a message of `len` bytes that `fill` writes in place. The bytes it finds there are old ones. A panic in
    /// `fill` publishes nothing of it. What is staged is published first.
    #[inline]
    pub fn push_with(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), PushError> {
        self.publish();
        let end = self.reserve(len)?;
        self.mark_end(end);
        // SAFETY: as in `push`; the memory was zeroed by the kernel or written since, and the borrow ends before the
        // record is published.
        let payload = unsafe { &mut *self.claim.memory.payload_to_write(self.tail, len) };
        fill(payload);
        let crc = self.integrity.digest(payload);
        self.publish_one(len, crc, end);
        Ok(())
    }

    /// Writes a copy of `message` behind those that are staged, or says at once why not. None of them is seen before
    /// [`Producer::publish`]: so many messages cost one publication.
    #[inline(always)]
    pub fn stage(&mut self, message: &[u8]) -> Result<(), PushError> {
        let crc = self.integrity.digest(message);
        let end = self.reserve(message.len())?;
        // SAFETY: as in `push`; a staged record is as far from the consumer as room it has released.
        unsafe { copy(message, self.claim.memory.payload_to_write(self.tail, message.len())) };
        let word = record::encode(self.tail, message.len(), crc);
        match self.staged {
            // The consumer reads no further than the first record, whose word still is an end mark.
            Some(_) => self.claim.memory.word(self.tail).store(word, Ordering::Relaxed),
            None => self.staged = Some(Staged { position: self.tail, word }),
        }
        if self.tail + AHEAD_BYTES < self.limit {
            self.claim.memory.prefetch_to_write(self.tail + AHEAD_BYTES);
        }
        self.tail = end;
        Ok(())
    }

    /// Publishes the staged messages, if there are any.
    #[inline(always)]
    pub fn publish(&mut self) {
        let Some(first) = self.staged.take() else { return };
        self.marked = NOWHERE;
        let memory = &self.claim.memory;
        memory.word(self.tail).store(record::END, Ordering::Relaxed);
        // Release: a thread that sees the word sees all the records behind it and their end mark.
        memory.word(first.position).store(first.word, Ordering::Release);
        memory.header().tail.0.store(self.tail, Ordering::Release);
        wait::wake(self.waking, self.claim.peer());
    }

    /// As [`Producer::push`], but waits for space. [`PushError::Full`] means that `wait` timed out.
    #[inline]
    pub fn push_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError> {
        match self.push(message) {
            Err(PushError::Full) => {}
            done => return done,
        }
        if self.wait_for_room(message.len(), wait) { self.push(message) } else { Err(PushError::Full) }
    }

    /// As [`Producer::stage`], but waits for room, for which it publishes what is staged. [`PushError::Full`] says that
    /// `wait` gave up.
    #[inline]
    pub fn stage_waiting(&mut self, message: &[u8], wait: Wait) -> Result<(), PushError> {
        match self.stage(message) {
            Err(PushError::Full) => {}
            done => return done,
        }
        self.publish();
        if self.wait_for_room(message.len(), wait) { self.stage(message) } else { Err(PushError::Full) }
    }

    /// Asks for the cache lines that the next message, of `len` bytes, will be written to, where the ring is known to have room
    /// for it. Nothing but the time of the next push depends on it.
    #[inline]
    pub fn prefetch(&self, len: usize) {
        if len > self.message_max {
            return;
        }
        let end = self.wanted(len);
        if end <= self.limit {
            (self.tail..end.min(self.tail + PREFETCH_BYTES_MAX))
                .step_by(LINE_BYTES as usize)
                .for_each(|at| self.claim.memory.prefetch_to_write(at));
        }
    }

    /// Waits until a message of `len` bytes fits; returns whether it does.
    #[cold]
    fn wait_for_room(&self, len: usize, wait: Wait) -> bool {
        let own = self.claim.own();
        let (memory, tail, limit_wanted) = (&self.claim.memory, self.tail, self.wanted(len));
        wait::until(wait, own, || head_limit(memory, tail).is_some_and(|limit| limit_wanted <= limit))
    }

    /// The end of a record of `len` bytes, if there is space for it and for the end mark after it.
    #[inline(always)]
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

    /// The end of the end mark after a record of `len` bytes; `len` is at most `message_max`.
    #[inline]
    fn wanted(&self, len: usize) -> u64 {
        self.tail + (record::footprint(len) + record::WORD_BYTES) as u64
    }

    #[cold]
    fn read_head(&mut self) {
        self.limit = head_limit(&self.claim.memory, self.tail).unwrap_or(self.limit);
    }

    /// Puts the end mark at `end`, which `reserve` has found room for, where it does not stand yet. It comes before the
    /// payload, whose line the consumer looks at: were the mark written in between and its line far away, the consumer would
    /// take back the payload's line meanwhile.
    #[inline]
    fn mark_end(&mut self, end: u64) {
        if self.marked != end {
            self.claim.memory.word(end).store(record::END, Ordering::Relaxed);
            // The payload may cover where it stood.
            self.marked = NOWHERE;
        }
    }

    /// Publishes the payload that was written at the tail, with an end mark at `end`.
    #[inline(always)]
    fn publish_one(&mut self, len: usize, crc: u32, end: u64) {
        let memory = &self.claim.memory;
        // The next message is often as long: its end mark is put now, and its line comes here while the consumer is busy
        // rather than when that waits for the message. On the line of this message it is put before the consumer takes that.
        let next_end = end + (end - self.tail);
        let has_room = next_end + record::WORD_BYTES as u64 <= self.limit;
        let on_this_line = next_end / LINE_BYTES == self.tail / LINE_BYTES;
        if has_room && on_this_line {
            memory.word(next_end).store(record::END, Ordering::Relaxed);
        }
        // Release: a thread that sees the word sees the payload and the end mark.
        memory.word(self.tail).store(record::encode(self.tail, len, crc), Ordering::Release);
        memory.header().tail.0.store(end, Ordering::Release);
        if has_room {
            if !on_this_line {
                memory.word(next_end).store(record::END, Ordering::Relaxed);
            }
            self.marked = next_end;
        }
        self.tail = end;
        wait::wake(self.waking, self.claim.peer());
    }
}

/// The longest message that is copied without a call.
const SHORT_BYTES: usize = 64;

/// What is copied at a time, behind the first word.
const PAIR_BYTES: usize = 2 * record::WORD_BYTES;

/// Copies `message`. A short one is copied without a call: its first word by itself, because it is often a number that was stored just
/// before, and a wider load would wait until that store reaches the cache; the others in pairs, so that a comparison of what is behind
/// the first word reads each pair as it was stored. The last bytes come first: the consumer looks at the line of the first ones, and
/// would take it back while this end waits for the other line of a message on two.
///
/// # Safety
/// As many bytes from `to` on as `message` has are the caller's to write.
#[inline]
pub(crate) unsafe fn copy(message: &[u8], to: *mut [u8]) {
    let (from, to, len) = (message.as_ptr(), to.cast::<u8>(), message.len());
    if len > SHORT_BYTES || !len.is_multiple_of(record::WORD_BYTES) {
        // SAFETY: as the caller promises; the message is a borrow of memory that is not the ring's.
        return unsafe { to.copy_from_nonoverlapping(from, len) };
    }
    // SAFETY: `at + N` is at most `len` in each call below, and arrays of bytes have no alignment.
    let word = |at: usize| unsafe { copy_array::<{ record::WORD_BYTES }>(from.add(at), to.add(at)) };
    // SAFETY: as above.
    let pair = |at: usize| unsafe { copy_array::<PAIR_BYTES>(from.add(at), to.add(at)) };
    if len == 0 {
        return;
    }
    let pairs = (len - record::WORD_BYTES) / PAIR_BYTES;
    if len.is_multiple_of(PAIR_BYTES) {
        word(len - record::WORD_BYTES);
    }
    // No loop, which would be made a call again.
    if pairs > 2 {
        pair(record::WORD_BYTES + 2 * PAIR_BYTES);
    }
    if pairs > 1 {
        pair(record::WORD_BYTES + PAIR_BYTES);
    }
    if pairs > 0 {
        pair(record::WORD_BYTES);
    }
    word(0);
}

/// Copies `N` bytes at once.
///
/// # Safety
/// So many bytes may be read from `from` on and written from `to` on, and they do not overlap.
#[inline(always)]
unsafe fn copy_array<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe { to.cast::<[u8; N]>().write(from.cast::<[u8; N]>().read()) }
}

/// How far a producer at `tail` may write, from the head as it is now. A head beyond the tail is a damaged one and says
/// nothing.
#[inline]
pub(crate) fn head_limit(memory: &crate::memory::Memory, tail: u64) -> Option<u64> {
    // Acquire: the consumer has read what it released before the producer overwrites it.
    let head = memory.header().head.0.load(Ordering::Acquire);
    (head <= tail).then(|| head + memory.capacity() as u64)
}
