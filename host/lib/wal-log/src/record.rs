//! A record in a segment: its head, its payload, and how both are written and checked.

use crate::BadRecord;
use crate::checksum::{self, Crc, Seed};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes before a payload.
pub(crate) const HEAD_BYTES: usize = 24;

/// From this length on, a payload's checksum is computed in three streams; below, one stream that also copies is faster.
const LONG: usize = 768;

/// What an application writes: a payload, the stream it belongs to, and what kind of payload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The logical stream.
    pub stream: StreamId,
    /// Chosen by the application; the log only stores it.
    pub kind: u16,
    /// Any bytes, also none.
    pub payload: &'a [u8],
}

/// One of the logical streams that share a log. The application gives them out; they need not be dense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// An entry of the log. The payload is borrowed from the mapped segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number in the log, counted from 0 since the log was created.
    pub sequence: u64,
    /// The logical stream.
    pub stream: StreamId,
    /// As it was written.
    pub kind: u16,
    /// As it was written.
    pub payload: &'a [u8],
}

/// Flags of a record, set by the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u16);

impl Flags {
    /// An entry on its own.
    pub(crate) const ENTRY: Self = Self(0);
    /// An entry of a transaction, invisible unless the commit record follows.
    pub(crate) const MEMBER: Self = Self(1);
    /// The first entry of a transaction.
    pub(crate) const FIRST_MEMBER: Self = Self(1 | 2);
    /// The end of a transaction. It takes no sequence of its own: it carries the next one, and its payload says how many
    /// entries it commits.
    pub(crate) const COMMIT: Self = Self(4);
    /// Lost sequences, which recovery skipped. It carries the first of them, and their number in place of the stream; its payload
    /// is the damaged bytes.
    pub(crate) const GAP: Self = Self(8);

    /// Whether a writer sets such bits.
    fn is_known(self) -> bool {
        [Self::ENTRY, Self::MEMBER, Self::FIRST_MEMBER, Self::COMMIT, Self::GAP].contains(&self)
    }
}

/// The head of a record without length and checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sequence: u64,
    pub(crate) stream: u32,
    pub(crate) kind: u16,
    pub(crate) flags: Flags,
}

impl Head {
    #[inline(always)]
    pub(crate) fn new(sequence: u64, entry: &Entry<'_>, flags: Flags) -> Self {
        Self { sequence, stream: entry.stream.0, kind: entry.kind, flags }
    }

    /// The third word: kind, flags, stream.
    #[inline(always)]
    fn tag(self) -> u64 {
        u64::from(self.kind) | u64::from(self.flags.0) << 16 | u64::from(self.stream) << 32
    }
}

/// Bytes that a record with a payload of `payload` bytes takes.
#[inline(always)]
pub(crate) const fn footprint(payload: usize) -> usize {
    (HEAD_BYTES + payload + 7) & !7
}

/// A valid record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) head: Head,
    /// The length of the payload.
    pub(crate) len: usize,
}

impl Found {
    #[inline(always)]
    pub(crate) fn footprint(self) -> usize {
        footprint(self.len)
    }

    /// The entry for the application; `bytes` are those of the record.
    #[inline(always)]
    pub(crate) fn record(self, bytes: &[u8]) -> Record<'_> {
        let Head { sequence, stream, kind, .. } = self.head;
        Record { sequence, stream: StreamId(stream), kind, payload: &bytes[HEAD_BYTES..HEAD_BYTES + self.len] }
    }
}

/// Writes a record and returns its footprint. The word that makes it valid is stored last, with release: a process that is killed at
/// any moment leaves a whole record or none.
///
/// # Safety
/// `at` is aligned to 8, and nothing else reads or writes the `footprint(payload.len())` bytes from there. The payload is
/// shorter than 2³² bytes less a head.
#[inline(always)]
pub(crate) unsafe fn put<C: Crc>(crc: C, at: *mut u8, seed: Seed, head: Head, payload: &[u8]) -> usize {
    let length = (HEAD_BYTES + payload.len()) as u32;
    let state = begin(crc, seed, head, length);
    let words = at.cast::<u64>();
    // SAFETY: the record's first 24 bytes, which the caller grants.
    unsafe {
        words.add(1).write(head.sequence.to_le());
        words.add(2).write(head.tag().to_le());
    }
    // SAFETY: the caller grants the payload's bytes and their padding, and 24 keeps the alignment.
    let state = unsafe { put_payload(crc, state, words.add(HEAD_BYTES / 8), payload) };
    // SAFETY: the record's first word, which is aligned as `at` is.
    let first = unsafe { AtomicU64::from_ptr(words) };
    first.store((u64::from(length) | u64::from(!state) << 32).to_le(), Ordering::Release);
    footprint(payload.len())
}

/// Copies the payload and pads it with zeros to a word; returns the checksum state after it.
///
/// # Safety
/// Nothing else reads or writes the words from `to` on that hold the payload.
#[inline(always)]
unsafe fn put_payload<C: Crc>(crc: C, mut state: u32, to: *mut u64, payload: &[u8]) -> u32 {
    let whole = payload.len() / 8;
    if payload.len() >= LONG {
        // SAFETY: `whole` words are within what the caller grants; a borrowed payload lies elsewhere, because nothing reads there.
        unsafe { std::ptr::copy_nonoverlapping(payload.as_ptr(), to.cast::<u8>(), whole * 8) };
        state = checksum::bytes(state, &payload[..whole * 8]);
    } else {
        for (index, chunk) in payload.chunks_exact(8).enumerate() {
            let word = word_at(chunk, 0);
            state = crc.word(state, word);
            // SAFETY: `index` is less than `whole`.
            unsafe { to.add(index).write(word.to_le()) };
        }
    }
    if !payload.len().is_multiple_of(8) {
        let last = last_word(payload);
        state = crc.word(state, last);
        // SAFETY: the payload ends within this word, so the caller grants it.
        unsafe { to.add(whole).write(last.to_le()) };
    }
    state
}

