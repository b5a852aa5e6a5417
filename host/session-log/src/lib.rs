//! The logs that the host holds for a session: each in a folder of its own, bounded on the disk, and gone with its handle.
//! It must not know through which boundary a session asks, nor which folders are the session's.

#![forbid(unsafe_code)]

mod fault;

pub use fault::{Fault, LogFault};
pub use wal_log::{Durability, PageState};

use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wal_log::{Config, Entry, Log, LogError, Retention, Snapshot, StreamId};

/// Logs of one session at a time: each has a thread, and mapped files that the session's limit does not count.
pub const LOGS_MAX: usize = 4;

/// Segments that a log keeps.
pub const SEGMENTS: u32 = 4;

/// What the size of a segment is a multiple of: of the pages of every machine.
pub const SEGMENT_BYTES_UNIT: u64 = 64 << 10;

/// The largest segment.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;

/// How many logs a session has at the moment.
#[derive(Clone, Debug, Default)]
pub struct Logs(Arc<()>);

/// How a log is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What an append that returned has been promised.
    pub durability: Durability,
    /// The state of a segment's pages before payloads go there.
    pub page_state: PageState,
    /// A multiple of [`SEGMENT_BYTES_UNIT`], at most [`SEGMENT_BYTES_MAX`].
    pub segment_bytes: u64,
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There are too many already.
    #[error("a session may have {LOGS_MAX} logs at a time, and it has; close one first")]
    TooMany,
    /// A segment cannot have that size.
    #[error("segments of {0} bytes; give a multiple of {SEGMENT_BYTES_UNIT}, at most {SEGMENT_BYTES_MAX}")]
    SegmentBytes(u64),
    /// No folder can be made for its files.
    #[error("{}: no folder for a log can be made: {source}", parent.display())]
    Folder {
        /// In which folder.
        parent: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log itself refused.
    #[error("{}", .0.reason)]
    Log(LogFault),
}

/// One log. Dropped, it takes its files with it.
#[derive(Debug)]
pub struct SessionLog {
    /// What reads go through. It keeps segments from being recycled, so it lasts until the next append.
    view: Option<Snapshot>,
    // Fields are dropped in order: the log's thread has ended before the folder goes.
    log: Log,
    _folder: Folder,
    _count: Arc<()>,
}

#[derive(Debug)]
struct Folder(PathBuf);

impl Logs {
    /// A new log in a new folder below `parent`, which is made where it is not there. Returns when the log has segments
    /// ready, so that what is appended first does not wait for them.
    pub fn open(&self, parent: &Path, options: Options) -> Result<SessionLog, OpenError> {
        let Options { durability, page_state, segment_bytes } = options;
        if Arc::strong_count(&self.0) > LOGS_MAX {
            return Err(OpenError::TooMany);
        }
        if !(SEGMENT_BYTES_UNIT..=SEGMENT_BYTES_MAX).contains(&segment_bytes)
            || !segment_bytes.is_multiple_of(SEGMENT_BYTES_UNIT)
        {
            return Err(OpenError::SegmentBytes(segment_bytes));
        }
        let folder = Folder::make(parent).map_err(|source| OpenError::Folder { parent: parent.to_owned(), source })?;
        let mut config = Config::new(&folder.0, durability);
        config.segment_bytes = segment_bytes;
        config.page_state = page_state;
        config.retention = Retention::Segments(SEGMENTS);
        let log = Log::open(config).and_then(|log| log.settle().map(|()| log)).map_err(OpenError::log)?;
        Ok(SessionLog { view: None, log, _folder: folder, _count: Arc::clone(&self.0) })
    }
}

impl OpenError {
    fn log(error: LogError) -> Self {
        Self::Log(error.into())
    }

    /// Whether the session asked for what no log can be.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::TooMany | Self::SegmentBytes(_))
    }
}

impl SessionLog {
    /// Appends one payload; its sequence.
    #[inline]
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogFault> {
        self.view = None;
        Ok(self.log.append(entry(payload))?)
    }

    /// Appends payloads in order, durable together; their sequences.
    #[inline]
    pub fn append_batch<'p>(&mut self, payloads: impl IntoIterator<Item = &'p [u8]>) -> Result<Range<u64>, LogFault> {
        self.view = None;
        let entries: Vec<_> = payloads.into_iter().map(entry).collect();
        Ok(self.log.append_batch(&entries)?)
    }

    /// The payload of a sequence, where it lies.
    #[inline]
    pub fn read(&mut self, sequence: u64) -> Result<&[u8], LogFault> {
        Ok(self.view.get_or_insert_with(|| self.log.snapshot()).read(sequence)?.payload)
    }

    /// The first sequence that can still be read, or the next one where there is none.
    pub fn first_sequence(&self) -> u64 {
        self.log.snapshot().first_sequence()
    }

    /// The sequence that the next payload will have.
    #[inline]
    pub fn next_sequence(&self) -> u64 {
        self.log.next_sequence()
    }

    /// Makes what was appended durable; the first sequence that is not.
    pub fn sync(&mut self) -> Result<u64, LogFault> {
        Ok(self.log.sync()?)
    }
}

#[inline]
fn entry(payload: &[u8]) -> Entry<'_> {
    Entry { stream: StreamId(0), kind: 0, payload }
}

impl Folder {
    fn make(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        for number in 0_u64.. {
            let path = parent.join(format!("log-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // Another log's, or something of the session's own.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed goes with the scratch folder it is in.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests;
