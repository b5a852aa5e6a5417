//! One file of a log: mapped, indexed, and published up to an end that only grows.

use crate::ReadError;
use crate::checksum::{Crc, Seed, Work, dispatch};
use crate::damage::{BadRecord, Damage, Finding};
use crate::directory::Lock;
use crate::header::{Activation, HEADER_BYTES, Identity};
use crate::index::{Index, Place};
use crate::mapping::Mapping;
use crate::record::{self, Found};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A segment. While it is held, it stays mapped and its file is not recycled.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    identity: Identity,
    /// Zero until it is activated.
    first_sequence: u64,
    seed: Seed,
    mapping: Mapping,
    pub(crate) index: Index,
    end: End,
    /// Closed once nothing is left to sync, because a log may have more segments than a process may have files.
    file: Mutex<Option<Arc<File>>>,
    /// Keeps the directory locked, so that no other log recycles the file while the segment is held.
    lock: Arc<Lock>,
}

/// The published end of a segment. On cache lines of its own, because every append stores here.
#[repr(align(128))]
#[derive(Debug)]
struct End {
    offset: AtomicUsize,
    next_sequence: AtomicU64,
}

impl Segment {
    /// Maps a file that has as many bytes as its identity says.
    pub(crate) fn map(
        path: PathBuf,
        file: File,
        identity: Identity,
        index_stride_bytes: usize,
        lock: &Arc<Lock>,
    ) -> io::Result<Self> {
        let bytes = usize::try_from(identity.bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(Self {
            mapping: Mapping::new(&file, bytes)?,
            index: Index::new(bytes, index_stride_bytes),
            path,
            identity,
            first_sequence: 0,
            seed: Seed::of_epoch(identity.epoch),
            end: End { offset: AtomicUsize::new(HEADER_BYTES), next_sequence: AtomicU64::new(0) },
            file: Mutex::new(Some(Arc::new(file))),
            lock: Arc::clone(lock),
        })
    }

    /// The same file and mapping with another name and identity, and without a record.
    pub(crate) fn reuse(self, path: PathBuf, identity: Identity, index_stride_bytes: usize) -> Self {
        Self {
            path,
            first_sequence: 0,
            seed: Seed::of_epoch(identity.epoch),
            index: Index::new(self.mapping.bytes(), index_stride_bytes),
            identity,
            mapping: self.mapping,
            end: End { offset: AtomicUsize::new(HEADER_BYTES), next_sequence: AtomicU64::new(0) },
            file: self.file,
            lock: self.lock,
        }
    }

    /// Makes a spare segment one of the log. The word that makes it one is stored last, as in a record.
    pub(crate) fn activate(&mut self, activation: Activation) {
        for (index, word) in activation.encode(self.identity.epoch).into_iter().enumerate() {
            self.mapping.word(Activation::OFFSET + index * 8).store(word.to_le(), Ordering::Release);
        }
        self.adopt(activation.first_sequence);
    }

    /// As [`Segment::activate`], for a segment whose file says so already.
    pub(crate) fn adopt(&mut self, first_sequence: u64) {
        self.first_sequence = first_sequence;
        self.publish(HEADER_BYTES, first_sequence);
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn number(&self) -> u64 {
        self.identity.number
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    #[inline]
    pub(crate) fn first_sequence(&self) -> u64 {
        self.first_sequence
    }

    #[inline]
    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    #[inline]
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The whole file with its header, for the only holder of the segment.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: `&mut self` says that no reader and no appender of this process holds the segment, and the lock of the
        // log's directory keeps other processes away.
        unsafe { self.mapping.slice_mut(0..self.mapping.bytes()) }
    }

    /// The whole file and its index, for the only holder of the segment.
    pub(crate) fn parts(&mut self) -> (&[u8], &Index) {
        // SAFETY: as in `bytes_mut`.
        (unsafe { self.mapping.slice(0..self.mapping.bytes()) }, &self.index)
    }

    /// Lets readers see what lies below `offset`, with `next_sequence` being the first that does not.
    #[inline]
    pub(crate) fn publish(&self, offset: usize, next_sequence: u64) {
        // Release: a thread that sees the offset sees the records below it, and one that sees the sequence sees the offset.
        self.end.offset.store(offset, Ordering::Release);
        self.end.next_sequence.store(next_sequence, Ordering::Release);
    }

    /// The published part of the file, which starts with the header and ends with a record.
    #[inline]
    pub(crate) fn published(&self) -> &[u8] {
        // Acquire: the bytes are as they were when the offset was stored.
        let end = self.end.offset.load(Ordering::Acquire);
        // SAFETY: an end is stored after what lies below it was written, and from then on appenders store behind it alone.
        unsafe { self.mapping.slice(0..end) }
    }

    /// The offset of the next record.
    #[inline]
    pub(crate) fn end_offset(&self) -> usize {
        self.end.offset.load(Ordering::Acquire)
    }

    /// A sequence below which everything is in [`Segment::published`] from now on.
    #[inline]
    pub(crate) fn next_sequence(&self) -> u64 {
        self.end.next_sequence.load(Ordering::Acquire)
    }

    /// Checks the record at `offset` of `published`, which is this segment's. `sequence` is what should be there.
    #[inline]
    pub(crate) fn check(&self, published: &[u8], offset: usize, sequence: u64) -> Result<Found, ReadError> {
        let bytes = &published[offset..];
        dispatch(Check { bytes, seed: self.seed }).map_err(|bad| self.decayed(offset, sequence, bad))
    }

    /// The error of a reader for a record that is no longer valid.
    #[cold]
    pub(crate) fn decayed(&self, offset: usize, sequence: u64, bad: BadRecord) -> ReadError {
        let damage = Damage::Decayed { sequence, bad };
        ReadError::Corrupt(Box::new(Finding { file: self.path.clone(), offset: offset as u64, damage }))
    }

    /// The offset at which to start a walk to `sequence`, which is in this segment.
    pub(crate) fn start_of_walk(&self, sequence: u64, published_len: usize) -> Place {
        let start = Place { delta: 0, offset: HEADER_BYTES };
        self.index.find(sequence - self.first_sequence, published_len).unwrap_or(start)
    }

    /// The open file; opened again where it was closed.
    pub(crate) fn file(&self) -> io::Result<Arc<File>> {
        let mut slot = crate::lock(&self.file);
        if let Some(file) = &*slot {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(OpenOptions::new().read(true).write(true).open(&self.path)?);
        *slot = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Closes the file; the mapping stays.
    pub(crate) fn close_file(&self) {
        crate::lock(&self.file).take();
    }
}

struct Check<'a> {
    bytes: &'a [u8],
    seed: Seed,
}

impl Work for Check<'_> {
    type Output = Result<Found, BadRecord>;

    #[inline(always)]
    fn run<C: Crc>(self, crc: C) -> Self::Output {
        record::check(crc, self.bytes, self.seed)
    }
}
