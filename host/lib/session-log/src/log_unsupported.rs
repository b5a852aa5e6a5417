//! Where the log library does not run: a log that nobody can open. It has the same functions as the one that is there, so
//! that nothing above it need know.

use crate::{LogFault, OpenError, Options};
use std::convert::Infallible;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// One log, of which there is none.
#[derive(Debug)]
pub struct SessionLog(Infallible);

impl SessionLog {
    pub(crate) fn open(_: &Path, _: Options, _: Arc<()>) -> Result<Self, OpenError> {
        Err(OpenError::Unsupported)
    }

    /// Appends one payload; its sequence.
    pub fn append(&mut self, _: &[u8]) -> Result<u64, LogFault> {
        match self.0 {}
    }

    /// Appends payloads in order, durable together; their sequences.
    pub fn append_batch<'p>(&mut self, _: impl IntoIterator<Item = &'p [u8]>) -> Result<Range<u64>, LogFault> {
        match self.0 {}
    }

    /// The payload of a sequence, where it lies.
    pub fn read(&mut self, _: u64) -> Result<&[u8], LogFault> {
        match self.0 {}
    }

    /// The first sequence that can still be read, or the next one where there is none.
    pub fn first_sequence(&self) -> u64 {
        match self.0 {}
    }

    /// The sequence that the next payload will have.
    pub fn next_sequence(&self) -> u64 {
        match self.0 {}
    }

    /// Makes what was appended durable; the first sequence that is not.
    pub fn sync(&mut self) -> Result<u64, LogFault> {
        match self.0 {}
    }
}
