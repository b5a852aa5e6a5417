//! Scans one segment for recovery: which records are valid, where they end, and whether anything valid follows. It must not
//! change a byte.

use crate::checksum::{self, Crc, Seed, Work, dispatch};
use crate::damage::BadRecord;
use crate::header::HEADER_BYTES;
use crate::index::{Index, Place};
use crate::record::{self, Flags, Found, HEAD_BYTES};
use crate::segment::Segment;
use crate::streams::Streams;

/// Bytes that are skipped at once where they are zero.
const BLOCK: usize = 64;

/// The content of a segment.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Behind the last record that counts.
    pub(crate) end: usize,
    /// The first sequence that is not in the segment.
    pub(crate) next_sequence: u64,
    /// Entries that count.
    pub(crate) entries: u64,
    pub(crate) streams: Streams,
    /// Invalid ranges that valid records follow.
    pub(crate) stretches: Vec<Stretch>,
    /// Entries behind the end whose transaction has no commit record.
    pub(crate) uncommitted: u64,
    /// The end of the remains of an interrupted append; at least `end`.
    pub(crate) torn_end: usize,
}

/// Damage within a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Its start, and the sequence expected there.
    pub(crate) from: usize,
    pub(crate) sequence: u64,
    /// The offset of the bad record, which is after `from` where a transaction is lost with it.
    pub(crate) bad_offset: usize,
    pub(crate) bad_sequence: u64,
    pub(crate) bad: BadRecord,
    /// The next valid record.
    pub(crate) next: Point,
    /// The next valid record that a log can go on with, which is none from the middle of a transaction.
    pub(crate) resume: Option<Point>,
}

/// A record's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) offset: usize,
    pub(crate) sequence: u64,
}

/// Scans an activated segment. `successor` is the first sequence of the next one: if the records end there and the scan is not
/// thorough, the bytes after them are not checked.
pub(crate) fn scan(segment: &mut Segment, stride: usize, successor: Option<u64>, is_thorough: bool) -> Scan {
    let (seed, first_sequence) = (segment.seed(), segment.first_sequence());
    let is_recycled = segment.identity().is_recycled;
    let (bytes, index) = segment.parts();
    let mut run = Run::new(bytes, index, seed, first_sequence, stride);
    let mut stretches = Vec::new();
    loop {
        let bad = dispatch(&mut run);
        let ends_well = run.open.is_none() && successor == Some(run.sequence);
        if ends_well && !is_thorough {
            return run.into_scan(stretches, None, is_recycled);
        }
        let search = search(bytes, seed, run.search_from(), run.sequence);
        let Some(next) = search.next else { return run.into_scan(stretches, Some(search), is_recycled) };
        let (start, sequence) = run.start_of_unfinished();
        let resume = search.resume.filter(|point| point.offset >= start + HEAD_BYTES);
        let (bad_offset, bad_sequence) = (run.offset, run.sequence);
        stretches.push(Stretch { from: start, sequence, bad_offset, bad_sequence, bad, next, resume });
        let Some(point) = resume else { return run.into_scan(stretches, Some(search), is_recycled) };
        run.resume(point);
    }
}

/// The walk from record to record.
#[derive(Debug)]
struct Run<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    seed: Seed,
    first_sequence: u64,
    stride: usize,
    offset: usize,
    /// The sequence that the record at the offset should have.
    sequence: u64,
    index_at: usize,
    entries: u64,
    streams: Streams,
    /// Stream and sequence of the last entry, which is not in `streams` yet: entries of one stream often come in a row.
    last: Option<(u32, u64)>,
    /// The transaction that the offset is in.
    open: Option<Open>,
}

/// A transaction whose commit record has not been found yet.
#[derive(Debug)]
struct Open {
    start: Point,
    /// Stream, sequence and offset of each entry.
    members: Vec<(u32, Point)>,
}

