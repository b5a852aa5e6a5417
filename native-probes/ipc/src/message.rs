//! Messages that carry a sequence number and a known pattern, and the peer's report.

/// The direction of a message. The patterns differ, so that a process cannot accept its own message as the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    ToPeer,
    FromPeer,
}

/// The first eight bytes of a message: a sequence number and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    /// The last message of a batch: acknowledge it.
    pub(crate) const LAST: u64 = 1 << 63;
    /// Not a message but a request for a [`Report`].
    pub(crate) const QUERY: Self = Self(1 << 62);
    /// Not a message but a request to end.
    pub(crate) const STOP: Self = Self(1 << 61);
    /// Not a message but the start of raw round trips, whose number is in the place of the sequence number.
    const BARE: u64 = 1 << 60;
    const SEQUENCE: u64 = (1 << 60) - 1;

    pub(crate) fn data(sequence: u64, last: bool) -> Self {
        Self(sequence & Self::SEQUENCE | if last { Self::LAST } else { 0 })
    }

    /// The start of `rounds` raw round trips.
    pub(crate) fn bare(rounds: u64) -> Self {
        Self(Self::BARE | rounds & Self::SEQUENCE)
    }

    /// The number of raw round trips, if this word starts some.
    pub(crate) fn bare_rounds(self) -> Option<u64> {
        (self.0 & !Self::SEQUENCE == Self::BARE).then(|| self.sequence())
    }

    pub(crate) fn sequence(self) -> u64 {
        self.0 & Self::SEQUENCE
    }

    pub(crate) fn is_last(self) -> bool {
        self.0 & Self::LAST != 0
    }

    /// Whether it is a message, and no request to the peer.
    #[inline(always)]
    pub(crate) fn is_data(self) -> bool {
        self.0 & (Self::QUERY.0 | Self::STOP.0 | Self::BARE) == 0
    }

    /// The word of a message.
    #[inline(always)]
    pub(crate) fn of(message: &[u8]) -> Self {
        Self(message.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes)))
    }
}

/// Messages of one direction, created in advance: sending one costs a store of its word, checking one a comparison.
#[derive(Debug)]
pub(crate) struct Messages([Vec<u8>; VARIANTS]);

/// Bytes of a [`Word`], with which a message begins.
const WORD_BYTES: usize = 8;

/// Number of patterns, which messages use in turn, so that a stale message fails the check. It is odd because
/// transports reuse buffers after a power of two of messages.
const VARIANTS: usize = 3;

impl Messages {
    pub(crate) fn new(direction: Direction, len: usize) -> Self {
        let salt = if direction == Direction::ToPeer { 0 } else { VARIANTS };
        Self(std::array::from_fn(|variant| pattern((variant + salt) as u64, len)))
    }

    /// Returns the message with this word.
    #[inline(always)]
    pub(crate) fn with(&mut self, word: Word) -> &[u8] {
        let message = &mut self.0[(word.sequence() % VARIANTS as u64) as usize];
        message[..WORD_BYTES].copy_from_slice(&word.0.to_ne_bytes());
        message
    }

    /// Returns the word of `found`, and whether `found` equals the message `sequence`.
    #[inline(always)]
    pub(crate) fn check(&self, sequence: u64, found: &[u8]) -> (Word, bool) {
        let word = Word::of(found);
        let expected = &self.0[(sequence % VARIANTS as u64) as usize];
        (word, word.sequence() == sequence && found.len() == expected.len() && same(&found[8..], &expected[8..]))
    }

    /// Writes the messages from number `first` on to `run`, one behind the other and as many as it holds; the last of them has the
    /// flag if `last`. Returns `digest` with their words folded into it.
    pub(crate) fn compose(&self, first: u64, last: bool, digest: u64, run: &mut [u8]) -> u64 {
        // With a length that is known when this is compiled, a short message is a few stores and no call.
        match self.0[0].len() {
            8 => self.compose_each(8, first, last, digest, run),
            56 => self.compose_each(56, first, last, digest, run),
            len => self.compose_each(len, first, last, digest, run),
        }
    }