/// Checks whether a valid record starts at the first of `bytes`, which end with the segment.
#[inline(always)]
pub(crate) fn check<C: Crc>(crc: C, bytes: &[u8], seed: Seed) -> Result<Found, BadRecord> {
    if bytes.len() < HEAD_BYTES {
        return Err(BadRecord::Empty);
    }
    let first = word_at(bytes, 0);
    if first == 0 {
        return Err(BadRecord::Empty);
    }
    let (length, expected) = (first as u32, (first >> 32) as u32);
    let len = (length as usize).wrapping_sub(HEAD_BYTES);
    // A length below that of a head wraps, and is too long.
    if len > bytes.len() - HEAD_BYTES || footprint(len) > bytes.len() {
        return Err(BadRecord::Length { length, room: bytes.len() as u64 });
    }
    let head = head_at(bytes);
    let state = begin(crc, seed, head, length);
    let found = !digest(crc, state, &bytes[HEAD_BYTES..footprint(len)]);
    if found != expected || !head.flags.is_known() {
        return Err(BadRecord::Checksum { expected, found });
    }
    Ok(Found { head, len })
}

/// The head at the first of `bytes`, valid or not.
#[inline(always)]
pub(crate) fn head_at(bytes: &[u8]) -> Head {
    let tag = word_at(bytes, 16);
    Head { sequence: word_at(bytes, 8), stream: (tag >> 32) as u32, kind: tag as u16, flags: Flags((tag >> 16) as u16) }
}

/// The footprint of the record at the first of `bytes` according to its length; 0 where it cannot be a record.
#[inline(always)]
pub(crate) fn claimed_footprint(bytes: &[u8]) -> usize {
    ((word_at(bytes, 0) as u32 as usize) + 7) & !7
}

/// The state after what stands in front of the payload.
#[inline(always)]
fn begin<C: Crc>(crc: C, seed: Seed, head: Head, length: u32) -> u32 {
    let state = crc.word(seed.state(), head.sequence);
    let state = crc.half(state, length);
    crc.word(state, head.tag())
}

/// The state after a padded payload.
#[inline(always)]
fn digest<C: Crc>(crc: C, state: u32, padded: &[u8]) -> u32 {
    if padded.len() >= LONG {
        return checksum::bytes(state, padded);
    }
    padded.chunks_exact(8).fold(state, |state, chunk| crc.word(state, word_at(chunk, 0)))
}

/// The word at `offset`; the caller knows that there are eight bytes.
#[inline(always)]
pub(crate) fn word_at(bytes: &[u8], offset: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(word)
}

/// The bytes after the last whole word, padded with zeros; at least one.
#[inline(always)]
fn last_word(payload: &[u8]) -> u64 {
    let rest = payload.len() % 8;
    if payload.len() >= 8 {
        // The last eight bytes in one go, less those that the word before has.
        return word_at(payload, payload.len() - 8) >> (64 - 8 * rest);
    }
    payload.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Portable, Work, dispatch};

    struct Write<'a>(&'a mut [u64], Head, &'a [u8]);

    impl Work for Write<'_> {
        type Output = usize;

        #[inline(always)]
        fn run<C: Crc>(self, crc: C) -> usize {
            assert!(footprint(self.2.len()) <= size_of_val(self.0));
            // SAFETY: the words are ours, aligned, and were counted above.
            unsafe { put(crc, self.0.as_mut_ptr().cast(), Seed::of_epoch(9), self.1, self.2) }
        }
    }

    fn bytes_of(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn record_of_every_length_is_valid_in_its_epoch_only() {
        // Miri takes a second for each.
        const STEP: usize = if cfg!(miri) { 13 } else { 1 };
        let payload: Vec<u8> = (0..2048_u32).map(|n| (n * 31 % 251) as u8).collect();
        for len in (0..100).chain(LONG - 9..LONG + 9).chain([2048]).step_by(STEP) {
            let mut words = vec![u64::MAX; 300];
            let head = Head { sequence: 77, stream: 5, kind: 3, flags: Flags::ENTRY };
            let taken = dispatch(Write(&mut words, head, &payload[..len]));
            let bytes = bytes_of(&words);
            let found = check(Portable, &bytes, Seed::of_epoch(9)).unwrap();
            assert_eq!((found.head, found.len, found.footprint()), (head, len, taken));
            assert_eq!(found.record(&bytes).payload, &payload[..len]);
            assert!(matches!(check(Portable, &bytes, Seed::of_epoch(10)), Err(BadRecord::Checksum { .. })));
            assert_eq!(words[taken / 8], u64::MAX, "nothing after the record is touched");
        }
    }

    #[test]
    fn flipped_bit_is_detected() {
        let mut words = vec![0; 12];
        let head = Head { sequence: 1, stream: 2, kind: 3, flags: Flags::MEMBER };
        let taken = dispatch(Write(&mut words, head, b"thirteen byte"));
        for bit in 0..taken * 8 {
            let mut bytes = bytes_of(&words);
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(check(Portable, &bytes, Seed::of_epoch(9)).is_err(), "bit {bit}");
        }
    }
}
