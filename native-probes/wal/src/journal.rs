//! The log as the shared sessions see it. It must not know what they measure.

use crate::options::{self, failed, footprint, unread};
use bench_model::ModuleError;
use std::fs;
use wal_load::{Journal, pattern};
use wal_log::{Config, Entry, Log, Retention, StreamId};

/// Whether records go to files that had records before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// Segments that had records before and are used again.
    Recycled,
    /// Segments that are new, with their pages made ready before the clock starts: when they are full, the log is begun anew.
    New,
}

/// A log that one stream is written to.
#[derive(Debug)]
pub(crate) struct LogJournal {
    /// `None` only while it is begun anew.
    log: Option<Log>,
    config: Config,
    files: Files,
    /// Bytes that new segments have room for, counted down.
    room: u64,
    /// Payloads that were appended, and what the sequence of the first one in this log would be.
    appended: u64,
    kept_from: u64,
}

/// An entry of the one stream.
pub(crate) fn entry(payload: &[u8]) -> Entry<'_> {
    Entry { stream: StreamId(1), kind: 0, payload }
}

impl LogJournal {
    /// Opens a log; where its files are to be recycled ones, goes through all of them once.
    pub(crate) fn open(config: Config, files: Files) -> Result<Self, ModuleError> {
        let log = options::open(&config)?;
        let mut journal = Self { log: Some(log), room: room(&config), config, files, appended: 0, kept_from: 0 };
        if files == Files::Recycled {
            journal.use_every_segment()?;
        }
        Ok(journal)
    }

    /// A log for appends that are few, so that whether files are recycled makes no difference.
    pub(crate) fn for_few(config: Config) -> Result<Self, ModuleError> {
        let log = options::open(&config)?;
        Ok(Self { log: Some(log), room: 0, config, files: Files::Recycled, appended: 0, kept_from: 0 })
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
        self.log.as_ref().ok_or_else(|| ModuleError::Other("the log could not be begun anew before".to_owned()))
    }

    fn begin_anew(&mut self) -> Result<(), ModuleError> {
        // It holds the lock of its folder as long as it lives.
        drop(self.log.take());
        fs::remove_dir_all(&self.config.directory).map_err(options::io("remove", &self.config.directory))?;
        self.log = Some(options::open(&self.config)?);
        (self.room, self.kept_from) = (room(&self.config), self.appended);
        Ok(())
    }
}

/// Bytes for records in the segments that are ready when a log is opened, but for what might not fit the end of each.
fn room(config: &Config) -> u64 {
    (1 + u64::from(config.segments_ahead)) * (config.segment_bytes - (1 << 20))
}

impl Journal for LogJournal {
    type Batch<'a> = Vec<Entry<'a>>;

    #[inline]
    fn append(&mut self, payload: &[u8]) -> Result<(), ModuleError> {
        self.log()?.append(entry(payload)).map_err(failed)?;
        self.appended += 1;
        Ok(())
    }

    fn prepare<'a>(payloads: &[&'a [u8]]) -> Vec<Entry<'a>> {
        payloads.iter().map(|payload| entry(payload)).collect()
    }

    fn append_batch(&mut self, batch: &Vec<Entry<'_>>) -> Result<(), ModuleError> {
        self.log()?.append_batch(batch).map_err(failed)?;
        self.appended += batch.len() as u64;
        Ok(())
    }

    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError> {
        if self.files == Files::Recycled {
            return Ok(());
        }
        let bytes = payloads * footprint(payload_bytes) as u64;
        if bytes > self.room {
            self.begin_anew()?;
        }
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            let room = room(&self.config);
            ModuleError::Unavailable(format!(
                "{payloads} payloads take {bytes} bytes, and new files have room for {room}; give a smaller batch or file=recycled"
            ))
        })?;
        Ok(())
    }

    fn kept_from(&self) -> u64 {
        self.kept_from
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
