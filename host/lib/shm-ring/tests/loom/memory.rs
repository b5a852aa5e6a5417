//! The memory of a ring in loom's terms: each word is an atomic, and a cell notes who reads and writes payload there, so that
//! an access that no synchronisation orders is reported. It has the shape of the library's `memory.rs`, and may be tiny.

use crate::header::{Form, Header};
use crate::sync::{AtomicU64, Ordering};
use crate::{Integrity, RingError, Waking, record};
#[expect(
    clippy::unsafe_removed_from_name,
    reason = "loom tracks accesses; the cell itself is not what the library has"
)]
use loom::cell::UnsafeCell as Tracked;
use std::cell::UnsafeCell;
use std::os::fd::{BorrowedFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct Memory {
    header: Header,
    words: Vec<Word>,
    /// The bytes, with room for a message that begins at the last word.
    bytes: Box<[UnsafeCell<u64>]>,
}

#[derive(Debug)]
struct Word {
    atomic: AtomicU64,
    accesses: Tracked<()>,
}

// SAFETY: `Tracked` reports every unordered access to the bytes of a word.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

/// Stands where payload was written: no record and no end mark.
const PAYLOAD: u64 = u64::MAX;

impl Memory {
    pub(crate) fn create(capacity: usize, form: Form, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let word = || Word { atomic: AtomicU64::new(record::END), accesses: Tracked::new(()) };
        let words = capacity / record::WORD_BYTES;
        Ok(Self {
            header: Header::new(capacity, form, integrity, waking),
            words: (0..words).map(|_| word()).collect(),
            bytes: (0..2 * words).map(|_| UnsafeCell::new(0)).collect(),
        })
    }

    pub(crate) fn attach(_: OwnedFd, _: Form) -> Result<(Self, Integrity, Waking), RingError> {
        Err(RingError::Unsupported)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        unreachable!("a model has no file descriptor")
    }

    pub(crate) fn capacity(&self) -> usize {
        self.words.len() * record::WORD_BYTES
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn payload_to_read(&self, position: u64, len: usize) -> *const [u8] {
        for word in self.payload_words(position, len) {
            word.accesses.with(|_| ());
        }
        self.payload(position, len)
    }

    pub(crate) fn payload_to_write(&self, position: u64, len: usize) -> *mut [u8] {
        for word in self.payload_words(position, len) {
            word.accesses.with_mut(|_| ());
            word.atomic.store(PAYLOAD, Ordering::Relaxed);
        }
        self.payload(position, len)
    }

    pub(crate) fn prefetch_to_read(&self, _: u64) {}

    pub(crate) fn prefetch_to_write(&self, _: u64) {}

    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        let word = &self.words[self.index(position)];
        word.accesses.with(|_| ());
        &word.atomic
    }

    fn payload_words(&self, position: u64, len: usize) -> impl Iterator<Item = &Word> {
        let first = self.index(position) + 1;
        (first..first + len.div_ceil(record::WORD_BYTES)).map(|index| &self.words[index % self.words.len()])
    }

    fn payload(&self, position: u64, len: usize) -> *mut [u8] {
        let words = &self.bytes[self.index(position) + 1..][..len.div_ceil(record::WORD_BYTES)];
        std::ptr::slice_from_raw_parts_mut(words.as_ptr().cast_mut().cast(), len)
    }

    fn index(&self, position: u64) -> usize {
        position as usize / record::WORD_BYTES % self.words.len()
    }
}