    #[inline(always)]
    fn compose_each(&self, len: usize, first: u64, last: bool, mut digest: u64, run: &mut [u8]) -> u64 {
        let patterns: [&[u8]; VARIANTS] = std::array::from_fn(|variant| &self.0[variant][WORD_BYTES..len]);
        let flagged = last.then(|| first + (run.len() / len) as u64 - 1);
        let mut variant = (first % VARIANTS as u64) as usize;
        for (sequence, message) in (first..).zip(run.chunks_exact_mut(len)) {
            let word = Word::data(sequence, flagged == Some(sequence));
            message[..WORD_BYTES].copy_from_slice(&word.0.to_ne_bytes());
            message[WORD_BYTES..].copy_from_slice(patterns[variant]);
            digest = fold(digest, word);
            variant = if variant == VARIANTS - 1 { 0 } else { variant + 1 };
        }
        digest
    }

    /// Checks and counts the messages of `run`, one behind the other, up to the first that ends a batch and before the first that is
    /// none. Returns the bytes of those that were counted, and whether the last of them ends a batch.
    pub(crate) fn check_run(&self, received: &mut Received, run: &[u8]) -> (usize, bool) {
        match self.0[0].len() {
            8 => self.check_each(8, received, run),
            56 => self.check_each(56, received, run),
            len => self.check_each(len, received, run),
        }
    }

    #[inline(always)]
    fn check_each(&self, len: usize, received: &mut Received, run: &[u8]) -> (usize, bool) {
        let patterns: [&[u8]; VARIANTS] = std::array::from_fn(|variant| &self.0[variant][WORD_BYTES..len]);
        // A copy, so that the counters stay in registers.
        let mut seen = *received;
        let mut variant = (seen.messages % VARIANTS as u64) as usize;
        let (mut counted, mut ends) = (0, false);
        for message in run.chunks_exact(len) {
            let word = Word::of(message);
            if !word.is_data() {
                break;
            }
            let matches = word.sequence() == seen.messages && same(&message[WORD_BYTES..], patterns[variant]);
            seen.count(word, matches);
            counted += len;
            variant = if variant == VARIANTS - 1 { 0 } else { variant + 1 };
            if word.is_last() {
                ends = true;
                break;
            }
        }
        *received = seen;
        (counted, ends)
    }

    /// A digest of the patterns, the same for the same direction and length.
    pub(crate) fn digest(&self) -> u64 {
        self.0.iter().fold(0, |digest, message| u64::from(crc32c::crc32c_append(digest as u32, &message[8..])))
    }
}

/// Compares two buffers of one length; short ones without a call of `memcmp`.
#[inline(always)]
fn same(left: &[u8], right: &[u8]) -> bool {
    match (left.as_chunks::<8>(), right.as_chunks::<8>()) {
        ((left, []), (right, [])) if left.len() <= 8 => {
            let difference =
                |(left, right): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*left) ^ u64::from_ne_bytes(*right);
            left.iter().zip(right).map(difference).fold(0, std::ops::BitOr::bitor) == 0
        }
        _ => left == right,
    }
}

/// `len` pseudo-random bytes (splitmix64).
fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// What one side received: the number of messages, the number of wrong ones, and a digest of the sequence numbers in
/// order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) messages: u64,
    pub(crate) mismatches: u64,
    pub(crate) digest: u64,
}

impl Received {
    #[inline]
    pub(crate) fn count(&mut self, word: Word, matches: bool) {
        self.messages += 1;
        self.mismatches += u64::from(!matches);
        self.digest = fold(self.digest, word);
    }
}

/// A digest that depends on the order.
#[inline]
pub(crate) fn fold(digest: u64, word: Word) -> u64 {
    digest.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word.0
}

/// The report of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) received: Received,
    /// The CPU that it ran on when it wrote this.
    pub(crate) cpu: usize,
}

