//! The word in front of each payload: its length, its CRC32C, and a stamp of its position.

use crate::Corrupt;

/// Bytes of the word in front of a payload; also what every record is aligned to.
pub(crate) const WORD_BYTES: usize = 8;

/// What stands where the next record will start. No record has it, because a length is written plus one.
pub(crate) const END: u64 = 0;

/// Bytes a record with a payload of `len` takes, at most [`crate::Ring::CAPACITY_MAX`] plus a word.
pub(crate) const fn footprint(len: usize) -> usize {
    (len + 2 * WORD_BYTES - 1) & !(WORD_BYTES - 1)
}

/// The word of a record at `position`. The stamp makes a word from another position, or a bit of payload that is taken
/// for a word, fail [`decode`]; without a CRC its half of the word is the stamp alone.
pub(crate) fn encode(position: u64, len: usize, crc: u32) -> u64 {
    u64::from(crc ^ stamp(position)) << 32 | (len as u64 + 1)
}

/// Length and CRC of the record at `position`. The length is within `len_max`.
pub(crate) fn decode(position: u64, word: u64, len_max: usize) -> Result<(usize, u32), Corrupt> {
    let len = u64::from(word as u32).wrapping_sub(1);
    if len > len_max as u64 {
        return Err(Corrupt::Record { position, word });
    }
    Ok((len as usize, (word >> 32) as u32 ^ stamp(position)))
}

/// Differs between neighbouring records and, for the same place in the ring, between laps.
fn stamp(position: u64) -> u32 {
    (position / WORD_BYTES as u64) as u32
}
