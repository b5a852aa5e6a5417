//! A sparse index of one segment: the position of a record every so many bytes. It must not assume that the record it points
//! at has been published.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Grows while it is read. Its memory is bounded by the segment's size divided by the stride.
#[derive(Debug)]
pub(crate) struct Index {
    /// Sequences since the segment's first in the upper half, words since the segment's start in the lower.
    entries: Box<[AtomicU64]>,
    len: AtomicUsize,
}

/// The position of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Sequences since the segment's first.
    pub(crate) delta: u64,
    /// Bytes since the segment's start.
    pub(crate) offset: usize,
}

impl Index {
    /// An empty index for a segment of `segment_bytes`, with an entry at most every `stride_bytes`.
    pub(crate) fn new(segment_bytes: usize, stride_bytes: usize) -> Self {
        let entries = (0..segment_bytes / stride_bytes + 1).map(|_| AtomicU64::new(0)).collect();
        Self { entries, len: AtomicUsize::new(0) }
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// Adds the next position. One thread does this at a time; a position that does not fit is left out, and found by walking.
    pub(crate) fn push(&self, place: Place) {
        let len = self.len.load(Ordering::Relaxed);
        let (Ok(delta), Ok(word)) = (u32::try_from(place.delta), u32::try_from(place.offset / 8)) else { return };
        let Some(entry) = self.entries.get(len) else { return };
        entry.store(u64::from(delta) << 32 | u64::from(word), Ordering::Relaxed);
        // Release: a thread that sees the length sees the entry.
        self.len.store(len + 1, Ordering::Release);
    }

    /// The last place at or before `delta` that lies below `end` bytes, where the caller knows records to be published.
    pub(crate) fn find(&self, delta: u64, end: usize) -> Option<Place> {
        let len = self.len.load(Ordering::Acquire);
        let fits = |place: Place| place.delta <= delta && place.offset < end;
        let (mut low, mut high) = self.bracket(delta, len, fits)?;
        // `low` fits and `high` does not.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(self.get(middle)) { low = middle } else { high = middle }
        }
        Some(self.get(low))
    }

    /// An entry that fits and one behind it that does not, close to each other where records are about as long as their
    /// neighbours: the entry is guessed from the last one, and the distance doubled until it encloses.
    fn bracket(&self, delta: u64, len: usize, fits: impl Fn(Place) -> bool) -> Option<(usize, usize)> {
        let last = self.get(len.checked_sub(1)?);
        let guess = delta.saturating_mul(len as u64 - 1) / last.delta.max(1);
        let guess = (guess as usize).min(len - 1);
        let mut step = 1;
        if fits(self.get(guess)) {
            let mut low = guess;
            loop {
                let high = low.saturating_add(step).min(len);
                if high == len || !fits(self.get(high)) {
                    return Some((low, high));
                }
                (low, step) = (high, step * 2);
            }
        }
        let mut high = guess;
        loop {
            let low = high.saturating_sub(step);
            if fits(self.get(low)) {
                return Some((low, high));
            }
            if low == 0 {
                return None;
            }
            (high, step) = (low, step * 2);
        }
    }

    fn get(&self, index: usize) -> Place {
        let entry = self.entries[index].load(Ordering::Relaxed);
        Place { delta: entry >> 32, offset: (entry as u32) as usize * 8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn index_finds_the_last_position_at_or_before(
            steps in prop::collection::vec((1_u64..50, 1_usize..9), 0..60),
            wanted in 0_u64..2000,
            end in 0_usize..3000,
        ) {
            let index = Index::new(64 * 64, 64);
            let mut places = Vec::new();
            let mut next = Place { delta: 0, offset: 0 };
            for (delta, words) in steps {
                index.push(next);
                places.push(next);
                next = Place { delta: next.delta + delta, offset: next.offset + words * 8 };
            }
            let expected = places.into_iter().rfind(|place| place.delta <= wanted && place.offset < end);
            prop_assert_eq!(index.find(wanted, end), expected);
        }
    }

    #[test]
    fn position_that_does_not_fit_is_left_out() {
        let index = Index::new(64, 64);
        for number in 0..10 {
            index.push(Place { delta: number, offset: number as usize * 64 });
        }
        assert_eq!(index.find(9, 1000).unwrap().delta, 1);
        index.push(Place { delta: u64::MAX, offset: 0 });
        assert_eq!(Index::new(64, 64).find(0, 64), None);
    }
}
