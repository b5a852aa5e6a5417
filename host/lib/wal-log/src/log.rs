//! The public interface of a log: open, append, read, sync, close.

use crate::directory::Directory;
use crate::helper::Helper;
use crate::preparer::Preparer;
use crate::record::{Entry, Record, StreamId};
use crate::recovery::{self, Recovered};
use crate::shared::Shared;
use crate::tail::Tail;
use crate::ticker::Ticker;
use crate::{Config, Durability, HeldEntry, LogError, LogId, ReadError, Recovery, Snapshot, Subscription, Transaction};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

/// A write-ahead log. Any number of threads may append and read concurrently; one process has it open at a time.
///
/// Dropping it ends its threads without a sync; [`Log::close`] syncs.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    recovery: Recovery,
    ticker: Arc<Ticker>,
    threads: Vec<JoinHandle<()>>,
}

/// The resources of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the table of streams, at about 36 bytes a stream.
    pub stream_bytes: usize,
    /// Bytes of the sparse indexes.
    pub index_bytes: usize,
    /// Bytes of mapped segment files, which the kernel keeps in memory as far as it has free memory.
    pub mapped_bytes: u64,
    /// Segments in the log.
    pub segments: usize,
}

impl Log {
    /// Opens the log in the configuration's directory, or creates one. It first recovers an existing log as the configuration says;
    /// see [`Log::recovery`].
    pub fn open(config: Config) -> Result<Self, LogError> {
        config.validate()?;
        let directory = Directory::open(&config)?;
        let Recovered { log, segments, spares, streams, next_number, report } = recovery::recover(&config, &directory)?;
        let segments: Vec<_> = segments.into_iter().map(Arc::new).collect();
        let Some(last) = segments.last() else { return Err(LogError::Stopped) };
        let tail = Tail::new(Arc::clone(last), &config, streams).map_err(LogError::system("open", last.path()))?;
        let durability = config.durability;
        let shared = Shared::new(config, log, directory, segments.into(), tail, Preparer::new(spares));
        let mut log = Self {
            shared: Arc::new(shared),
            recovery: report,
            ticker: Arc::new(Ticker::default()),
            threads: Vec::new(),
        };
        log.spawn("wal-log-helper", move |shared, _| Helper::new(next_number).run(shared))?;
        if let Durability::Interval(interval) = durability {
            log.spawn("wal-log-sync", move |shared, ticker| ticker.run(shared, interval))?;
        }
        Ok(log)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce(&Shared, &Ticker) + Send + 'static) -> Result<(), LogError> {
        let (shared, ticker) = (Arc::clone(&self.shared), Arc::clone(&self.ticker));
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&shared, &ticker));
        self.threads.push(thread.map_err(LogError::system("clone", self.directory()))?);
        Ok(())
    }

    /// What recovery found and did when the log was opened.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The identity of the log.
    pub fn id(&self) -> LogId {
        self.shared.log
    }

    /// The directory of the log.
    pub fn directory(&self) -> &Path {
        self.shared.directory.path()
    }

    /// Appends an entry, which readers see at once, and returns its sequence when the entry is as durable as the log's mode
    /// guarantees.
    ///
    /// After [`LogError::NoSpace`] appends continue as soon as there is space; after [`LogError::Poisoned`] they do not. An entry
    /// that failed with the latter may have been written: whether it is on the disk is unknown.
    #[inline]
    pub fn append(&self, entry: Entry<'_>) -> Result<u64, LogError> {
        self.shared.append(&entry)
    }

    /// Appends entries in order, makes them durable together, and returns the range of their sequences. No other entry is between
    /// them, unless another thread appends while this one waits for the next segment. A crash may leave the first few of them; a
    /// [`Log::transaction`] leaves all or none.
    pub fn append_batch(&self, entries: &[Entry<'_>]) -> Result<Range<u64>, LogError> {
        self.shared.append_batch(entries)
    }

    /// Begins a transaction.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction::new(&self.shared)
    }

    /// Makes everything in the log durable, with the names of its files, whatever its mode; returns the first sequence that is not. A failure
    /// poisons the log.
    pub fn sync(&self) -> Result<u64, LogError> {
        self.shared.committer.sync(&self.shared.tail)
    }

    /// Begins the next segment, unless the current one is empty. Waits for one to be ready.
    pub fn rotate(&self) -> Result<(), LogError> {
        self.shared.rotate()
    }

    /// Waits until segments are ready and pages touched as far ahead as the configuration says, so that a measurement does not
    /// share the machine with that work.
    pub fn wait_until_idle(&self) -> Result<(), LogError> {
        self.shared.preparer.wait_until_idle()
    }

    /// The sequence of the next entry.
    pub fn next_sequence(&self) -> u64 {
        self.shared.tail.lock().next_sequence()
    }

    /// The first sequence that is not known to be on the disk.
    pub fn durable_sequence(&self) -> u64 {
        self.shared.committer.durable()
    }

    /// A view for reading.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.shared.segments())
    }

    /// The entry of a sequence, which keeps its segment alive. To read many, take a [`Log::snapshot`] once.
    pub fn read(&self, sequence: u64) -> Result<HeldEntry, ReadError> {
        let snapshot = self.snapshot();
        let (segment, place) = snapshot.find(sequence)?;
        Ok(HeldEntry::new(segment, place))
    }

    /// Follows the log from a sequence on, which must be in it or be the next one.
    pub fn subscribe(&self, from: u64) -> Result<Subscription<'_>, ReadError> {
        Subscription::new(&self.shared, from)
    }

    /// Passes every entry from a sequence on to `read`, in order, until there are no more or it returns `false`; returns how many.
    pub fn replay(&self, from: u64, read: impl FnMut(Record<'_>) -> bool) -> Result<u64, ReadError> {
        self.subscribe(from)?.drain(read)
    }

    /// The sequence of a stream's last entry, which may have been recycled.
    pub fn stream_head(&self, stream: StreamId) -> Option<u64> {
        self.shared.tail.lock().streams.head(stream.0)
    }

    /// The number of streams with a head.
    pub fn stream_count(&self) -> usize {
        self.shared.tail.lock().streams.len()
    }

    /// The resources of the log.
    pub fn usage(&self) -> Usage {
        let segments = self.shared.segments();
        Usage {
            stream_bytes: self.shared.tail.lock().streams.bytes(),
            index_bytes: segments.iter().map(|segment| segment.index.bytes()).sum(),
            mapped_bytes: segments.iter().map(|segment| segment.mapping().bytes() as u64).sum(),
            segments: segments.len(),
        }
    }

    /// Ends the threads and, but in mode [`Durability::None`], syncs.
    pub fn close(mut self) -> Result<(), LogError> {
        self.stop();
        if self.shared.config.durability == Durability::None {
            return Ok(());
        }
        self.sync().map(|_| ())
    }

    fn stop(&mut self) {
        self.shared.preparer.stop();
        self.ticker.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has printed its message.
            let _ = thread.join();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.stop();
    }
}
