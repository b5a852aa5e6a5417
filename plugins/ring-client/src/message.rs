//! Messages and their receiver: a sequence number in the first 8 bytes, little-endian, followed by a fixed pattern.

use bench_plugin::prelude::*;

const HEADER_BYTES: usize = 8;

/// A message of `bytes` bytes, at least 8, with sequence number 0. The pattern has no period, so a shifted or torn message
/// differs from a whole one.
pub(crate) fn new(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let pattern = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    std::iter::repeat_n(0, HEADER_BYTES).chain(pattern).take(bytes).collect()
}

/// Overwrites the sequence number.
#[inline]
pub(crate) fn number(message: &mut [u8], sequence: u64) {
    if let Some(header) = message.first_chunk_mut() {
        *header = sequence.to_le_bytes();
    }
}

/// The receiver: compares each message with the expected next one, and counts differences.
pub(crate) struct Receiver {
    expected: Vec<u8>,
    next: u64,
    received: u64,
    altered: u64,
    out_of_order: u64,
    pattern_digest: u64,
}

impl Receiver {
    /// A receiver of messages from [`new`] with the same size.
    pub(crate) fn new(bytes: usize) -> Self {
        let expected = new(bytes);
        let pattern_digest = fnv1a(&expected[HEADER_BYTES..]);
        Self { expected, next: 0, received: 0, altered: 0, out_of_order: 0, pattern_digest }
    }

    /// Compares every byte of a message. The number is compared by itself and not written to what is expected, because a wider load of
    /// that would wait for the store.
    #[inline]
    pub(crate) fn take(&mut self, message: &[u8]) {
        let is_next = match message.split_first_chunk() {
            Some((header, pattern)) => {
                u64::from_le_bytes(*header) == self.next && same(pattern, &self.expected[HEADER_BYTES..])
            }
            None => false,
        };
        if !is_next {
            self.blame(message);
        }
        self.next += 1;
        self.received += 1;
    }

    /// The number of messages received.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The numbers of messages that were altered and out of order.
    #[cfg(test)]
    pub(crate) fn wrong(&self) -> [u64; 2] {
        [self.altered, self.out_of_order]
    }

    /// A digest of the pattern, changed by every wrong message.
    pub(crate) fn digest(&self) -> u64 {
        self.pattern_digest.wrapping_add(self.altered + self.out_of_order)
    }

    /// The checks, given the number of messages sent.
    pub(crate) fn checks(&self, sent: u64) -> Vec<Check> {
        vec![
            Check::equal("content", &0, &self.altered),
            Check::equal("order", &0, &self.out_of_order),
            Check::equal("nothing-lost", &sent, &self.received),
        ]
    }

    /// Counts what is wrong with an unexpected message. The next one is expected to follow the number found, so that
    /// one gap is counted once.
    #[cold]
    fn blame(&mut self, message: &[u8]) {
        match message.split_first_chunk() {
            Some((header, pattern)) if pattern == &self.expected[HEADER_BYTES..] => {
                self.out_of_order += 1;
                self.next = u64::from_le_bytes(*header);
            }
            _ => self.altered += 1,
        }
    }
}

/// Compares two messages word by word, because `==` on slices is a call that, in a component, compares single bytes and
/// would cost more than the ring.
#[inline]
fn same(left: &[u8], right: &[u8]) -> bool {
    let ((left_words, left_rest), (right_words, right_rest)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    let pairs = left_words.iter().zip(right_words);
    let differing =
        pairs.fold(0, |bits, (left, right)| bits | (u64::from_ne_bytes(*left) ^ u64::from_ne_bytes(*right)));
    left.len() == right.len() && differing == 0 && left_rest == right_rest
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &[u8], altered: u64, out_of_order: u64) {
        let mut receiver = Receiver::new(64);
        receiver.take(message);
        assert_eq!((receiver.altered, receiver.out_of_order, receiver.received), (altered, out_of_order, 1));
        assert_eq!(receiver.digest() == Receiver::new(64).digest(), altered + out_of_order == 0);
    }

    #[test]
    fn every_altered_byte_is_counted() {
        check(&new(64), 0, 0);
        for at in 8..64 {
            let mut message = new(64);
            message[at] ^= 0x80;
            check(&message, 1, 0);
        }
    }

    #[test]
    fn a_message_of_another_length_counts_as_altered() {
        check(&new(64)[..63], 1, 0);
        check(&new(65), 1, 0);
        check(&[], 1, 0);
    }

    #[test]
    fn one_gap_is_counted_once() {
        let (mut receiver, mut message) = (Receiver::new(64), new(64));
        for sequence in [0, 1, 3, 4, 5] {
            number(&mut message, sequence);
            receiver.take(&message);
        }
        assert_eq!((receiver.altered, receiver.out_of_order, receiver.received), (0, 1, 5));
    }

    #[test]
    fn the_digest_is_the_published_function() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn words_and_remaining_bytes_are_compared() {
        assert!(same(b"0123456789", b"0123456789"));
        assert!(!same(b"0123456789", b"0123456780"));
        assert!(!same(b"0123456789", b"x123456789"));
        assert!(!same(b"01234567", b"0123456789"));
    }
}
