//! walrus as the log that the shared sessions measure.

use crate::process;
use bench_model::ModuleError;
use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use wal_load::Journal;
use walrus_rust::Walrus;

/// The durability of an append that has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is in the page cache.
    ProcessCrash,
    /// It is in the page cache, and a thread syncs every 200 ms.
    Interval,
    /// It is on disk.
    Each,
    /// It is on disk, written with walrus's batch call.
    EachBatch,
}

impl Durability {
    /// [`Durability::EachBatch`]; an error if walrus does not accept batches of `batch` payloads.
    pub fn each_batch(batch: usize) -> Result<Self, ModuleError> {
        if batch <= BATCH_MAX {
            return Ok(Self::EachBatch);
        }
        let reason = format!("walrus accepts batches of up to {BATCH_MAX}, not {batch}; give batch=1000");
        Err(ModuleError::Unavailable(reason))
    }
}

/// Upper bound of the payloads in a batch, and in one read.
const BATCH_MAX: usize = 2_000;

/// Bytes of the header of each payload.
const HEAD_BYTES: usize = 64;

/// walrus allocates blocks of this many bytes from its files. A larger entry gets several blocks, and recovery then
/// reads the second one as if it began with a header.
const BLOCK_BYTES: usize = 10 << 20;

/// Bytes in a topic before the next one begins. Files of 1000 MiB that are older than a topic are removed, so that
/// there are at most two; walrus itself removes them only after minutes to hours.
const TOPIC_BYTES: u64 = 256 << 20;

/// A log in a folder of its own.
#[expect(missing_debug_implementations, reason = "walrus has none")]
pub struct WalrusJournal {
    log: Walrus,
    folder: PathBuf,
    durability: Durability,
    topic: String,
    topics: u64,
    /// Bytes that may be appended before the next topic begins.
    room: u64,
    /// Payloads that this process appended, and the first of them that can still be read.
    appended: u64,
    kept_from: u64,
    /// The longest payload so far; for a reopened log the longest possible.
    longest: usize,
}

impl WalrusJournal {
    /// Bytes of a payload in the log; an error if walrus cannot recover a payload of that length.
    pub fn record_bytes(payload_bytes: usize) -> Result<usize, ModuleError> {
        let bytes = HEAD_BYTES + payload_bytes;
        if bytes <= BLOCK_BYTES {
            return Ok(bytes);
        }
        let longest = BLOCK_BYTES - HEAD_BYTES;
        let reason = format!(
            "walrus loses payloads of more than {longest} bytes when it recovers, so {payload_bytes} bytes are too many"
        );
        Err(ModuleError::Unavailable(format!("{reason}; give a smaller payload_bytes")))
    }

    /// Creates the log in `folder`, or opens one that has only one topic.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self, ModuleError> {
        // The length of existing payloads is unknown.
        let is_new = fs::read_dir(folder).map_err(failed)?.next().is_none();
        let longest = if is_new { 0 } else { BLOCK_BYTES - HEAD_BYTES };
        let log = process::instance(folder, durability)?;
        let (folder, topic) = (folder.to_owned(), topic(0));
        let (appended, kept_from) = (0, 0);
        Ok(Self { log, folder, durability, topic, topics: 1, room: TOPIC_BYTES, appended, kept_from, longest })
    }

    fn begin_topic(&mut self) -> Result<(), ModuleError> {
        let unable =
            |error| ModuleError::Other(format!("cannot remove walrus's files in {}: {error}", self.folder.display()));
        remove_old_files(&self.folder).map_err(unable)?;
        self.topic = topic(self.topics);
        self.topics += 1;
        (self.room, self.kept_from) = (TOPIC_BYTES, self.appended);
        Ok(())
    }

    fn note(&mut self, payload: &[u8]) {
        self.appended += 1;
        self.longest = self.longest.max(payload.len());
    }
}

impl Journal for WalrusJournal {
    type Batch<'a> = Vec<&'a [u8]>;

    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        self.log.append_for_topic(&self.topic, payload).map_err(failed)?;
        self.note(payload);
        Ok(self.appended - 1)
    }

    fn prepare(payloads: &[Vec<u8>]) -> Vec<&[u8]> {
        payloads.iter().map(Vec::as_slice).collect()
    }

    fn append_batch(&mut self, batch: &Vec<&[u8]>) -> Result<Range<u64>, ModuleError> {
        let first = self.appended;
        if self.durability == Durability::EachBatch {
            self.log.batch_append_for_topic(&self.topic, batch).map_err(failed)?;
            batch.iter().for_each(|payload| self.note(payload));
        } else {
            batch.iter().try_for_each(|payload| self.append(payload).map(drop))?;
        }
        Ok(first..self.appended)
    }

    /// Begins a topic if the current one would become too large.
    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError> {
        let bytes = payloads * (HEAD_BYTES + payload_bytes) as u64;
        if bytes > self.room && self.kept_from < self.appended {
            self.begin_topic()?;
        }
        self.room = self.room.saturating_sub(bytes);
        Ok(())
    }

    /// walrus is read like a queue: a payload that was read once cannot be read again.
    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        Ok(self.kept_from..self.appended)
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        // A read that ends at its limit of bytes within the last full block continues after that block and skips
        // entries. With a byte limit that is large enough for the most entries, a read always ends at the limit of
        // entries.
        let bytes = (HEAD_BYTES + self.longest) * BATCH_MAX;
        let mut last = VecDeque::new();
        loop {
            let entries = self.log.batch_read_for_topic(&self.topic, bytes, true).map_err(failed)?;
            if entries.is_empty() {
                break;
            }
            last.extend(entries);
            last.drain(..last.len().saturating_sub(count));
        }
        self.kept_from = self.appended;
        last.iter().for_each(|entry| read(&entry.data));
        Ok(())
    }
}

fn topic(number: u64) -> String {
    format!("log-{number}")
}

/// Removes all of walrus's files except the newest, from which it allocates blocks. walrus never closes a file, so the
/// space is only freed if the file is truncated first.
fn remove_old_files(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        // Their names are their creation times.
        let made = path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok());
        files.extend(made.map(|made| (made, path)));
    }
    files.sort();
    files.pop();
    for (_, path) in files {
        OpenOptions::new().write(true).open(&path)?.set_len(0)?;
        fs::remove_file(&path)?;
    }
    Ok(())
}

fn failed(error: io::Error) -> ModuleError {
    ModuleError::Other(format!("walrus: {error}"))
}