impl<'a> Run<'a> {
    fn new(bytes: &'a [u8], index: &'a Index, seed: Seed, first_sequence: u64, stride: usize) -> Self {
        Self {
            bytes,
            index,
            seed,
            first_sequence,
            stride,
            offset: HEADER_BYTES,
            sequence: first_sequence,
            index_at: HEADER_BYTES,
            entries: 0,
            streams: Streams::default(),
            last: None,
            open: None,
        }
    }

    /// An entry that counts.
    #[inline(always)]
    fn note(&mut self, stream: u32, point: Point) {
        self.entries += 1;
        if let Some((last, sequence)) = self.last.replace((stream, point.sequence))
            && last != stream
        {
            self.streams.touch(last, sequence);
        }
        if point.offset >= self.index_at {
            self.push_index(point);
        }
    }

    #[cold]
    fn push_index(&mut self, point: Point) {
        self.index.push(Place { delta: point.sequence - self.first_sequence, offset: point.offset });
        self.index_at = point.offset + self.stride;
    }

    /// A record that is more than an entry on its own.
    #[cold]
    fn accept(&mut self, found: Found) -> Result<(), BadRecord> {
        let point = Point { offset: self.offset, sequence: self.sequence };
        match (found.head.flags, &mut self.open) {
            (Flags::GAP, None) => self.sequence += u64::from(found.head.stream),
            (Flags::FIRST_MEMBER, None) => {
                self.open = Some(Open { start: point, members: vec![(found.head.stream, point)] });
                self.sequence += 1;
            }
            (Flags::MEMBER, Some(open)) => {
                open.members.push((found.head.stream, point));
                self.sequence += 1;
            }
            (Flags::COMMIT, Some(open)) => {
                let payload = found.record(&self.bytes[self.offset..]).payload;
                if payload != (open.members.len() as u64).to_le_bytes() {
                    return Err(BadRecord::Transaction);
                }
                let members = std::mem::take(&mut open.members);
                self.open = None;
                members.into_iter().for_each(|(stream, point)| self.note(stream, point));
            }
            _ => return Err(BadRecord::Transaction),
        }
        Ok(())
    }

    /// Where to look for valid records. The bad record itself may be one that is only not part of the transaction in front
    /// of it.
    fn search_from(&self) -> usize {
        if self.open.is_some() { self.offset } else { self.offset + 8 }
    }

    /// The offset from which nothing counts.
    fn start_of_unfinished(&self) -> (usize, u64) {
        let start = self.open.as_ref().map(|open| open.start);
        start.map_or((self.offset, self.sequence), |start| (start.offset, start.sequence))
    }

    fn resume(&mut self, point: Point) {
        self.open = None;
        (self.offset, self.sequence) = (point.offset, point.sequence);
    }

    fn into_scan(mut self, stretches: Vec<Stretch>, search: Option<Search>, is_recycled: bool) -> Scan {
        if let Some((stream, sequence)) = self.last {
            self.streams.touch(stream, sequence);
        }
        let (end, next_sequence) = self.start_of_unfinished();
        let uncommitted = self.open.as_ref().map_or(0, |open| open.members.len() as u64);
        let rest = &self.bytes[self.offset..];
        let is_head = rest.len() >= HEAD_BYTES;
        // In a file that was never anything else, whatever is not zero was left by an append. In a recycled one it was left
        // by the append if it has the sequence that was next.
        let is_torn = uncommitted > 0 || !is_recycled || (is_head && record::head_at(rest).sequence == self.sequence);
        let own_end = if is_head && record::word_at(rest, 0) != 0 { self.offset + 8 } else { self.offset };
        let torn_end = search.filter(|_| is_torn).map_or(end, |search| search.nonzero_end.max(own_end));
        let Self { entries, streams, .. } = self;
        Scan { end, next_sequence, entries, streams, stretches, uncommitted, torn_end }
    }
}

