//! The heads of all streams: the sequence of each stream's last entry and nothing else, so that an idle stream costs one
//! entry of a table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Each shard grows separately, so that no append waits for a table of millions to be moved.
const SHARDS: usize = 256;

/// Maps a stream to the sequence of its last entry.
type Shard = HashMap<u32, u64, BuildHasherDefault<Mix>>;

/// The table: 16 bytes and a control byte per slot, with between half and seven eighths of the slots in use.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    shards: Box<[Shard]>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { shards: vec![Shard::default(); SHARDS].into() }
    }
}

impl Streams {
    /// Notes an entry. One with a lower sequence than the head is ignored.
    #[inline]
    pub(crate) fn touch(&mut self, stream: u32, sequence: u64) {
        let head = self.shards[shard_of(stream)].entry(stream).or_insert(sequence);
        *head = (*head).max(sequence);
    }

    pub(crate) fn head(&self, stream: u32) -> Option<u64> {
        self.shards[shard_of(stream)].get(&stream).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(HashMap::len).sum()
    }

    /// Merges the heads of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (stream, head) in other.iter() {
            self.touch(stream, head);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        self.shards.iter().flatten().map(|(stream, head)| (*stream, *head))
    }

    /// The number of shards, for walking over them one at a time.
    pub(crate) const fn shards() -> usize {
        SHARDS
    }

    /// The heads in one shard that are lower than `end`.
    pub(crate) fn below(&self, shard: usize, end: u64) -> impl Iterator<Item = (u32, u64)> {
        self.shards[shard].iter().map(|(stream, head)| (*stream, *head)).filter(move |(_, head)| *head < end)
    }

    /// Bytes of memory, computed from the capacity.
    pub(crate) fn bytes(&self) -> usize {
        let slot = size_of::<(u32, u64)>() + 1;
        // The table holds seven eighths of its slots, which are a power of two, and at least four.
        let slots =
            |shard: &Shard| if shard.capacity() == 0 { 0 } else { (shard.capacity() * 8 / 7).next_power_of_two() };
        size_of_val(&*self.shards) + self.shards.iter().map(slots).sum::<usize>() * slot
    }
}

fn shard_of(stream: u32) -> usize {
    // Bits that the table itself uses neither for the slot nor for the control byte.
    (mix(stream) >> 48) as usize % SHARDS
}

/// Spreads a stream's number over 64 bits. The application chooses streams, so they are not chosen to collide.
fn mix(stream: u32) -> u64 {
    // Fibonacci hashing (Knuth, The Art of Computer Programming 6.4): 2⁶⁴ over the golden ratio, made odd.
    let product = u64::from(stream).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

/// [`mix`] as a hasher of `u32`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = mix((self.0 as u32).rotate_left(8) ^ u32::from(*byte)));
    }

    fn write_u32(&mut self, stream: u32) {
        self.0 = mix(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_the_highest_sequence_of_its_stream() {
        let mut streams = Streams::default();
        for (sequence, stream) in [(0, 7), (1, u32::MAX), (2, 7)] {
            streams.touch(stream, sequence);
        }
        streams.touch(7, 1);
        assert_eq!((streams.head(7), streams.head(u32::MAX), streams.head(1)), (Some(2), Some(1), None));
        let mut other = Streams::default();
        other.touch(1, 9);
        other.merge(&streams);
        assert_eq!((other.len(), other.head(7)), (3, Some(2)));
        let mut low: Vec<_> =
            (0..Streams::shards()).flat_map(|shard| other.below(shard, 2).collect::<Vec<_>>()).collect();
        low.sort_unstable();
        assert_eq!(low, [(u32::MAX, 1)]);
    }

    #[test]
    fn streams_spread_over_shards_whatever_their_stride() {
        for stride in [1_u32, 2, 64, 1 << 16, 1 << 24] {
            let mut streams = Streams::default();
            let count = (u32::MAX / stride).min(1 << 16);
            (0..count).for_each(|number| streams.touch(number * stride, 0));
            let largest = streams.shards.iter().map(HashMap::len).max().unwrap();
            assert!(largest <= 8 * (count as usize / SHARDS + 4), "stride {stride}: {largest} of {count} in one shard");
        }
    }
}
