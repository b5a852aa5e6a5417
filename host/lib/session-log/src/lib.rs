//! The logs that the host holds for a session: each in a folder of its own, bounded on the disk, and gone with its handle.
//! It must not know through which boundary a session asks, nor which folders are the session's.

mod fault;
#[cfg_attr(not(target_os = "linux"), path = "log_unsupported.rs")]
mod log;

pub use fault::{Fault, LogFault};
pub use log::SessionLog;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// What an append that returned has been promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing.
    None,
    /// That it survives the process.
    ProcessCrash,
    /// That it is on the disk, by a sync shared with whoever waits for one at the time.
    Group,
    /// That it is on the disk, by a sync of its own.
    Each,
}

/// The state of a segment's pages before payloads go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Blocks are reserved and were never written.
    Fresh,
    /// Zeros were written and synced.
    Written,
    /// Every page is in memory and writable.
    Resident,
}

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
    /// There are none on this system.
    #[error("the host keeps logs on Linux alone; measure there")]
    Unsupported,
}

impl Logs {
    /// A new log in a new folder below `parent`, which is made where it is not there. Returns when the log has segments
    /// ready, so that what is appended first does not wait for them.
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
