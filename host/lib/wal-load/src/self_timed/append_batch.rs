//! One batch after the other, interleaved with a raw loop or a raw write of as many bytes.

use super::{Bench, Folder, Meter, RawCommits, RawPages, Stopwatch};
use crate::scenario::{self, APPEND_BATCH};
use crate::{Journal, Payloads, verify};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};

/// How batches are measured.
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions {
    /// Bytes of a payload.
    pub payload_bytes: usize,
    /// Payloads of a batch.
    pub batch: usize,
    /// Bytes that the log writes for one batch and syncs before it returns; `None` where it does not sync.
    pub synced_bytes: Option<usize>,
}

impl BatchOptions {
    /// Reads the arguments of [`scenario::append_batch`]; `synced_bytes` is `None`.
    pub fn read(arguments: &Arguments) -> Result<Self, ModuleError> {
        let payload_bytes = scenario::count(arguments, "payload_bytes")?;
        Ok(Self { payload_bytes, batch: scenario::count(arguments, "batch")?, synced_bytes: None })
    }
}

/// Bytes of the file that the raw loop writes to: as many as a segment of the logs that are compared.
const RAW_BYTES: usize = 64 << 20;

/// Batches after which samples go to the host.
const CHUNK: u64 = 1 << 16;

/// The baseline that is interleaved with the log.
enum Raw {
    /// For a log in memory: copy and checksum.
    Append(RawPages),
    /// For a log that syncs: write and fdatasync.
    Commit(RawCommits),
}

struct BatchSession<J> {
    // Fields are dropped in order: the log before its folder.
    journal: J,
    payloads: Payloads,
    raw: Raw,
    batch: Meter,
    raw_meter: Meter,
    options: BatchOptions,
    misnumbered: u64,
    _folder: Folder,
}

/// A session that appends batches to `journal`, whose files are in `folder`.
pub fn append_batch<J: Journal + 'static>(
    journal: J,
    folder: Folder,
    options: BatchOptions,
    bench: impl Into<Bench>,
) -> Result<Box<dyn Session>, ModuleError> {
    let payloads = Payloads::new(options.payload_bytes, options.batch)?;
    let (raw, metric) = match options.synced_bytes {
        Some(bytes) => (Raw::Commit(RawCommits::new(folder.path(), bytes)?), "raw_commit"),
        None => {
            // Each record has a header besides its payload.
            let needed = options.batch * (options.payload_bytes + 64);
            (Raw::Append(RawPages::new(folder.path(), RAW_BYTES.max(needed.next_multiple_of(2 << 20)))?), "raw_append")
        }
    };
    let bench = bench.into();
    let (batch, raw_meter) = (Meter::open(bench, APPEND_BATCH, &[])?, Meter::open(bench, metric, &[])?);
    let misnumbered = 0;
    Ok(Box::new(BatchSession { journal, payloads, raw, batch, raw_meter, options, misnumbered, _folder: folder }))
}

impl<J: Journal> BatchSession<J> {
    fn one(&mut self) -> Result<(), ModuleError> {
        self.journal.make_way(self.options.batch as u64, self.options.payload_bytes)?;
        let expected = self.payloads.count()..self.payloads.count() + self.options.batch as u64;
        let payloads = self.payloads.advance_batch(self.options.batch);
        let watch = Stopwatch::start();
        match &mut self.raw {
            Raw::Append(pages) => pages.append(payloads),
            Raw::Commit(commits) => commits.commit()?,
        }
        self.raw_meter.record(watch.ns());
        let batch = J::prepare(payloads);
        let watch = Stopwatch::start();
        let sequences = self.journal.append_batch(&batch)?;
        self.batch.record(watch.ns());
        self.misnumbered += u64::from(sequences != expected);
        Ok(())
    }
}

impl<J: Journal> Session for BatchSession<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.batch.prepare(chunk as usize);
            self.raw_meter.prepare(chunk as usize);
            if let Raw::Append(pages) = &mut self.raw {
                // The kernel makes pages read-only again when it has written them back.
                pages.make_resident()?;
            }
            for _ in 0..chunk {
                self.one()?;
            }
            self.batch.flush();
            self.raw_meter.flush();
            left -= chunk;
        }
        let bytes = times * (self.options.batch * self.options.payload_bytes) as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        verify(&mut self.journal, &self.payloads, self.misnumbered)
    }
}
