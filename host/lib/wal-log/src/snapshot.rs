//! The segments of a log at one moment, held so that none of them is recycled, and reading from them by sequence.

use crate::ReadError;
use crate::record::{self, Flags, Found, HEAD_BYTES, Record};
use crate::records::Records;
use crate::segment::Segment;
use crate::shared::Segments;
use std::ops::Range;
use std::sync::Arc;

/// A view of a log. Entries appended to the segment that was the last when the view was taken appear in it; later segments do not.
/// Records are borrowed from the mapped files, and while this lives, none of its segments is unmapped or recycled: a view that is
/// kept for long keeps disk space, and one that outlives the log prevents opening it again.
#[derive(Clone, Debug)]
pub struct Snapshot {
    segments: Segments,
}

impl Snapshot {
    pub(crate) fn new(segments: Segments) -> Self {
        Self { segments }
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The sequence of the first entry, or of the next one where there is none.
    pub fn first_sequence(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.first_sequence())
    }

    /// The first sequence that is not in the view.
    pub fn next_sequence(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.next_sequence())
    }

    /// The number of segments.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The entry of a sequence, checked against its checksum.
    pub fn read(&self, sequence: u64) -> Result<Record<'_>, ReadError> {
        let (segment, place) = self.find(sequence)?;
        Ok(place.found.record(&segment.published()[place.offset..]))
    }

    /// Entries from `from` on, in order, each checked against its checksum. `from` may be the next sequence. The iterator also yields
    /// entries that are appended later: `None` is not final.
    pub fn iter(&self, from: u64) -> Result<Records<'_>, ReadError> {
        self.range(from..u64::MAX)
    }

    /// As [`Snapshot::iter`], up to the end of the range.
    pub fn range(&self, range: Range<u64>) -> Result<Records<'_>, ReadError> {
        let index = self.segment_index(range.start)?;
        Ok(Records::new(&self.segments, index, range))
    }

    pub(crate) fn find(&self, sequence: u64) -> Result<(&Arc<Segment>, Place), ReadError> {
        let index = self.segment_index(sequence)?;
        let segment = &self.segments[index];
        let next = match self.segments.get(index + 1) {
            Some(next) => next.first_sequence(),
            None => segment.next_sequence(),
        };
        if sequence >= next {
            return Err(ReadError::Beyond { sequence, next });
        }
        // What the segment does not have although the next one begins after it was lost.
        find(segment, sequence)?.map(|place| (segment, place)).ok_or(ReadError::Lost { sequence, next })
    }

    /// The segment of a sequence, also of one that is lost or not yet appended.
    fn segment_index(&self, sequence: u64) -> Result<usize, ReadError> {
        let (first, next) = (self.first_sequence(), self.next_sequence());
        if sequence < first {
            return Err(ReadError::Recycled { sequence, first });
        }
        if sequence > next {
            return Err(ReadError::Beyond { sequence, next });
        }
        Ok(self.segments.partition_point(|segment| segment.first_sequence() <= sequence) - 1)
    }
}

/// A record and its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) found: Found,
}

/// Walks from the nearest entry of the index to the record of `sequence`, which is at or after the segment's first; `None` where the
/// segment ends before. Records on the way are not checked, only the wanted one; if the walk fails, it is repeated with checks to
/// find the damage.
fn find(segment: &Segment, sequence: u64) -> Result<Option<Place>, ReadError> {
    let published = segment.published();
    let mut offset = segment.start_of_walk(sequence, published.len()).offset;
    while let Some(bytes) = published.get(offset..offset + HEAD_BYTES) {
        let (head, step) = (record::head_at(bytes), record::claimed_footprint(bytes));
        let is_control = [Flags::COMMIT, Flags::GAP].contains(&head.flags);
        if head.sequence == sequence && !is_control {
            let found = segment.check(published, offset, sequence)?;
            return Ok(Some(Place { offset, found }));
        }
        if head.sequence > sequence || head.flags == Flags::GAP || step < HEAD_BYTES {
            break;
        }
        offset += step;
    }
    if offset == published.len() { Ok(None) } else { find_carefully(segment, published, sequence) }
}

/// As [`find`], but checks every record.
#[cold]
fn find_carefully(segment: &Segment, published: &[u8], sequence: u64) -> Result<Option<Place>, ReadError> {
    let start = segment.start_of_walk(sequence, published.len());
    let mut offset = start.offset;
    let mut expected = segment.first_sequence() + start.delta;
    while offset < published.len() {
        let found = segment.check(published, offset, expected)?;
        match found.head.flags {
            Flags::COMMIT => {}
            Flags::GAP => {
                expected = found.head.sequence + u64::from(found.head.stream);
                if sequence < expected {
                    return Err(ReadError::Lost { sequence, next: expected });
                }
            }
            _ if found.head.sequence == sequence => return Ok(Some(Place { offset, found })),
            _ => expected = found.head.sequence + 1,
        }
        offset += found.footprint();
    }
    Ok(None)
}

/// An entry that keeps its segment alive: while this lives, the segment is neither unmapped nor recycled, and the log cannot be opened
/// again.
#[derive(Clone, Debug)]
pub struct HeldEntry {
    segment: Arc<Segment>,
    place: Place,
}

impl HeldEntry {
    pub(crate) fn new(segment: &Arc<Segment>, place: Place) -> Self {
        Self { segment: Arc::clone(segment), place }
    }

    /// The entry.
    pub fn record(&self) -> Record<'_> {
        self.place.found.record(&self.segment.published()[self.place.offset..])
    }
}
