//! A transaction: entries that are collected, and appended together with the record that commits them.
//!
//! Entries are collected in memory and written in one go at the commit. Written as they come, those of several transactions
//! and of none would lie between each other, and recovery and every reader would have to know which are committed; so they
//! lie side by side in one segment, and what has no commit record behind it is the end of the log.

use crate::LogError;
use crate::record::{Entry, StreamId};
use crate::shared::Shared;
use std::ops::Range;

/// See [`crate::Log::transaction`]. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Transaction<'log> {
    shared: &'log Shared,
    payloads: Vec<u8>,
    /// Stream, kind, and where the payload ends.
    entries: Vec<(StreamId, u16, usize)>,
}

impl<'log> Transaction<'log> {
    pub(crate) fn new(shared: &'log Shared) -> Self {
        Self { shared, payloads: Vec::new(), entries: Vec::new() }
    }

    /// Adds an entry, of which a copy is kept.
    pub fn append(&mut self, entry: Entry<'_>) {
        self.payloads.extend_from_slice(entry.payload);
        self.entries.push((entry.stream, entry.kind, self.payloads.len()));
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends all entries, or none where this fails with anything but [`LogError::Poisoned`]; their sequences. Returns
    /// when the commit is as durable as the log's mode promises. A transaction must fit one segment
    /// ([`LogError::TooLarge`]); one without entries leaves no trace.
    pub fn commit(self) -> Result<Range<u64>, LogError> {
        let mut start = 0;
        let entry = |&(stream, kind, end): &(StreamId, u16, usize)| {
            let payload = &self.payloads[start..end];
            start = end;
            Entry { stream, kind, payload }
        };
        let entries: Vec<_> = self.entries.iter().map(entry).collect();
        if entries.is_empty() { self.shared.append_batch(&[]) } else { self.shared.append_transaction(&entries) }
    }
}
