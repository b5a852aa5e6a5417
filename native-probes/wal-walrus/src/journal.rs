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

/// What an append that returned has been promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// It is in the page cache.
    ProcessCrash,
    /// As before, and a thread syncs every 200 ms.
    Interval,
    /// It is on the disk.
    Each,
    /// It is on the disk, by walrus's own call for batches.
    EachBatch,
}

impl Promise {
    /// [`Promise::EachBatch`], unless batches of so many payloads are more than walrus takes.
    pub fn each_batch(batch: usize) -> Result<Self, ModuleError> {
        if batch <= BATCH_MAX {
            return Ok(Self::EachBatch);
        }
        let reason = format!("walrus takes batches of up to {BATCH_MAX}, not {batch}; give batch=1000");
        Err(ModuleError::Unavailable(reason))
    }
}

/// Payloads of a batch, and of one read.
const BATCH_MAX: usize = 2_000;

/// Bytes in front of each payload.
const HEAD_BYTES: usize = 64;

/// walrus hands out its files in blocks of so many bytes. An entry that is larger gets several, and its recovery then takes
/// what lies in the second for a head.
const BLOCK_BYTES: usize = 10 << 20;

/// What goes to a topic before the next one is begun. Files of 1000 MiB that are older than a topic are removed, so that there
/// are two at a time; walrus itself removes them after a thousand rounds of its thread, which are minutes to hours.
const TOPIC_BYTES: u64 = 256 << 20;

/// A log in a folder of its own.
#[expect(missing_debug_implementations, reason = "walrus has none")]
pub struct WalrusJournal {
    log: Walrus,
    folder: PathBuf,
    promise: Promise,
    topic: String,
    topics: u64,
    /// What may still be appended before the next topic is begun.
    room: u64,
    /// Payloads that were appended by this process, and the first of them that was neither read nor left behind.
    appended: u64,
    kept_from: u64,
    /// The longest payload so far, or the longest there may be.
    longest: usize,
}

impl WalrusJournal {
    /// Bytes that a payload takes in the log; an error where it takes too many.
    pub fn record_bytes(payload_bytes: usize) -> Result<usize, ModuleError> {
        let bytes = HEAD_BYTES + payload_bytes;
        if bytes <= BLOCK_BYTES {
            return Ok(bytes);
        }
        let longest = BLOCK_BYTES - HEAD_BYTES;
        let reason = format!(
            "walrus loses payloads of more than {longest} bytes when it recovers, so {payload_bytes} is too many"
        );
        Err(ModuleError::Unavailable(format!("{reason}; give less for payload_bytes")))
    }

    /// Makes the log in `folder`, or opens one that has never begun a second topic.
    pub fn open(folder: &Path, promise: Promise) -> Result<Self, ModuleError> {
        // Of payloads that are there already, nobody knows the length.
        let is_new = fs::read_dir(folder).map_err(failed)?.next().is_none();
        let longest = if is_new { 0 } else { BLOCK_BYTES - HEAD_BYTES };
        let log = process::instance(folder, promise)?;
        let (folder, topic) = (folder.to_owned(), topic(0));
        let (appended, kept_from) = (0, 0);
        Ok(Self { log, folder, promise, topic, topics: 1, room: TOPIC_BYTES, appended, kept_from, longest })
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
        if self.promise == Promise::EachBatch {
            self.log.batch_append_for_topic(&self.topic, batch).map_err(failed)?;
            batch.iter().for_each(|payload| self.note(payload));
        } else {
            batch.iter().try_for_each(|payload| self.append(payload).map(drop))?;
        }
        Ok(first..self.appended)
    }

    /// Begins a topic where the present one would become too large.
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
        // A read that its bytes cut short within the last full block goes on behind that block, and skips what is between.
        // With room for as many entries as a read may hand out, it is always their number that ends it.
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

/// Removes all of walrus's files but the newest, which is the one that it takes blocks from. It never closes a file, so the
/// space is only given back when the file is cut first.
fn remove_old_files(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        // They are named by the time at which they were made.
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
