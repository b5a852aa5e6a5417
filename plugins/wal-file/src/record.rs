//! A record as it lies in a segment: its payload's length, a checksum over sequence and payload, the payload. It must not
//! know where it lies.
//!
//! The sequence is not written. Whoever reads knows which one comes next, and a record that an earlier use of the segment
//! left has another one, so that its checksum does not match.

/// Bytes in front of a payload.
pub(crate) const HEAD_BYTES: usize = 8;

/// Appends the record of `payload` to `buffer`.
pub(crate) fn encode(sequence: u64, payload: &[u8], buffer: &mut Vec<u8>) {
    // A payload is not longer than a segment, whose size has 32 bits.
    buffer.extend((payload.len() as u32).to_le_bytes());
    buffer.extend(checksum(sequence, payload).to_le_bytes());
    buffer.extend(payload);
}

/// The payload of the record that `bytes` begin with, if it is that of `sequence` and whole.
pub(crate) fn decode(sequence: u64, bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk()?;
    let payload = rest.get(..u32::from_le_bytes(*length) as usize)?;
    (checksum(sequence, payload) == u32::from_le_bytes(*expected)).then_some(payload)
}

/// CRC32C over the sequence and the payload.
fn checksum(sequence: u64, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&sequence.to_le_bytes()), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_not_otherwise() {
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
        // What a new file is full of is no record.
        assert_eq!(decode(0, &[0; 64]), None);
    }
}
