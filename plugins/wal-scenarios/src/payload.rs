//! What a payload says: its sequence in the first 8 bytes, little endian, and a fixed pattern behind it. It must not know how
//! payloads are kept.

/// Bytes of the sequence.
const HEAD_BYTES: usize = size_of::<u64>();

/// A payload of `bytes` bytes, at least 8, with sequence 0. The pattern has no period, so that a shifted or torn payload
/// differs from a whole one.
pub(crate) fn new(bytes: usize) -> Vec<u8> {
    let mut payload = vec![0; HEAD_BYTES];
    payload.extend(random(0x5eed).map(|number| number as u8).take(bytes - HEAD_BYTES));
    payload
}

/// Writes a sequence over the one that is there.
#[inline]
pub(crate) fn number(payload: &mut [u8], sequence: u64) {
    if let Some(head) = payload.first_chunk_mut() {
        *head = sequence.to_le_bytes();
    }
}

/// The sequence that a payload says it has.
#[inline]
pub(crate) fn sequence(payload: &[u8]) -> Option<u64> {
    payload.first_chunk().map(|head| u64::from_le_bytes(*head))
}

/// What payloads of one size have in common, in one number.
pub(crate) fn digest(payload: &[u8]) -> u64 {
    payload[HEAD_BYTES..].iter().fold(payload.len() as u64, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
    })
}

/// Numbers that look random, 32 bits each; equal for equal seeds. The generator is xorshift64* (Marsaglia 2003, Vigna
/// 2016), of which the upper half is taken.
pub(crate) fn random(seed: u64) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_the_pattern_counts_and_the_sequence_does_not() {
        let whole = new(64);
        for at in 0..64 {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert_eq!(digest(&altered) == digest(&whole), at < 8, "byte {at}");
        }
        assert_ne!(digest(&new(65)), digest(&whole));
    }

    #[test]
    fn a_sequence_is_read_as_it_was_written() {
        let mut payload = new(8);
        number(&mut payload, 1 << 40);
        assert_eq!((sequence(&payload), sequence(&payload[..7])), (Some(1 << 40), None));
    }
}
