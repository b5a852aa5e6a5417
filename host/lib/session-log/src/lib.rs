//! The logs that the host holds for a session: each in a folder of its own, bounded on disk, and removed with its handle.

mod fault;
#[cfg_attr(not(target_os = "linux"), path = "log_unsupported.rs")]
mod log;

pub use fault::LogFault;
pub use log::SessionLog;
pub use vocabulary::log::{Durability, Fault, PageState};

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many logs a session may have open: each has a thread, and mapped files that do not count towards the memory limit.
pub const LOGS_MAX: usize = 4;

/// How many segments a log keeps.
pub const SEGMENTS: u32 = 4;

/// The size of a segment is a multiple of this: the page size of every machine divides it.
pub const SEGMENT_BYTES_UNIT: u64 = 64 << 10;

/// The largest segment.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;

/// The number of open logs of a session.
#[derive(Clone, Debug, Default)]
pub struct Logs(Arc<()>);

/// Options of a log.
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
    /// The session has too many logs.
    #[error("the session already has {LOGS_MAX} logs, the most allowed; close one first")]
    TooMany,
    /// The segment size is not allowed.
    #[error(
        "segments of {0} bytes are not allowed; give a multiple of {SEGMENT_BYTES_UNIT}, at most {SEGMENT_BYTES_MAX}"
    )]
    SegmentBytes(u64),
    /// The folder for its files cannot be created.
    #[error("{}: no folder for a log can be made: {source}", parent.display())]
    Folder {
        /// The parent folder.
        parent: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The log cannot be opened.
    #[error("{}", .0.reason)]
    Log(LogFault),
    /// Logs are not supported on this system.
    #[error("the host keeps logs on Linux only; measure there")]
    Unsupported,
}

impl Logs {
    /// Opens a new log in a new folder below `parent`, which is created where it is missing. Returns when the log has segments
    /// ready, so that the first append does not wait for them.
    pub fn open(&self, parent: &Path, options: Options) -> Result<SessionLog, OpenError> {
        if Arc::strong_count(&self.0) > LOGS_MAX {
            return Err(OpenError::TooMany);
        }
        let bytes = options.segment_bytes;
        if !(SEGMENT_BYTES_UNIT..=SEGMENT_BYTES_MAX).contains(&bytes) || !bytes.is_multiple_of(SEGMENT_BYTES_UNIT) {
            return Err(OpenError::SegmentBytes(bytes));
        }
        SessionLog::open(parent, options, Arc::clone(&self.0))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
