//! The end of a log, where records are written; one thread at a time holds it.
//!
//! A mutex around it, not an atomic reservation: a record may only be acknowledged once all before it are whole, because
//! recovery ends at the first that is not. With reservations a writer that is preempted between reserving and publishing
//! holds up everyone behind it all the same, only that they spin; with a mutex they sleep, and the 20 to 50 ns within are
//! rarely cut.

use crate::Config;
use crate::boundary::FileBoundary;
use crate::checksum::{Crc, Seed, Work, dispatch};
use crate::header::HEADER_BYTES;
use crate::helper::TOUCH_STEP_BYTES;
use crate::index::Place;
use crate::record::{self, Entry, Flags, Head};
use crate::segment::Segment;
use crate::streams::Streams;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// Bytes of a commit record's payload: the number of entries.
const COMMIT_BYTES: usize = 8;

/// How far ahead of a record its successors' cache lines are fetched for writing. It covers the way to memory and, since
/// the processor's own prefetching ends with the page, the first lines of the next one.
const FETCH_AHEAD_BYTES: usize = 1 << 10;

/// Bytes that are collected for one write to the file. The disk works on one piece while the next is made; smaller pieces cost
/// it more than that gains.
const SCRATCH_BYTES: usize = 512 << 10;

/// The current segment, and cached facts about it.
#[derive(Debug)]
pub(crate) struct Tail {
    segment: Arc<Segment>,
    offset: usize,
    next_sequence: u64,
    /// The first offset at which a record gets an entry of the index.
    index_at: usize,
    index_stride_bytes: usize,
    /// Records are written to the file from here, where they are not stored to the mapping.
    scratch: Option<Scratch>,
    pub(crate) streams: Streams,
    /// Whether a thread waits for the next record.
    pub(crate) is_watched: bool,
    /// The offset at which it is time to touch pages further ahead.
    touch_at: usize,
}

/// The buffer of records for one write to the file.
///
/// A sync after every few records is cheaper with writes than with stores. A store to a clean page is a fault, and makes a whole unit of
/// the page cache dirty, which may be many pages; a write dirties only the blocks that it touches, and leaves the mapping as it is.
/// Linux keeps one page cache for both, so readers see through the mapping what was written.
#[derive(Debug)]
struct Scratch {
    words: Vec<u64>,
    file: Arc<File>,
    boundary: Arc<dyn FileBoundary>,
}

impl Tail {
    /// Goes on behind the published end of `segment`.
    pub(crate) fn new(segment: Arc<Segment>, config: &Config, streams: Streams) -> io::Result<Self> {
        let (offset, next_sequence) = (segment.end_offset(), segment.next_sequence());
        let index_stride_bytes = config.index_stride_bytes as usize;
        let scratch = if config.durability.waits() {
            Some(Scratch { words: Vec::new(), file: segment.file()?, boundary: Arc::clone(&config.boundary) })
        } else {
            None
        };
        Ok(Self {
            segment,
            offset,
            next_sequence,
            index_at: offset,
            index_stride_bytes,
            scratch,
            streams,
            is_watched: false,
            touch_at: 0,
        })
    }

    /// Goes on in an empty segment, unless its file cannot be opened.
    pub(crate) fn begin(&mut self, segment: Arc<Segment>) -> io::Result<()> {
        if let Some(scratch) = &mut self.scratch {
            scratch.file = segment.file()?;
        }
        (self.offset, self.index_at) = (HEADER_BYTES, HEADER_BYTES);
        self.touch_at = TOUCH_STEP_BYTES;
        self.segment = segment;
        Ok(())
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    #[inline]
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Whether it is time to touch pages further ahead; then it is again after so many bytes.
    #[inline]
    pub(crate) fn is_touch_due(&mut self) -> bool {
        let is_due = self.offset >= self.touch_at;
        if is_due {
            self.touch_at = self.offset + TOUCH_STEP_BYTES;
        }
        is_due
    }

    /// Bytes left in the segment.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.segment.mapping().bytes() - self.offset
    }

    /// Appends an entry for which there is room; returns its sequence. This and the following methods fail where the file cannot be
    /// written; then its content after the published end is unknown.
    #[inline]
    pub(crate) fn put(&mut self, entry: &Entry<'_>) -> io::Result<u64> {
        dispatch(PutOne { tail: self, entry })
    }

