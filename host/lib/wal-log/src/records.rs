//! Iterates over the records of a list of segments in order, without control records.

use crate::ReadError;
use crate::header::HEADER_BYTES;
use crate::record::{Flags, Record};
use crate::segment::Segment;
use std::ops::Range;
use std::sync::Arc;

/// An iterator over entries; see [`crate::Snapshot::iter`]. After an error it yields nothing more.
#[derive(Clone, Debug)]
pub struct Records<'s> {
    segments: &'s [Arc<Segment>],
    /// The index of the segment that is walked over.
    index: usize,
    /// Its published bytes, as far as they were when last looked at.
    published: &'s [u8],
    offset: usize,
    /// The sequence that the next record should have; an entry with a lower one is skipped.
    expected: u64,
    range: Range<u64>,
}

impl<'s> Records<'s> {
    /// Starts with the first entry of the range; `index` is the segment that it would be in.
    pub(crate) fn new(segments: &'s [Arc<Segment>], index: usize, range: Range<u64>) -> Self {
        let segment = &segments[index];
        let published = segment.published();
        let start = segment.start_of_walk(range.start, published.len());
        let expected = segment.first_sequence() + start.delta;
        Self { segments, index, published, offset: start.offset, expected, range }
    }

    /// Whether there is a record at the offset, in this segment or the next.
    #[inline]
    fn advance(&mut self) -> bool {
        self.offset < self.published.len() || self.look_again()
    }

    /// Looks whether more was published since, and whether there is another segment.
    #[cold]
    fn look_again(&mut self) -> bool {
        loop {
            self.published = self.segments[self.index].published();
            if self.offset < self.published.len() {
                return true;
            }
            let Some(next) = self.segments.get(self.index + 1) else { return false };
            // Only the last segment grows; what was published of this one above is all of it.
            self.index += 1;
            self.offset = HEADER_BYTES;
            self.expected = next.first_sequence();
        }
    }

    fn stop(&mut self) {
        self.range.end = 0;
    }
}

impl<'s> Iterator for Records<'s> {
    type Item = Result<Record<'s>, ReadError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.expected < self.range.end && self.advance() {
            let found = match self.segments[self.index].check(self.published, self.offset, self.expected) {
                Ok(found) => found,
                Err(error) => {
                    self.stop();
                    return Some(Err(error));
                }
            };
            let bytes = &self.published[self.offset..];
            self.offset += found.footprint();
            match found.head.flags {
                Flags::COMMIT => continue,
                Flags::GAP => {
                    self.expected = found.head.sequence + u64::from(found.head.stream);
                    continue;
                }
                _ => self.expected = found.head.sequence + 1,
            }
            // A gap may have led beyond the range.
            if found.head.sequence >= self.range.end {
                self.stop();
                return None;
            }
            if found.head.sequence >= self.range.start {
                return Some(Ok(found.record(bytes)));
            }
        }
        None
    }
}
