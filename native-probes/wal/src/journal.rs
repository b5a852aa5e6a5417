//! The log as the shared sessions see it.

use crate::options::{self, failed, footprint, unread};
use bench_model::ModuleError;
use std::fs;
use std::ops::Range;
use wal_load::{Journal, pattern};
use wal_log::{Config, Entry, Log, Retention, StreamId};

/// The kind of segment files that records are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// Segments that had records before and are reused.
    Recycled,
    /// New segments whose pages are touched before the clock starts. When they are full, the log starts over.
    New,
}

/// A log that one stream is written to.
#[derive(Debug)]
pub(crate) struct LogJournal {
    /// `None` only while the log starts over.
    log: Option<Log>,
    config: Config,
    files: Files,
    /// Bytes left in new segments.
    room: u64,
    /// The number of the first payload that this log has, and its sequence in the log.
    first: (u64, u64),
}

/// An entry of the only stream.
pub(crate) fn entry(payload: &[u8]) -> Entry<'_> {
    Entry { stream: StreamId(1), kind: 0, payload }
}

impl LogJournal {
    /// Opens a log. For recycled files, writes to all of its segments once.
    pub(crate) fn open(config: Config, files: Files) -> Result<Self, ModuleError> {
        let log = options::open(&config)?;
        let mut journal = Self { log: Some(log), room: room(&config), config, files, first: (0, 0) };
        if files == Files::Recycled {
            journal.use_every_segment()?;
            journal.first.1 = journal.log()?.next_sequence();
        }
        Ok(journal)
    }

    /// Opens a log for few appends, where recycled and new files make no difference.
    pub(crate) fn for_few(config: Config) -> Result<Self, ModuleError> {
        let log = options::open(&config)?;
        Ok(Self { log: Some(log), room: 0, config, files: Files::Recycled, first: (0, 0) })
    }

    /// Appends until every segment that the log keeps had records before.
    fn use_every_segment(&mut self) -> Result<(), ModuleError> {
        let kept = match self.config.retention {
            Retention::Segments(kept) => u64::from(kept),
            Retention::All => return Ok(()),
        };
        let segments = kept + u64::from(self.config.segments_ahead) + 1;
        let payload = pattern(0, 64 << 10);
        let entries = vec![entry(&payload); 16];
        let bytes = (entries.len() * footprint(payload.len())) as u64;
        for _ in 0..(segments * self.config.segment_bytes).div_ceil(bytes) {
            self.log()?.append_batch(&entries).map_err(failed)?;
        }
        self.log()?.wait_until_idle().map_err(failed)
    }

    #[inline]
    pub(crate) fn log(&self) -> Result<&Log, ModuleError> {
        self.log.as_ref().ok_or_else(|| ModuleError::Other("the log could not start over before".to_owned()))
    }

    /// The number of the payload that the log gave this sequence.
    #[inline]
    fn number(&self, sequence: u64) -> u64 {
        let (number, first) = self.first;
        // A wrong sequence gives a wrong number, which the check of the session finds.
        number.wrapping_add(sequence.wrapping_sub(first))
    }

    fn start_over(&mut self) -> Result<(), ModuleError> {
        let next = self.number(self.log()?.next_sequence());
        // The log holds the lock of its folder until it is dropped.
        drop(self.log.take());
        fs::remove_dir_all(&self.config.directory).map_err(options::io("remove", &self.config.directory))?;
        self.log = Some(options::open(&self.config)?);
        (self.room, self.first) = (room(&self.config), (next, 0));
        Ok(())
    }
}

/// Bytes for records in the segments that a log creates when it is opened, without the unused end of each.
fn room(config: &Config) -> u64 {
    (1 + u64::from(config.segments_ahead)) * (config.segment_bytes - (1 << 20))
}

impl Journal for LogJournal {
    type Batch<'a> = Vec<Entry<'a>>;

    #[inline]
    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        let sequence = self.log()?.append(entry(payload)).map_err(failed)?;
        Ok(self.number(sequence))
    }

    fn prepare(payloads: &[Vec<u8>]) -> Vec<Entry<'_>> {
        payloads.iter().map(|payload| entry(payload)).collect()
    }

    fn append_batch(&mut self, batch: &Vec<Entry<'_>>) -> Result<Range<u64>, ModuleError> {
        let sequences = self.log()?.append_batch(batch).map_err(failed)?;
        Ok(self.number(sequences.start)..self.number(sequences.end))
    }

    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError> {
        if self.files == Files::Recycled {
            return Ok(());
        }
        let bytes = payloads * footprint(payload_bytes) as u64;
        if bytes > self.room {
            self.start_over()?;
        }
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            let room = room(&self.config);
            ModuleError::Unavailable(format!(
                "{payloads} payloads take {bytes} bytes, but new files have space for {room}; give a smaller batch or file=recycled"
            ))
        })?;
        Ok(())
    }

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        let snapshot = self.log()?.snapshot();
        let first = snapshot.first_sequence().max(self.first.1);
        Ok(self.number(first)..self.number(snapshot.next_sequence()))
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        let snapshot = self.log()?.snapshot();
        let from = snapshot.next_sequence().saturating_sub(count).max(snapshot.first_sequence());
        for record in snapshot.iter(from).map_err(unread)? {
            read(record.map_err(unread)?.payload);
        }
        Ok(())
    }
}
