//! The host's append-only log, for components. Each payload is copied through the boundary.

use super::Host;
use bench_model::ModuleError;
use bindings::bench_host::log::log;
use std::fmt;
use std::ops::Range;

pub use vocabulary::log::{Durability, Fault, PageState};

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/log.rs"]
mod bindings;

vocabulary::log_conversions!(log);

/// The error of a log operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    /// The kind of error, for the module to react to.
    pub fault: Fault,
    /// The text for users.
    pub reason: String,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<LogError> for ModuleError {
    fn from(error: LogError) -> Self {
        match error.fault {
            Fault::Denied => Self::CapabilityDenied(error.reason),
            Fault::Invalid => Self::InvalidArgument(error.reason),
            _ => Self::Other(error.reason),
        }
    }
}

/// A log that belongs to this session.
#[derive(Debug)]
pub struct Log(log::Log);

impl Host {
    /// A new log in the scratch folder `directory`, with segments of `segment_bytes`, a multiple of 64 KiB up to 64 MiB.
    pub fn log(
        self,
        directory: &str,
        durability: Durability,
        page_state: PageState,
        segment_bytes: u64,
    ) -> Result<Log, ModuleError> {
        Log::open(directory, durability, page_state, segment_bytes)
    }
}

impl Log {
    fn open(
        directory: &str,
        durability: Durability,
        page_state: PageState,
        segment_bytes: u64,
    ) -> Result<Self, ModuleError> {
        let opened = log::Log::open(directory, durability.into(), page_state.into(), segment_bytes);
        opened.map(Self).map_err(|error| ModuleError::from(convert_error(error)))
    }

    /// Appends one payload; returns its sequence number.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogError> {
        self.0.append(payload).map_err(convert_error)
    }

    /// Appends payloads in order, which become durable together; returns their sequence numbers. This is one call through the
    /// boundary, without a copy before it: keep the payloads and overwrite them with the next ones.
    pub fn append_batch(&mut self, payloads: &[Vec<u8>]) -> Result<Range<u64>, LogError> {
        self.0.append_batch(payloads).map(|range| range.start..range.end).map_err(convert_error)
    }

    /// Passes the payload with a sequence number to `read`.
    pub fn read<R>(&mut self, sequence: u64, read: impl FnOnce(&[u8]) -> R) -> Result<R, LogError> {
        self.0.read(sequence).map(|payload| read(&payload)).map_err(convert_error)
    }

    /// The first sequence number that can still be read, or the next one if there is none.
    pub fn first_sequence(&self) -> u64 {
        self.0.first_sequence()
    }

    /// The sequence number of the next payload.
    pub fn next_sequence(&self) -> u64 {
        self.0.next_sequence()
    }

    /// Makes all appended payloads durable; returns the first sequence number that is not durable.
    pub fn sync(&mut self) -> Result<u64, LogError> {
        self.0.sync().map_err(convert_error)
    }
}

fn convert_error(error: log::Error) -> LogError {
    LogError { fault: error.fault.into(), reason: error.reason }
}