impl Report {
    /// Its length as a message.
    pub(crate) const BYTES: usize = 40;
    const MAGIC: u64 = u64::from_le_bytes(*b"bh-ipc-r");

    pub(crate) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let Received { messages, mismatches, digest } = self.received;
        for (index, field) in [Self::MAGIC, messages, mismatches, digest, self.cpu as u64].into_iter().enumerate() {
            bytes[8 * index..8 * (index + 1)].copy_from_slice(&field.to_ne_bytes());
        }
        bytes
    }

    /// `None` if `bytes` are not a report.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, _) = bytes.as_chunks::<8>();
        let fields: [u64; 5] =
            std::array::from_fn(|index| fields.get(index).map_or(0, |field| u64::from_ne_bytes(*field)));
        let [magic, messages, mismatches, digest, cpu] = fields;
        (magic == Self::MAGIC)
            .then_some(Self { received: Received { messages, mismatches, digest }, cpu: usize::try_from(cpu).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_expected_message_passes() {
        let mut sent = Messages::new(Direction::ToPeer, 64);
        let expected = Messages::new(Direction::ToPeer, 64);
        let message = sent.with(Word::data(7, true)).to_vec();
        assert_eq!(expected.check(7, &message), (Word::data(7, true), true));
        assert!(!expected.check(8, &message).1);
        assert!(!expected.check(7, &message[..63]).1);
        assert!(!Messages::new(Direction::FromPeer, 64).check(7, &message).1);
        let mut damaged = message.clone();
        damaged[63] ^= 1;
        assert!(!expected.check(7, &damaged).1);
        // The body of an old message with the new word.
        let mut stale = sent.with(Word::data(5, false)).to_vec();
        stale[..8].copy_from_slice(&message[..8]);
        assert!(!expected.check(7, &stale).1);
    }

    /// Composes a run of messages and reads it back: all of it at once, message by message, and what was damaged in it.
    fn check_runs(len: usize) {
        let mut one_by_one = Messages::new(Direction::ToPeer, len);
        let run_of = Messages::new(Direction::ToPeer, len);
        let mut run = vec![0; 7 * len];
        let digest = run_of.compose(5, true, 1, &mut run);
        let (mut expected, mut words) = (Vec::new(), 1);
        for sequence in 5..12 {
            let word = Word::data(sequence, sequence == 11);
            expected.extend_from_slice(one_by_one.with(word));
            words = fold(words, word);
        }
        assert!(run == expected && digest == words, "{len}");
        let from = Received { messages: 5, mismatches: 0, digest: 1 };
        let mut received = from;
        assert_eq!(run_of.check_run(&mut received, &run), (7 * len, true), "{len}");
        assert_eq!(received, Received { messages: 12, mismatches: 0, digest }, "{len}");
        // A request is not counted, and neither is what follows it.
        run[2 * len..][..8].copy_from_slice(&Word::QUERY.0.to_ne_bytes());
        received = from;
        assert_eq!(run_of.check_run(&mut received, &run), (2 * len, false), "{len}");
        assert_eq!((received.messages, received.mismatches), (7, 0), "{len}");
        // The last byte of a message, or of one that is only its word, the number.
        let damaged = if len == 8 { 0 } else { 2 * len - 1 };
        run[damaged] ^= 1;
        received = from;
        run_of.check_run(&mut received, &run);
        assert_eq!(received.mismatches, 1, "{len}");
    }

    #[test]
    fn a_run_of_messages_is_composed_and_checked_as_single_ones() {
        [8, 56, 64, 1024].into_iter().for_each(check_runs);
    }

    #[test]
    fn a_report_is_read_back() {
        let report = Report { received: Received { messages: 1, mismatches: 2, digest: 3 }, cpu: 4 };
        assert_eq!(Report::decode(&report.encode()), Some(report));
        assert_eq!(Report::decode(&[0; Report::BYTES]), None);
    }
}
