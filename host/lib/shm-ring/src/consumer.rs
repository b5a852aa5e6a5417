//! The reading end of a ring. It must check a length before it uses it, because the other process wrote it.

use crate::claim::Claim;
use crate::producer::{LINE_BYTES, PREFETCH_BYTES_MAX};
use crate::sync::Ordering;
use crate::wait::{self, Wait};
use crate::{Corrupt, Integrity, RingError, Waking, record, ring};

/// The reading end. A ring has one at a time, and its holder's process keeps it until it is dropped.
#[derive(Debug)]
pub struct Consumer {
    claim: Claim,
    integrity: Integrity,
    waking: Waking,
    message_max: usize,
    /// The position of the oldest message's record; a multiple of 8.
    head: u64,
    /// The length of the message that was borrowed and not released.
    lent: Option<usize>,
}

impl Consumer {
    pub(crate) fn new(claim: Claim, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let message_max = ring::message_max(&claim.memory);
        let (head, _) = claim.memory.header().positions(claim.memory.capacity())?;
        Ok(Self { claim, integrity, waking, message_max, head, lent: None })
    }

    /// Borrows the oldest message in place, if there is one. Until [`Consumer::release`], it returns the same message again.
    #[inline(always)]
    pub fn peek(&mut self) -> Result<Option<&[u8]>, Corrupt> {
        let len = match self.lent {
            Some(len) => len,
            None => match self.accept()? {
                Some(len) => len,
                None => return Ok(None),
            },
        };
        Ok(Some(self.payload(len)))
    }

    /// Frees the space of the message that was borrowed, if one was.
    #[inline(always)]
    pub fn release(&mut self) {
        let Some(len) = self.lent.take() else { return };
        self.head += record::footprint(len) as u64;
        // Release: the payload was read before the producer may overwrite it.
        self.claim.memory.header().head.0.store(self.head, Ordering::Release);
        wait::wake(self.waking, self.claim.peer());
    }

    /// Passes the oldest message to `read`, if there is one, and frees its space. A panic in `read` keeps the message.
    #[inline(always)]
    pub fn pop<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, Corrupt> {
        let Some(message) = self.peek()? else { return Ok(None) };
        let result = read(message);
        self.release();
        Ok(Some(result))
    }

    /// As [`Consumer::pop`], but waits for a message. `None` means that `wait` timed out.
    #[inline]
    pub fn pop_waiting<R>(&mut self, read: impl FnOnce(&[u8]) -> R, wait: Wait) -> Result<Option<R>, Corrupt> {
        if self.wait(wait) { self.pop(read) } else { Ok(None) }
    }

    /// Waits for a message to [`Consumer::peek`] at; returns whether there is one.
    #[inline(always)]
    pub fn wait(&self, wait: Wait) -> bool {
        let word = self.claim.memory.word(self.head);
        wait::until(wait, self.claim.own(), || word.load(Ordering::Relaxed) != record::END)
    }

    /// As [`Consumer::wait`], and at each look asks for the last line of a message of `len` bytes too, so that the lines of one on two
    /// lines come together. The producer then has to take both from this end.
    #[inline(always)]
    pub fn wait_for(&self, len: usize, wait: Wait) -> bool {
        let last = self.head + record::footprint(len.min(self.message_max)) as u64 - 1;
        let (memory, word) = (&self.claim.memory, self.claim.memory.word(self.head));
        wait::until(wait, self.claim.own(), || {
            memory.prefetch_to_read(last);
            word.load(Ordering::Relaxed) != record::END
        })
    }

    /// Asks for the cache lines of the next message, if it was published and nothing is borrowed. Nothing but the time of the next
    /// pop depends on it.
    #[inline]
    pub fn prefetch(&self) {
        let memory = &self.claim.memory;
        let word = memory.word(self.head).load(Ordering::Relaxed);
        if self.lent.is_some() || word == record::END {
            return;
        }
        if let Ok((len, _)) = record::decode(self.head, word, self.message_max) {
            let end = self.head + record::footprint(len) as u64;
            (self.head..end.min(self.head + PREFETCH_BYTES_MAX))
                .step_by(LINE_BYTES as usize)
                .for_each(|at| memory.prefetch_to_read(at));
        }
    }

    /// Looks at the word at the head, and at the payload where it has a CRC.
    #[inline(always)]
    fn accept(&mut self) -> Result<Option<usize>, Corrupt> {
        // Acquire: the payload is as it was when the word was written.
        let word = self.claim.memory.word(self.head).load(Ordering::Acquire);
        if word == record::END {
            return Ok(None);
        }
        let (len, expected) = record::decode(self.head, word, self.message_max)?;
        // Where the next message will be looked for. Asked for only then, the line would often be on its way here just when the
        // producer wants to write to it.
        self.claim.memory.prefetch_to_read(self.head + record::footprint(len) as u64);
        match self.integrity {
            Integrity::None if expected != 0 => return Err(Corrupt::Record { position: self.head, word }),
            Integrity::None => {}
            Integrity::Crc32c => {
                let found = self.integrity.digest(self.payload(len));
                if found != expected {
                    return Err(Corrupt::Checksum { position: self.head, expected, found });
                }
            }
        }
        self.lent = Some(len);
        Ok(Some(len))
    }

    #[inline]
    fn payload(&self, len: usize) -> &[u8] {
        // SAFETY: `decode` saw that `len` is at most `capacity - 16`, and `capacity` bytes are mapped from `head` on. The
        // producer does not write there until the record is released, which takes `&mut self`.
        unsafe { &*self.claim.memory.payload_to_read(self.head, len) }
    }
}
