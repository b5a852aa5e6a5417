//! One log in its folder, over the log library.

use crate::{Fault, LogFault, OpenError, Options, SEGMENTS};
use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wal_log::{Config, Entry, Log, LogError, ReadError, Retention, Snapshot, StreamId};

/// One log. Dropping it removes its files.
#[derive(Debug)]
pub struct SessionLog {
    /// The view for reads and of what can be read. It keeps segments from being recycled, so it is dropped at the next append.
    view: Option<Snapshot>,
    // Fields are dropped in order: the log's thread ends before its folder is removed.
    log: Log,
    _folder: Folder,
    _count: Arc<()>,
}

#[derive(Debug)]
struct Folder(PathBuf);

impl SessionLog {
    /// Opens a new log in a new folder below `parent`; it counts towards the limit until it is dropped.
    pub(crate) fn open(parent: &Path, options: Options, count: Arc<()>) -> Result<Self, OpenError> {
        let folder = Folder::make(parent).map_err(|source| OpenError::Folder { parent: parent.to_owned(), source })?;
        let mut config = Config::new(&folder.0, options.durability.into());
        config.segment_bytes = options.segment_bytes;
        config.page_state = options.page_state;
        config.retention = Retention::Segments(SEGMENTS);
        let log = Log::open(config).and_then(|log| log.wait_until_idle().map(|()| log));
        let log = log.map_err(|error| OpenError::Log(error.into()))?;
        Ok(Self { view: None, log, _folder: folder, _count: count })
    }

    /// Appends one payload; returns its sequence.
    #[inline]
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogFault> {
        self.view = None;
        Ok(self.log.append(entry(payload))?)
    }

    /// Appends payloads in order, durable together; returns their sequences.
    #[inline]
    pub fn append_batch<'p>(&mut self, payloads: impl IntoIterator<Item = &'p [u8]>) -> Result<Range<u64>, LogFault> {
        self.view = None;
        let entries: Vec<_> = payloads.into_iter().map(entry).collect();
        Ok(self.log.append_batch(&entries)?)
    }

    /// The payload of a sequence, borrowed from the log.
    #[inline]
    pub fn read(&mut self, sequence: u64) -> Result<&[u8], LogFault> {
        Ok(self.view.get_or_insert_with(|| self.log.snapshot()).read(sequence)?.payload)
    }

    /// The first sequence that can still be read, or the next one where there is none. It can be read until the next append.
    pub fn first_sequence(&mut self) -> u64 {
        self.view.get_or_insert_with(|| self.log.snapshot()).first_sequence()
    }

    /// The sequence of the next payload.
    #[inline]
    pub fn next_sequence(&self) -> u64 {
        self.log.next_sequence()
    }

    /// Makes all appends durable; returns the first sequence that is not.
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
                // The name belongs to another log, or to a file of the session.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is removed with the surrounding scratch folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl From<LogError> for LogFault {
    #[cold]
    fn from(error: LogError) -> Self {
        let fault = match &error {
            LogError::NoSpace { .. } => Fault::NoSpace,
            LogError::TooLarge { .. } => Fault::TooLarge,
            LogError::Poisoned { .. } => Fault::Poisoned,
            LogError::Partial { .. } => Fault::Partial,
            LogError::Corrupt { .. } => Fault::Corrupt,
            LogError::Config { .. } | LogError::InUse { .. } | LogError::System { .. } | LogError::Stopped => {
                Fault::Other
            }
        };
        Self { fault, reason: chain(&error) }
    }
}

impl From<ReadError> for LogFault {
    #[cold]
    fn from(error: ReadError) -> Self {
        let fault = match &error {
            ReadError::Recycled { .. } => Fault::Recycled,
            ReadError::Beyond { .. } => Fault::Beyond,
            ReadError::Lost { .. } | ReadError::Corrupt(_) => Fault::Corrupt,
        };
        Self { fault, reason: chain(&error) }
    }
}

/// The error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
