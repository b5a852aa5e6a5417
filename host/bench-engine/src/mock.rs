//! Mocks for the tests of runs and comparisons: a journal in memory, and an observer that does nothing.

use crate::{Finished, Journal, Observer, Plan, Repetition};
use bench_sink::runfile::{Record, WriteError};
use std::path::PathBuf;

/// Stores blocks of records in memory, up to a maximum.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) blocks: Vec<Vec<Record>>,
    pub(crate) room: Option<usize>,
}

impl Journal for Memory {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        if self.room == Some(self.blocks.len()) {
            return Err(WriteError { path: PathBuf::new(), source: std::io::ErrorKind::StorageFull.into() });
        }
        self.blocks.push(records.to_vec());
        Ok(())
    }
}

/// Ignores everything.
pub(crate) struct Nobody;

impl Observer for Nobody {
    fn started(&mut self, _: &Plan, _: Repetition, _: usize) {}
    fn finished(&mut self, _: &Plan, _: &Finished) {}
}
