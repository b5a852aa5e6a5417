//! Messages: a number, and words that follow from it. Composing and checking one is the same work for every queue.

/// A message of `W` words.
pub(crate) type Message<const W: usize> = [[u8; 8]; W];

/// What a word differs by from the one before it; odd, so that neighbouring numbers share no word.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The message with this number.
#[inline(always)]
pub(crate) fn message<const W: usize>(number: u64) -> Message<W> {
    std::array::from_fn(|word| number.wrapping_add((word as u64).wrapping_mul(STEP)).to_ne_bytes())
}

/// What one side sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Messages that were not the next one.
    pub(crate) wrong: u64,
}

impl Tally {
    /// Counts a received message, and compares all of it with the one that is due.
    #[inline(always)]
    pub(crate) fn count<const W: usize>(&mut self, found: &[u8]) {
        self.wrong += u64::from(found != message::<W>(self.received).as_flattened());
        self.received += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_that_is_due_counts_as_right() {
        let mut tally = Tally::default();
        tally.count::<7>(message::<7>(0).as_flattened());
        assert_eq!(tally, Tally { sent: 0, received: 1, wrong: 0 });
        tally.count::<7>(message::<7>(0).as_flattened());
        tally.count::<7>(message::<1>(2).as_flattened());
        let mut damaged = message::<7>(3);
        damaged[6][7] ^= 1;
        tally.count::<7>(damaged.as_flattened());
        assert_eq!(tally, Tally { sent: 0, received: 4, wrong: 3 });
    }
}