impl Work for &mut Run<'_> {
    type Output = BadRecord;

    /// Walks to the first record that is none, and says why.
    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> BadRecord {
        loop {
            let found = match record::check(crc, &self.bytes[self.offset..], self.seed) {
                Ok(found) => found,
                Err(bad) => return bad,
            };
            if found.head.sequence != self.sequence {
                return BadRecord::Sequence { found: found.head.sequence };
            }
            if found.head.flags == Flags::ENTRY && self.open.is_none() {
                self.note(found.head.stream, Point { offset: self.offset, sequence: self.sequence });
                self.sequence += 1;
            } else if let Err(bad) = self.accept(found) {
                return bad;
            }
            checksum::fetch_ahead(self.bytes, self.offset, found.footprint());
            self.offset += found.footprint();
        }
    }
}

/// What lies behind a bad record.
#[derive(Clone, Copy, Debug, Default)]
struct Search {
    next: Option<Point>,
    resume: Option<Point>,
    /// Behind the last byte that is not zero, as far as the search went.
    nonzero_end: usize,
}

/// Looks for valid records from `from` on, which should have sequences from `sequence` on.
fn search(bytes: &[u8], seed: Seed, from: usize, sequence: u64) -> Search {
    dispatch(SearchWork { bytes, seed, from, sequence })
}

struct SearchWork<'a> {
    bytes: &'a [u8],
    seed: Seed,
    from: usize,
    sequence: u64,
}

impl Work for SearchWork<'_> {
    type Output = Search;

    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> Search {
        let Self { bytes, seed, from, sequence } = self;
        let mut search = Search::default();
        let mut offset = from;
        while offset + 8 <= bytes.len() {
            if offset.is_multiple_of(BLOCK) && bytes.len() - offset >= BLOCK && is_zero(&bytes[offset..offset + BLOCK])
            {
                offset += BLOCK;
                continue;
            }
            let rest = &bytes[offset..];
            if record::word_at(rest, 0) == 0 {
                offset += 8;
                continue;
            }
            search.nonzero_end = offset + 8;
            let Some(found) =
                plausible(crc, rest, seed, sequence..=sequence + ((offset - from) / HEAD_BYTES) as u64 + 1)
            else {
                offset += 8;
                continue;
            };
            let point = Point { offset, sequence: found.head.sequence };
            search.next.get_or_insert(point);
            if [Flags::ENTRY, Flags::FIRST_MEMBER, Flags::GAP].contains(&found.head.flags) {
                search.resume = Some(point);
                return search;
            }
            offset += found.footprint();
            search.nonzero_end = offset;
        }
        search
    }
}

/// A valid record with one of the sequences. Those are looked at first, because a checksum costs more.
#[inline(always)]
fn plausible<C: Crc>(crc: C, bytes: &[u8], seed: Seed, sequences: std::ops::RangeInclusive<u64>) -> Option<Found> {
    if bytes.len() < HEAD_BYTES || !sequences.contains(&record::head_at(bytes).sequence) {
        return None;
    }
    record::check(crc, bytes, seed).ok()
}

#[inline(always)]
fn is_zero(block: &[u8]) -> bool {
    block.chunks_exact(8).fold(0, |all, chunk| all | record::word_at(chunk, 0)) == 0
}

/// Whether there is a valid record in a segment that was not activated, at its start or, thoroughly, anywhere.
pub(crate) fn has_records(segment: &mut Segment, is_thorough: bool) -> bool {
    let seed = segment.seed();
    let (bytes, _) = segment.parts();
    let end = if is_thorough { bytes.len() } else { HEADER_BYTES + 8 };
    (HEADER_BYTES..end).step_by(8).any(|offset| {
        let rest = &bytes[offset..];
        record::word_at(rest, 0) != 0 && dispatch(First { bytes: rest, seed })
    })
}

struct First<'a> {
    bytes: &'a [u8],
    seed: Seed,
}

impl Work for First<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> bool {
        record::check(crc, self.bytes, self.seed).is_ok()
    }
}
