//! okaywal as the log that the shared sessions measure.

use crate::recycling::{PayloadLocation, RecyclingGate};
use bench_model::ModuleError;
use okaywal::{Configuration, WriteAheadLog};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use wal_load::Journal;

/// Bytes of a segment, which okaywal fills with zeros when it creates one: as many as in the logs that it is compared
/// with. With its default of 1 MiB, almost every large batch would span segments.
const SEGMENT_BYTES: u32 = 64 << 20;

/// Bytes after which okaywal continues in the next segment: three quarters, as in its defaults.
const CHECKPOINT_BYTES: u64 = 48 << 20;

/// Upper bounds of the payloads that can be read back. Older segments are recycled, which bounds the files.
const KEPT_PAYLOADS: usize = 10_000;
const KEPT_BYTES: u64 = 64 << 20;

/// A log in a folder of its own.
#[derive(Debug)]
pub struct OkayJournal {
    /// `None` only while it is dropped.
    log: Option<WriteAheadLog>,
    gate: RecyclingGate,
    /// Payloads in the log that can be read back, and their bytes.
    kept: VecDeque<PayloadLocation>,
    kept_bytes: u64,
    /// The number of payloads before them.
    kept_from: u64,
    /// Whether every call so far succeeded. After a failed call okaywal may block forever: its active segment is not
    /// returned, and stays marked as being synced.
    is_intact: bool,
}

impl OkayJournal {
    /// Creates or opens the log in `folder`.
    pub fn open(folder: &Path) -> Result<Self, ModuleError> {
        let gate = RecyclingGate::default();
        let log = Configuration::default_for(folder)
            .preallocate_bytes(SEGMENT_BYTES)
            .checkpoint_after_bytes(CHECKPOINT_BYTES)
            .open(gate.clone())
            .map_err(file_error("open the log in", folder))?;
        sync_files(folder).map_err(file_error("sync the files in", folder))?;
        let (kept, kept_bytes, kept_from) = (VecDeque::new(), 0, 0);
        let mut journal = Self { log: Some(log), gate, kept, kept_bytes, kept_from, is_intact: true };
        journal.gate.recovered().into_iter().for_each(|place| journal.keep(place));
        Ok(journal)
    }

    /// Bytes of an entry of `payloads` payloads: a marker and a number of eight bytes, a marker at the end, and a
    /// marker, a length and a checksum with each payload.
    pub fn entry_bytes(payloads: usize, payload_bytes: usize) -> usize {
        9 + payloads * (payload_bytes + 9) + 1
    }

    fn keep(&mut self, place: PayloadLocation) {
        self.kept_bytes += place.bytes;
        self.kept.push_back(place);
        while let Some(oldest) = self.kept.front()
            && (self.kept.len() > KEPT_PAYLOADS || self.kept_bytes - oldest.bytes >= KEPT_BYTES)
        {
            self.kept_bytes -= oldest.bytes;
            self.kept.pop_front();
            self.kept_from += 1;
        }
    }

    /// Calls okaywal, unless a call has failed before.
    fn call<R>(&mut self, call: impl FnOnce(&mut Self, WriteAheadLog) -> io::Result<R>) -> Result<R, ModuleError> {
        let Some(log) = self.log.clone().filter(|_| self.is_intact) else {
            let reason = "okaywal has failed before and could block forever; open a new log in an empty folder";
            return Err(ModuleError::Other(reason.to_owned()));
        };
        // Set before the call, so that a panic does not leave it marked as intact.
        self.is_intact = false;
        let result = call(self, log).map_err(|error| ModuleError::Other(format!("okaywal: {error}")))?;
        self.is_intact = true;
        Ok(result)
    }

    fn next(&self) -> u64 {
        self.kept_from + self.kept.len() as u64
    }

    fn commit(&mut self, payloads: &[&[u8]]) -> Result<Range<u64>, ModuleError> {
        let first = self.next();
        self.call(|journal, log| {
            let mut entry = log.begin_entry()?;
            let id = entry.id();
            for payload in payloads {
                let record = entry.write_chunk(payload)?;
                journal.keep(PayloadLocation { entry: id, position: record.position, bytes: payload.len() as u64 });
            }
            entry.commit()?;
            Ok(first..journal.next())
        })
    }
}

impl Journal for OkayJournal {
    type Batch<'a> = Vec<&'a [u8]>;

    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        Ok(self.commit(&[payload])?.start)
    }

    fn prepare(payloads: &[Vec<u8>]) -> Vec<&[u8]> {
        payloads.iter().map(Vec::as_slice).collect()
    }

    fn append_batch(&mut self, batch: &Vec<&[u8]>) -> Result<Range<u64>, ModuleError> {
        self.commit(batch)
    }

    /// Lets okaywal's thread recycle the segments that are no longer read.
    fn make_way(&mut self, _: u64, _: usize) -> Result<(), ModuleError> {
        if let Some(oldest) = self.kept.front() {
            self.gate.need_from(oldest.entry);
        }
        Ok(())
    }

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        Ok(self.kept_from..self.next())
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        self.call(|journal, log| {
            let skipped = journal.kept.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
            let mut payload = Vec::new();
            for place in journal.kept.iter().skip(skipped) {
                let mut chunk = log.read_at(place.position)?;
                payload.clear();
                chunk.read_to_end(&mut payload)?;
                if !chunk.crc_is_valid()? {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "checksum mismatch"));
                }
                read(&payload);
            }
            Ok(())
        })
    }
}

impl Drop for OkayJournal {
    fn drop(&mut self) {
        self.gate.close();
        if let Some(log) = self.log.take().filter(|_| self.is_intact) {
            // The error is expected: it stops the recycling thread.
            let _ = log.shutdown();
        }
    }
}

/// Syncs the zeros of new segments, so that the first commit does not pay for it.
fn sync_files(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        File::open(file?.path())?.sync_all()?;
    }
    Ok(())
}

fn file_error(what: &str, folder: &Path) -> impl FnOnce(io::Error) -> ModuleError {
    let what = format!("okaywal cannot {what} {}", folder.display());
    move |error| ModuleError::Other(format!("{what}: {error}"))
}
