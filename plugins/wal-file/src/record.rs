//! The format of a record: the length of its payload, a checksum over sequence number and payload, the payload.
//!
//! The sequence number is not stored. A reader knows which one comes next, and a stale record of an earlier use of the
//! segment has another one, so that its checksum does not match.

/// Bytes of the header of a record.
pub(crate) const HEAD_BYTES: usize = 8;

/// Appends the record of `payload` to `buffer`.
pub(crate) fn encode(sequence: u64, payload: &[u8], buffer: &mut Vec<u8>) {
    // A payload is not longer than a segment, whose size fits in 32 bits.
    buffer.extend((payload.len() as u32).to_le_bytes());
    buffer.extend(checksum(sequence, payload).to_le_bytes());
    buffer.extend(payload);
}

/// The payload of the record at the start of `bytes`, if it is complete and has this sequence number.
pub(crate) fn decode(sequence: u64, bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk()?;
    let payload = rest.get(..u32::from_le_bytes(*length) as usize)?;
    (checksum(sequence, payload) == u32::from_le_bytes(*expected)).then_some(payload)
}

/// CRC32C over the sequence number and the payload.
fn checksum(sequence: u64, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&sequence.to_le_bytes()), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unchanged_record_is_read() {
        let mut record = Vec::new();
        encode(7, b"payload", &mut record);
        encode(8, b"", &mut record);
        assert_eq!(decode(7, &record), Some(&b"payload"[..]));
        assert_eq!(decode(8, &record[HEAD_BYTES + 7..]), Some(&b""[..]));
        assert_eq!(decode(6, &record), None, "another sequence");
        for at in 0..HEAD_BYTES + 7 {
            let mut altered = record.clone();
            altered[at] ^= 1;
            assert_eq!(decode(7, &altered), None, "byte {at}");
            assert_eq!(decode(7, &record[..at]), None, "cut at {at}");
        }
        // The zeros of a new file are not a record.
        assert_eq!(decode(0, &[0; 64]), None);
    }
}