    /// Appends entries as long as there is room; returns how many.
    pub(crate) fn put_some(&mut self, entries: &[Entry<'_>]) -> io::Result<usize> {
        dispatch(PutSome { tail: self, entries })
    }

    /// Appends entries and the record that commits them, for all of which there is room. Readers see all of them at once.
    pub(crate) fn put_transaction(&mut self, entries: &[Entry<'_>]) -> io::Result<()> {
        dispatch(PutTransaction { tail: self, entries })
    }

    /// Bytes that [`Tail::put_transaction`] takes.
    pub(crate) fn transaction_bytes(entries: &[Entry<'_>]) -> usize {
        entries.iter().map(|entry| record::footprint(entry.payload.len())).sum::<usize>()
            + record::footprint(COMMIT_BYTES)
    }

    /// A pen for records from the tail's end on, of which the first takes `bytes`.
    #[inline(always)]
    fn pen(&mut self, bytes: usize) -> Pen {
        let mapping = self.segment.mapping();
        let (offset, next_sequence) = (self.offset, self.next_sequence);
        if self.scratch.is_some() {
            let mut pen = Pen { base: std::ptr::null_mut(), start: offset, limit: offset, offset, next_sequence };
            self.start_scratch(&mut pen, bytes);
            return pen;
        }
        Pen { base: mapping.at(0), start: offset, limit: mapping.bytes(), offset, next_sequence }
    }

    /// Makes room for a record of `bytes` that did not fit; returns whether the segment has room.
    #[cold]
    fn make_room(&mut self, pen: &mut Pen, bytes: usize) -> io::Result<bool> {
        if self.scratch.is_none() || bytes > self.segment.mapping().bytes() - pen.offset {
            return Ok(false);
        }
        self.flush(pen)?;
        if let Some(scratch) = &self.scratch {
            // More follows before the sync.
            scratch.boundary.begin_write_back(&scratch.file, pen.start as u64..pen.offset as u64);
        }
        self.start_scratch(pen, bytes);
        Ok(true)
    }

    /// Points the pen at the scratch, which then has room for a record that takes `bytes`.
    fn start_scratch(&mut self, pen: &mut Pen, bytes: usize) {
        let end = self.segment.mapping().bytes();
        let Some(scratch) = &mut self.scratch else { return };
        let wanted = bytes.max(SCRATCH_BYTES).min(end - pen.offset);
        if scratch.words.len() * 8 < wanted {
            scratch.words.resize(wanted.div_ceil(8), 0);
        }
        pen.start = pen.offset;
        pen.base = scratch.words.as_mut_ptr().cast::<u8>().wrapping_sub(pen.offset);
        pen.limit = (pen.offset + scratch.words.len() * 8).min(end);
    }

    /// Writes to the file what the pen wrote to the scratch.
    fn flush(&mut self, pen: &Pen) -> io::Result<()> {
        let Some(scratch) = &self.scratch else { return Ok(()) };
        let len = pen.offset - pen.start;
        assert!(len <= scratch.words.len() * 8, "the pen stays within the scratch");
        // SAFETY: the scratch has so many bytes, was written as words, and is not written to meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(scratch.words.as_ptr().cast::<u8>(), len) };
        scratch.boundary.write(&scratch.file, bytes, pen.start as u64)
    }

    /// Publishes what the pen wrote.
    #[inline(always)]
    fn publish(&mut self, pen: Pen) -> io::Result<()> {
        if self.scratch.is_some() {
            self.flush(&pen)?;
        }
        (self.offset, self.next_sequence) = (pen.offset, pen.next_sequence);
        self.segment.publish(self.offset, self.next_sequence);
        Ok(())
    }

    /// Gives the next record an entry of the index. Kept out of the loops, most records of which have none.
    #[cold]
    fn index(&mut self, offset: usize, sequence: u64) {
        self.segment.index.push(Place { delta: sequence - self.segment.first_sequence(), offset });
        self.index_at = offset + self.index_stride_bytes;
    }
}

/// The position of the next record, as a value that a loop keeps in registers: the compiler must assume that a store to the mapping
/// changes anything in memory.
#[derive(Clone, Copy, Debug)]
struct Pen {
    /// The address of the segment's first byte, or where it would be if the scratch held the whole segment.
    base: *mut u8,
    /// What lies between this offset and the limit may be written to; it is the mapping's or the scratch's.
    start: usize,
    limit: usize,
    offset: usize,
    next_sequence: u64,
}

impl Pen {
    #[inline(always)]
    fn fits(&self, bytes: usize) -> bool {
        bytes <= self.limit - self.offset
    }

    /// Writes a record that fits. It is not published.
    ///
    /// # Safety
    /// The caller has the tail that the pen was made from, and the record fits.
    #[inline(always)]
    unsafe fn put<C: Crc>(&mut self, crc: C, seed: Seed, head: Head, payload: &[u8]) {
        debug_assert!(self.fits(record::footprint(payload.len())), "the record fits");
        let at = self.base.wrapping_add(self.offset);
        fetch_ahead(at, record::footprint(payload.len()));
        // SAFETY: offsets are multiples of 8, and so are the addresses of mapping and scratch. The record lies within what
        // the pen may write to: the scratch, or the mapping behind the published end, which only the holder of the tail
        // reads or writes. Both are shorter than 2³² bytes.
        self.offset += unsafe { record::put(crc, at, seed, head, payload) };
    }
}

/// Fetches the lines that the records after this one will be written to.
#[inline(always)]
fn fetch_ahead(at: *mut u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        let ahead = at.wrapping_add(FETCH_AHEAD_BYTES).cast_const();
        // SAFETY: a prefetch reads and writes nothing and cannot fault, whatever the address.
        let fetch = |line: usize| unsafe { _mm_prefetch::<_MM_HINT_ET0>(ahead.wrapping_add(line).cast()) };
        // Small records are many, so they have no loop.
        fetch(0);
        fetch(64);
        if bytes > 128 {
            (128..bytes.min(FETCH_AHEAD_BYTES)).step_by(64).for_each(fetch);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (at, bytes);
}

struct PutOne<'a> {
    tail: &'a mut Tail,
    entry: &'a Entry<'a>,
}

impl Work for PutOne<'_> {
    type Output = io::Result<u64>;

    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> io::Result<u64> {
        let Self { tail, entry } = self;
        let bytes = record::footprint(entry.payload.len());
        let mut pen = tail.pen(bytes);
        assert!(pen.fits(bytes), "the caller has looked for room");
        let sequence = pen.next_sequence;
        if pen.offset >= tail.index_at {
            tail.index(pen.offset, sequence);
        }
        // SAFETY: `tail` is borrowed mutably, and the record fits.
        unsafe { pen.put(crc, tail.segment.seed(), Head::new(sequence, entry, Flags::ENTRY), entry.payload) };
        pen.next_sequence += 1;
        tail.streams.touch(entry.stream.0, sequence);
        tail.publish(pen)?;
        Ok(sequence)
    }
}

struct PutSome<'a> {
    tail: &'a mut Tail,
    entries: &'a [Entry<'a>],
}

