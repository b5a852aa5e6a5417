//! Delays the recycling of segments whose entries may still be read, which okaywal leaves to its user.

use okaywal::{Entry, EntryId, LogManager, LogPosition, ReadChunkResult, SegmentReader, WriteAheadLog};
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A payload in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PayloadLocation {
    pub(crate) entry: EntryId,
    pub(crate) position: LogPosition,
    pub(crate) bytes: u64,
}

#[derive(Debug, Default)]
struct State {
    /// The oldest entry that is still needed.
    oldest: EntryId,
    is_closing: bool,
    recovered: Vec<PayloadLocation>,
}

/// State that the log's thread and its user share.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecyclingGate(Arc<(Mutex<State>, Condvar)>);

impl RecyclingGate {
    /// Releases the entries before `oldest`.
    pub(crate) fn need_from(&self, oldest: EntryId) {
        self.change(|state| state.oldest = oldest);
    }

    /// Ends the wait of the recycling thread; segments that it has not recycled stay for the next opening.
    pub(crate) fn close(&self) {
        self.change(|state| state.is_closing = true);
    }

    /// Takes the payloads that were in the log when it was opened, oldest first.
    pub(crate) fn recovered(&self) -> Vec<PayloadLocation> {
        self.change(|state| std::mem::take(&mut state.recovered))
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (state, changed) = &*self.0;
        let result = change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
        result
    }
}

impl LogManager for RecyclingGate {
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        let id = entry.id();
        let mut places = Vec::new();
        loop {
            match entry.read_chunk()? {
                ReadChunkResult::Chunk(mut chunk) => {
                    let position = chunk.log_position();
                    // Reads instead of skipping, because `skip_remaining_bytes` of 0.3.1 skips the checksum twice and
                    // finds no end.
                    let bytes = chunk.read_all()?.len() as u64;
                    if !chunk.check_crc()? {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "checksum mismatch"));
                    }
                    places.push(PayloadLocation { entry: id, position, bytes });
                }
                ReadChunkResult::EndOfEntry => break,
                // A commit that had not finished.
                ReadChunkResult::AbortedEntry => return Ok(()),
            }
        }
        self.change(|state| state.recovered.extend(places));
        Ok(())
    }

    fn checkpoint_to(&mut self, last: EntryId, _: &mut SegmentReader, _: &WriteAheadLog) -> io::Result<()> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_needed = |state: &mut State| !state.is_closing && state.oldest <= last;
        let state = changed.wait_while(state, is_needed).unwrap_or_else(PoisonError::into_inner);
        if state.is_closing { Err(io::Error::other("the log is being closed")) } else { Ok(()) }
    }
}
