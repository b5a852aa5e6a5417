//! The log: a few segments that are written one after the other; the oldest is overwritten.

use crate::record::{self, HEAD_BYTES};
use crate::segment::{HEADER_BYTES, Segment};
use bench_plugin::prelude::*;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use wal_load::{Journal, RandomRead};

/// Number of segments.
const SEGMENTS: usize = 4;

pub(crate) struct FileLog {
    directory: PathBuf,
    segment_bytes: usize,
    syncs: bool,
    /// From the oldest to the current one. Each keeps its file open.
    segments: Vec<Segment>,
    /// Buffer for records that are written, or one that is read.
    buffer: Vec<u8>,
}

impl FileLog {
    /// Creates a log in a new folder.
    pub(crate) fn open(arguments: &Arguments) -> Result<Self, ModuleError> {
        let (parent, segment_bytes) = (Path::new(arguments.text("directory")?), arguments.size("segment_bytes")?);
        let syncs = arguments.text("durability")? == "each";
        let directory =
            new_folder(parent).map_err(|error| file_error("create a folder in", parent.display(), &error))?;
        let mut log = Self { directory, segment_bytes, syncs, segments: Vec::new(), buffer: Vec::new() };
        log.rotate()?;
        Ok(log)
    }

    /// Begins the next segment: a new one, or the oldest again.
    fn rotate(&mut self) -> Result<(), ModuleError> {
        let next = self.segments.last().map_or(0, Segment::next);
        let begun = if self.segments.len() < SEGMENTS {
            let path = self.directory.join(self.segments.len().to_string());
            Segment::create(&path, self.segment_bytes as u64, next)
        } else {
            let mut oldest = self.segments.remove(0);
            oldest.begin(next).map(|()| oldest)
        };
        self.segments.push(begun.map_err(|error| file_error("begin a segment in", self.directory.display(), &error))?);
        Ok(())
    }

    /// Writes as many of `payloads` as fit in the last segment, and returns how many. 0 means that another segment is
    /// needed.
    fn write<P: AsRef<[u8]>>(&mut self, payloads: &[P]) -> Result<usize, ModuleError> {
        let segment = self
            .segments
            .last_mut()
            .ok_or_else(|| ModuleError::Other("the log has no segment; it could not be reopened before".to_owned()))?;
        let (room, next) = (self.segment_bytes - segment.end(), segment.next());
        self.buffer.clear();
        let mut fitting = 0;
        for (sequence, payload) in (next..).zip(payloads) {
            let payload = payload.as_ref();
            if self.buffer.len() + HEAD_BYTES + payload.len() > room {
                break;
            }
            record::encode(sequence, payload, &mut self.buffer);
            fitting += 1;
        }
        let lengths = payloads[..fitting].iter().map(|payload| HEAD_BYTES + payload.as_ref().len());
        let written = segment.write(&self.buffer, lengths);
        // Syncs this segment even if more payloads follow in the next one.
        let done = written.and_then(|()| if self.syncs && fitting > 0 { segment.sync() } else { Ok(()) });
        done.map_err(|error| file_error("write record", next, &error))?;
        Ok(fitting)
    }

    fn append_all<P: AsRef<[u8]>>(&mut self, mut payloads: &[P]) -> Result<Range<u64>, ModuleError> {
        let room = self.segment_bytes - HEADER_BYTES - HEAD_BYTES;
        if let Some(payload) = payloads.iter().find(|payload| payload.as_ref().len() > room) {
            let bytes = payload.as_ref().len();
            let reason =
                format!("a payload of {bytes} bytes does not fit in a segment; give -p segment_bytes={}", bytes * 16);
            return Err(ModuleError::InvalidArgument(reason));
        }
        let start = self.next();
        while !payloads.is_empty() {
            let written = self.write(payloads)?;
            payloads = &payloads[written..];
            if !payloads.is_empty() {
                self.rotate()?;
            }
        }
        Ok(start..self.next())
    }

    fn next(&self) -> u64 {
        self.segments.last().map_or(0, Segment::next)
    }

    /// Closes every file, and recovers the log from the files.
    fn reopen(&mut self) -> io::Result<()> {
        let files = self.segments.len();
        self.segments.clear();
        for file in 0..files {
            self.segments.extend(Segment::open(&self.directory.join(file.to_string()))?);
        }
        self.segments.sort_by_key(Segment::first);
        // The log ends where the next segment does not continue the sequence.
        let whole = self.segments.windows(2).take_while(|pair| pair[0].next() == pair[1].first()).count();
        self.segments.truncate(whole + 1);
        Ok(())
    }
}

impl Journal for FileLog {
    type Batch<'a> = &'a [Vec<u8>];

    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        Ok(self.append_all(&[payload])?.start)
    }

    fn prepare(payloads: &[Vec<u8>]) -> &[Vec<u8>] {
        payloads
    }

    fn append_batch(&mut self, payloads: &&[Vec<u8>]) -> Result<Range<u64>, ModuleError> {
        self.append_all(payloads)
    }

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        self.reopen().map_err(|error| file_error("reopen the log in", self.directory.display(), &error))?;
        Ok(self.segments.first().map_or(0, Segment::first)..self.next())
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        let next = self.next();
        (next.saturating_sub(count)..next).try_for_each(|sequence| self.read(sequence, &mut *read))
    }
}

impl RandomRead for FileLog {
    fn read(&mut self, sequence: u64, read: impl FnOnce(&[u8])) -> Result<(), ModuleError> {
        let has = |segment: &&mut Segment| (segment.first()..segment.next()).contains(&sequence);
        let segment = self.segments.iter_mut().rev().find(has);
        let segment = segment.ok_or_else(|| ModuleError::Other(format!("sequence {sequence} is not in the log")))?;
        match segment.read(sequence, &mut self.buffer) {
            Ok(payload) => {
                read(payload);
                Ok(())
            }
            Err(error) => Err(file_error("read record", sequence, &error)),
        }
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        self.segments.clear();
        // If this fails, the host removes it with the scratch folder.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Creates a new folder; other sessions of this process may have created some.
fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    for number in 0_u32.. {
        let path = parent.join(format!("wal-{number}"));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn file_error(what: &str, which: impl std::fmt::Display, error: &io::Error) -> ModuleError {
    ModuleError::Other(format!("cannot {what} {which}: {error}"))
}

#[cfg(test)]
mod tests;
