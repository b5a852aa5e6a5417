//! The first bytes of a segment file: its log, its number, and, once it is in use, its first sequence.

use crate::damage::Damage;
use std::fmt;

/// Bytes of a header, half of it identity and half activation. Records start behind it.
pub(crate) const HEADER_BYTES: usize = 128;
const HALF: usize = HEADER_BYTES / 2;

const MAGIC: u64 = u64::from_le_bytes(*b"wal-log\0");
/// The version of the whole format, including records.
pub(crate) const VERSION: u32 = 1;

/// The identity of a log, drawn at random when it is created. Its segments carry it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogId(pub(crate) u128);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

/// Written before a segment gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) log: LogId,
    pub(crate) number: u64,
    /// Bytes of the whole file.
    pub(crate) bytes: u64,
    /// Drawn at random for each use of a file.
    pub(crate) epoch: u64,
    /// Whether the file was another segment before, so that the bytes after the last record are arbitrary.
    pub(crate) is_recycled: bool,
}

impl Identity {
    pub(crate) fn encode(&self) -> [u8; HALF] {
        let mut half = [0; HALF];
        let words = [
            MAGIC,
            u64::from(VERSION) | u64::from(self.is_recycled) << 32,
            self.log.0 as u64,
            (self.log.0 >> 64) as u64,
            self.number,
            self.bytes,
            self.epoch,
        ];
        for (place, word) in half.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c(&half[..HALF - 4]);
        half[HALF - 4..].copy_from_slice(&crc.to_le_bytes());
        half
    }

    /// `header` has [`HEADER_BYTES`].
    pub(crate) fn decode(header: &[u8; HEADER_BYTES]) -> Result<Self, Damage> {
        let word = |index: usize| crate::record::word_at(header, index * 8);
        if word(0) != MAGIC {
            let is_zero = header.iter().all(|byte| *byte == 0);
            return Err(if is_zero { Damage::ZeroFilled } else { Damage::NotASegment { magic: word(0) } });
        }
        let (expected, found) = ((word(7) >> 32) as u32, crc32c::crc32c(&header[..HALF - 4]));
        if expected != found {
            return Err(Damage::Header { expected, found });
        }
        let version = word(1) as u32;
        if version != VERSION {
            return Err(Damage::Version { found: version });
        }
        Ok(Self {
            log: LogId(u128::from(word(2)) | u128::from(word(3)) << 64),
            number: word(4),
            bytes: word(5),
            epoch: word(6),
            is_recycled: word(1) >> 32 != 0,
        })
    }
}

/// Written when a segment becomes the current one, as words of the mapping. A segment without it is spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    /// The sequence of the segment's first entry.
    pub(crate) first_sequence: u64,
    /// The time of activation, in nanoseconds since 1970.
    pub(crate) unix_ns: u64,
    /// Whether recovery skipped records between this segment and the one before.
    pub(crate) follows_gap: bool,
}

impl Activation {
    /// The offset of the words from the start of the header.
    pub(crate) const OFFSET: usize = HALF;

    /// The last word makes the others valid, so it must be stored last.
    pub(crate) fn encode(&self, epoch: u64) -> [u64; 4] {
        let [first, time, gap] = [self.first_sequence, self.unix_ns, self.follows_gap.into()];
        [first, time, gap, 1 | u64::from(Self::digest([epoch, first, time, gap])) << 32]
    }

    /// `None` where the segment was not activated.
    pub(crate) fn decode(header: &[u8; HEADER_BYTES], epoch: u64) -> Result<Option<Self>, Damage> {
        let [first, time, gap, last] = [0, 8, 16, 24].map(|at| crate::record::word_at(header, Self::OFFSET + at));
        if last == 0 {
            return Ok(None);
        }
        let (expected, found) = ((last >> 32) as u32, Self::digest([epoch, first, time, gap]));
        if expected != found || last as u32 != 1 || gap > 1 {
            return Err(Damage::Activation { expected, found });
        }
        Ok(Some(Self { first_sequence: first, unix_ns: time, follows_gap: gap == 1 }))
    }

    fn digest(words: [u64; 4]) -> u32 {
        words.iter().fold(0, |crc, word| crc32c::crc32c_append(crc, &word.to_le_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> [u8; HEADER_BYTES] {
        let identity = Identity { log: LogId(7 << 100 | 5), number: 3, bytes: 4096, epoch: 99, is_recycled: true };
        let activation = Activation { first_sequence: 12, unix_ns: 34, follows_gap: false };
        let mut header = [0; HEADER_BYTES];
        header[..HALF].copy_from_slice(&identity.encode());
        for (place, word) in header[HALF..].chunks_exact_mut(8).zip(activation.encode(99)) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        header
    }

    #[test]
    fn header_round_trips_and_rejects_flipped_bits() {
        let bytes = header();
        let identity = Identity::decode(&bytes).unwrap();
        let activation = Activation::decode(&bytes, identity.epoch).unwrap().unwrap();
        assert_eq!((identity.log, identity.number, identity.is_recycled), (LogId(7 << 100 | 5), 3, true));
        assert_eq!((activation.first_sequence, activation.unix_ns, activation.follows_gap), (12, 34, false));
        // The last word of the second half is padding.
        for bit in 0..(HALF + 32) * 8 {
            let mut bytes = header();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let intact = Identity::decode(&bytes).and_then(|identity| Activation::decode(&bytes, identity.epoch));
            assert!(intact.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn invalid_header_is_reported_with_its_kind() {
        assert_eq!(Identity::decode(&[0; HEADER_BYTES]), Err(Damage::ZeroFilled));
        assert!(matches!(Identity::decode(&[1; HEADER_BYTES]), Err(Damage::NotASegment { .. })));
        let mut spare = header();
        spare[HALF..].fill(0);
        assert_eq!(Activation::decode(&spare, 99), Ok(None));
    }
}