impl Work for PutSome<'_> {
    type Output = io::Result<usize>;

    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> io::Result<usize> {
        let Self { tail, entries } = self;
        let Some(first) = entries.first() else { return Ok(0) };
        let (mut pen, seed) = (tail.pen(record::footprint(first.payload.len())), tail.segment.seed());
        let mut index_at = tail.index_at;
        let mut count = 0;
        let mut stream = first.stream.0;
        for entry in entries {
            let bytes = record::footprint(entry.payload.len());
            if !pen.fits(bytes) && !tail.make_room(&mut pen, bytes)? {
                break;
            }
            if pen.offset >= index_at {
                tail.index(pen.offset, pen.next_sequence);
                index_at = tail.index_at;
            }
            // Entries of one stream in a row are noted once.
            if entry.stream.0 != stream {
                tail.streams.touch(stream, pen.next_sequence - 1);
                stream = entry.stream.0;
            }
            let head = Head::new(pen.next_sequence, entry, Flags::ENTRY);
            // SAFETY: `tail` is borrowed mutably, and the record fits.
            unsafe { pen.put(crc, seed, head, entry.payload) };
            pen.next_sequence += 1;
            count += 1;
        }
        if count > 0 {
            tail.streams.touch(stream, pen.next_sequence - 1);
            tail.publish(pen)?;
        }
        Ok(count)
    }
}

struct PutTransaction<'a> {
    tail: &'a mut Tail,
    entries: &'a [Entry<'a>],
}

impl PutTransaction<'_> {
    /// Writes a record for which there is room in the segment.
    #[inline(always)]
    fn put<C: Crc>(tail: &mut Tail, pen: &mut Pen, crc: C, head: Head, payload: &[u8]) -> io::Result<()> {
        let bytes = record::footprint(payload.len());
        assert!(pen.fits(bytes) || tail.make_room(pen, bytes)?, "the caller has looked for room");
        // SAFETY: `tail` is borrowed mutably, and the record fits.
        unsafe { pen.put(crc, tail.segment.seed(), head, payload) };
        Ok(())
    }
}

impl Work for PutTransaction<'_> {
    type Output = io::Result<()>;

    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> io::Result<()> {
        let Self { tail, entries } = self;
        let mut pen = tail.pen(Tail::transaction_bytes(entries).min(SCRATCH_BYTES));
        let mut flags = Flags::FIRST_MEMBER;
        for entry in entries {
            if pen.offset >= tail.index_at {
                tail.index(pen.offset, pen.next_sequence);
            }
            let head = Head::new(pen.next_sequence, entry, flags);
            Self::put(tail, &mut pen, crc, head, entry.payload)?;
            tail.streams.touch(entry.stream.0, pen.next_sequence);
            pen.next_sequence += 1;
            flags = Flags::MEMBER;
        }
        let head = Head { sequence: pen.next_sequence, stream: 0, kind: 0, flags: Flags::COMMIT };
        let count = (entries.len() as u64).to_le_bytes();
        Self::put(tail, &mut pen, crc, head, &count)?;
        tail.publish(pen)
    }
}
