//! The same interface where the log library does not run: opening a log always fails.

use crate::{LogFault, OpenError, Options};
use std::convert::Infallible;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A log; there are no values of this type.
#[derive(Debug)]
pub struct SessionLog(Infallible);

impl SessionLog {
    pub(crate) fn open(_: &Path, _: Options, _: Arc<()>) -> Result<Self, OpenError> {
        Err(OpenError::Unsupported)
    }

    /// Appends one payload; returns its sequence.
    pub fn append(&mut self, _: &[u8]) -> Result<u64, LogFault> {
        match self.0 {}
    }

    /// Appends payloads in order, durable together; returns their sequences.
    pub fn append_batch<'p>(&mut self, _: impl IntoIterator<Item = &'p [u8]>) -> Result<Range<u64>, LogFault> {
        match self.0 {}
    }

    /// The payload of a sequence, borrowed from the log.
    pub fn read(&mut self, _: u64) -> Result<&[u8], LogFault> {
        match self.0 {}
    }

    /// The first sequence that can still be read, or the next one where there is none. It can be read until the next append.
    pub fn first_sequence(&mut self) -> u64 {
        match self.0 {}
    }

    /// The sequence of the next payload.
    pub fn next_sequence(&self) -> u64 {
        match self.0 {}
    }

    /// Makes all appends durable; returns the first sequence that is not.
    pub fn sync(&mut self) -> Result<u64, LogFault> {
        match self.0 {}
    }
}
