//! The file with the heads of streams whose records have been recycled, which recovery could not find otherwise.

use crate::header::{LogId, VERSION};
use crate::streams::Streams;

const MAGIC: u64 = u64::from_le_bytes(*b"wal-head");
const HEADER_BYTES: usize = 40;
const ENTRY_BYTES: usize = 12;

/// The file's content: a header, and stream and sequence of each head.
pub(crate) fn encode(log: LogId, heads: &[(u32, u64)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + heads.len() * ENTRY_BYTES + 4);
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend(u64::from(VERSION).to_le_bytes());
    bytes.extend(log.0.to_le_bytes());
    bytes.extend((heads.len() as u64).to_le_bytes());
    for (stream, head) in heads {
        bytes.extend(stream.to_le_bytes());
        bytes.extend(head.to_le_bytes());
    }
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Parses the heads, or returns what is wrong with the file.
pub(crate) fn decode(log: LogId, bytes: &[u8]) -> Result<Streams, String> {
    let (content, crc) = bytes.split_last_chunk::<4>().ok_or("it is too short")?;
    let (expected, found) = (u32::from_le_bytes(*crc), crc32c::crc32c(content));
    if expected != found {
        return Err(format!("it has CRC32C {found:#010x} and says {expected:#010x}"));
    }
    let (header, entries) = content.split_at_checked(HEADER_BYTES).ok_or("it is too short")?;
    let expected = encode(log, &[]);
    if header[..32] != expected[..32] {
        return Err("it is another log's, or of another version".to_owned());
    }
    let (entries, rest) = entries.as_chunks::<ENTRY_BYTES>();
    let count = crate::record::word_at(header, 32);
    if !rest.is_empty() || entries.len() as u64 != count {
        return Err(format!("it does not have the {count} heads that it says"));
    }
    let mut streams = Streams::default();
    for [a, b, c, d, head @ ..] in entries {
        streams.touch(u32::from_le_bytes([*a, *b, *c, *d]), u64::from_le_bytes(*head));
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_round_trip_and_reject_flipped_bits() {
        let (log, heads) = (LogId(3), [(7, 8), (u32::MAX, u64::MAX)]);
        let bytes = encode(log, &heads);
        let streams = decode(log, &bytes).unwrap();
        assert_eq!((streams.len(), streams.head(7), streams.head(u32::MAX)), (2, Some(8), Some(u64::MAX)));
        assert!(decode(LogId(4), &bytes).is_err());
        for len in 0..bytes.len() {
            assert!(decode(log, &bytes[..len]).is_err(), "cut to {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(log, &bytes).is_err(), "bit {bit}");
        }
    }
}
