//! The memory of a ring on the heap, where Miri sees every access; shared memory it does not know. It has the shape of the
//! library's `memory.rs`. The second half is no mirror of the first: it only holds the rest of a message that reaches beyond.

use crate::header::{Form, Header};
use crate::sync::AtomicU64;
use crate::{Integrity, RingError, Waking, record};
use std::cell::UnsafeCell;
use std::os::fd::{BorrowedFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct Memory {
    header: Header,
    words: Box<[UnsafeCell<u64>]>,
}

// SAFETY: the words are reached through atomics, or through the one producer and the one consumer.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) fn create(capacity: usize, form: Form, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let words = (0..2 * capacity / record::WORD_BYTES).map(|_| UnsafeCell::new(record::END)).collect();
        Ok(Self { header: Header::new(capacity, form, integrity, waking), words })
    }

    pub(crate) fn attach(_: OwnedFd, _: Form) -> Result<(Self, Integrity, Waking), RingError> {
        Err(RingError::Unsupported)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        unreachable!("memory on the heap has no file descriptor")
    }

    pub(crate) fn capacity(&self) -> usize {
        self.words.len() / 2 * record::WORD_BYTES
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn payload_to_read(&self, position: u64, len: usize) -> *const [u8] {
        self.payload_to_write(position, len)
    }

    pub(crate) fn payload_to_write(&self, position: u64, len: usize) -> *mut [u8] {
        let words = &self.words[self.index(position) + 1..][..len.div_ceil(record::WORD_BYTES)];
        std::ptr::slice_from_raw_parts_mut(words.as_ptr().cast_mut().cast(), len)
    }

    pub(crate) fn prefetch_to_read(&self, _: u64) {}

    pub(crate) fn prefetch_to_write(&self, _: u64) {}

    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        // SAFETY: the word is aligned and lives as long as `self`; both ends reach it through an atomic, or through the
        // payload that only one of them holds at a time.
        unsafe { AtomicU64::from_ptr(self.words[self.index(position)].get()) }
    }

    fn index(&self, position: u64) -> usize {
        (position as usize & (self.capacity() - 1)) / record::WORD_BYTES
    }
}
