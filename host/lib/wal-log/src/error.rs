//! Why a log cannot be opened, rejects a record, or yields none.

use crate::damage::Finding;
use std::path::PathBuf;

/// Why a log cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A field of the configuration is out of its range.
    #[error("{field} is {value}, and must be {wanted}")]
    Config {
        /// The field of [`crate::Config`].
        field: &'static str,
        /// Its value.
        value: u64,
        /// The allowed values.
        wanted: String,
    },
    /// A log has one writer at a time.
    #[error("{} is open in process {holder}; close it there first", directory.display())]
    InUse {
        /// The log's directory.
        directory: PathBuf,
        /// The process id that the holder wrote down, or what else is known of it.
        holder: String,
    },
    /// A system call failed.
    #[error("{call} failed for {}", path.display())]
    System {
        /// The system call.
        call: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// The next segment could not be made ready. The log stays readable and complete, and appends continue as soon as there is
    /// space.
    #[error("no space for the next segment in {}; free {bytes} bytes there and append again", directory.display())]
    NoSpace {
        /// The log's directory.
        directory: PathBuf,
        /// The bytes of a segment.
        bytes: u64,
        /// The error.
        source: std::io::Error,
    },
    /// The entry, or the transaction as a whole, fits no segment.
    #[error("{bytes} bytes with their heads do not fit a segment, which has room for {room}; make segments larger")]
    TooLarge {
        /// The bytes of the entry or transaction, with heads.
        bytes: u64,
        /// What a segment has.
        room: u64,
    },
    /// A sync failed, so it is unknown what is on the disk. The log accepts no more appends.
    #[error(
        "the log is poisoned, because {reason}; reopen it to find out what is left, which may be less than was synced"
    )]
    Poisoned {
        /// What failed.
        reason: String,
    },
    /// A batch was appended in part.
    #[error("only the entries before sequence {next} of the batch were appended")]
    Partial {
        /// The first sequence that was not appended.
        next: u64,
        /// The error.
        source: Box<LogError>,
    },
    /// The files are damaged, and the policy is to fail.
    #[error(
        "{finding}{}; restore the file, or open with policy `truncate` to keep what is before, or `skip` to keep all that is \
         valid",
        others(*more)
    )]
    Corrupt {
        /// The first place.
        finding: Box<Finding>,
        /// The number of further findings.
        more: usize,
    },
    /// A thread of the log has ended.
    #[error("the thread that makes segments ready has ended; reopen the log")]
    Stopped,
}

fn others(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more places)") }
}

impl LogError {
    /// A copy of the error, for several threads that wait for one attempt.
    pub(crate) fn duplicate(&self) -> Self {
        let again = |error: &std::io::Error| match error.raw_os_error() {
            Some(code) => std::io::Error::from_raw_os_error(code),
            None => std::io::Error::new(error.kind(), error.to_string()),
        };
        match self {
            Self::System { call, path, source } => Self::System { call, path: path.clone(), source: again(source) },
            Self::NoSpace { directory, bytes, source } => {
                Self::NoSpace { directory: directory.clone(), bytes: *bytes, source: again(source) }
            }
            Self::Poisoned { reason } => Self::Poisoned { reason: reason.clone() },
            // No other error comes from the thread that makes segments ready.
            _ => Self::Stopped,
        }
    }

    pub(crate) fn system(call: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::System { call, path, source }
    }
}

/// Why an entry cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Its segment was recycled.
    #[error("sequence {sequence} was recycled; the log begins with {first}")]
    Recycled {
        /// What was asked for.
        sequence: u64,
        /// The first sequence there is.
        first: u64,
    },
    /// It has not been written yet.
    #[error("sequence {sequence} is not in the log yet; the next one is {next}")]
    Beyond {
        /// What was asked for.
        sequence: u64,
        /// The first sequence that was not written.
        next: u64,
    },
    /// Recovery skipped it.
    #[error("sequence {sequence} was lost to damage that recovery skipped; the next one is {next}")]
    Lost {
        /// What was asked for.
        sequence: u64,
        /// The next sequence that exists.
        next: u64,
    },
    /// A record that was intact when the log was opened or written, and is now damaged.
    #[error("{0}; close the log and open it again, to have recovery look at it")]
    Corrupt(Box<Finding>),
}
