//! One batch after the other: how long each takes, interleaved with a bare loop or a bare write of as many bytes.

use crate::latency::read_back;
use crate::{Bench, Folder, Journal, Meter, Payloads, RawCommits, RawPages, Stopwatch};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};

/// How a log is measured batch by batch.
#[derive(Clone, Copy, Debug)]
pub struct ThroughputOptions {
    /// Bytes of a payload.
    pub payload_bytes: usize,
    /// Payloads of a batch.
    pub batch: usize,
    /// Bytes that the log writes for one batch and syncs before it returns; `None` where it does not sync.
    pub synced_bytes: Option<usize>,
}

impl ThroughputOptions {
    /// Reads the arguments of [`crate::scenario::batch_write_throughput`].
    pub fn read(arguments: &Arguments) -> Result<Self, ModuleError> {
        let payload_bytes = crate::scenario::count(arguments, "payload_bytes")?;
        Ok(Self { payload_bytes, batch: crate::scenario::count(arguments, "batch")?, synced_bytes: None })
    }
}

/// Bytes of the file that the bare loop writes to: as many as a segment of the logs that are compared.
const RAW_BYTES: usize = 64 << 20;

/// Batches between two transfers of samples to the host.
const CHUNK: u64 = 1 << 16;

/// The bare work that the log is compared with.
enum Raw {
    /// In memory.
    Append(RawPages),
    /// On the disk.
    Commit(RawCommits),
}

struct BatchThroughput<J> {
    // Dropped in order: the log before its folder.
    journal: J,
    payloads: Payloads,
    raw: Raw,
    batch: Meter,
    raw_meter: Meter,
    options: ThroughputOptions,
    _folder: Folder,
}

/// A session that appends batches to `journal`, whose files are in `folder`.
pub fn batch_throughput<J: Journal + 'static>(
    journal: J,
    folder: Folder,
    options: ThroughputOptions,
    bench: impl Into<Bench>,
) -> Result<Box<dyn Session>, ModuleError> {
    let payloads = Payloads::new(options.payload_bytes, options.batch)?;
    let (raw, metric) = match options.synced_bytes {
        Some(bytes) => (Raw::Commit(RawCommits::new(folder.path(), bytes)?), "raw_commit"),
        None => {
            // A batch has some bytes of heads besides its payloads.
            let needed = options.batch * (options.payload_bytes + 64);
            (Raw::Append(RawPages::new(folder.path(), RAW_BYTES.max(needed.next_multiple_of(2 << 20)))?), "raw_append")
        }
    };
    let bench = bench.into();
    let (batch, raw_meter) = (Meter::open(bench, "batch_write_throughput", &[])?, Meter::open(bench, metric, &[])?);
    Ok(Box::new(BatchThroughput { journal, payloads, raw, batch, raw_meter, options, _folder: folder }))
}

impl<J: Journal> BatchThroughput<J> {
    fn one(&mut self) -> Result<(), ModuleError> {
        self.journal.make_way(self.options.batch as u64, self.options.payload_bytes)?;
        let payloads = self.payloads.advance_batch(self.options.batch);
        let watch = Stopwatch::start();
        match &mut self.raw {
            Raw::Append(pages) => pages.append(&payloads),
            Raw::Commit(commits) => commits.commit()?,
        }
        self.raw_meter.record(watch.ns());
        let batch = J::prepare(&payloads);
        let watch = Stopwatch::start();
        self.journal.append_batch(&batch)?;
        self.batch.record(watch.ns());
        Ok(())
    }
}

impl<J: Journal> Session for BatchThroughput<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.batch.prepare(chunk as usize);
            self.raw_meter.prepare(chunk as usize);
            if let Raw::Append(pages) = &mut self.raw {
                // The kernel write-protects pages again after it has written them back.
                pages.make_resident()?;
            }
            for _ in 0..chunk {
                self.one()?;
            }
            self.batch.hand_over();
            self.raw_meter.hand_over();
            left -= chunk;
        }
        let bytes = times * (self.options.batch * self.options.payload_bytes) as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        read_back(&mut self.journal, &self.payloads)
    }
}
