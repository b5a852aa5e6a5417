//! The public interface of a log: open, append, read, sync, close.

use crate::directory::Directory;
use crate::helper::Helper;
use crate::preparer::Preparer;
use crate::record::{Entry, Record, StreamId};
use crate::recovery::{self, Recovered};
use crate::shared::Shared;
use crate::tail::Tail;
use crate::ticker::Ticker;
use crate::{Config, Durability, Held, LogError, LogId, ReadError, Recovery, Snapshot, Subscription, Transaction};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

/// A write-ahead log. Any number of threads may append to it and read from it at a time; one process has it at a time.
///
/// Dropped, it ends its threads and syncs nothing; [`Log::close`] syncs.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    recovery: Recovery,
    ticker: Arc<Ticker>,
    threads: Vec<JoinHandle<()>>,
}

/// What a log takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the table of streams, at about 36 bytes a stream.
    pub stream_bytes: usize,
    /// Bytes of the sparse indexes.
    pub index_bytes: usize,
    /// Bytes of mapped segment files, which take memory as far as the kernel has it to spare.
    pub mapped_bytes: u64,
    /// Segments in the log.
    pub segments: usize,
}

impl Log {
    /// Opens the log in the configuration's directory, or makes a new one. It recovers what is there first, as the
    /// configuration says; see [`Log::recovery`].
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

    /// What was found when the log was opened, and done about it.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Which log it is.
    pub fn id(&self) -> LogId {
        self.shared.log
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        self.shared.directory.path()
    }

    /// Appends an entry, which readers see at once; its sequence. Returns when the entry is as durable as the log's mode
    /// promises.
    ///
    /// After [`LogError::NoSpace`] the log goes on as soon as there is room; after [`LogError::Poisoned`] it does not. The
    /// latter may be said of an entry that was written: whether it is on the disk is what nobody knows.
    #[inline]
    pub fn append(&self, entry: Entry<'_>) -> Result<u64, LogError> {
        self.shared.append(&entry)
    }

    /// Appends entries in order, and has them made durable together; the sequences from the first entry's to behind the
    /// last one's. No other entry lies between them, but where another thread appends while this one waits for the next
    /// segment. A crash may leave the first few of them; a [`Log::transaction`] leaves all or none.
    pub fn append_batch(&self, entries: &[Entry<'_>]) -> Result<Range<u64>, LogError> {
        self.shared.append_batch(entries)
    }

    /// Begins a transaction.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction::new(&self.shared)
    }

    /// Makes what is in the log durable, whatever its mode; the first sequence that is not. After a failure the log is
    /// poisoned.
    pub fn sync(&self) -> Result<u64, LogError> {
        self.shared.committer.sync(&self.shared.tail)
    }

    /// Begins the next segment, where the last one has a record. Waits for one to be ready.
    pub fn rotate(&self) -> Result<(), LogError> {
        self.shared.rotate()
    }

    /// Waits until segments are ready and pages touched as far ahead as the configuration says, so that what is measured
    /// next does not share the machine with that.
    pub fn settle(&self) -> Result<(), LogError> {
        self.shared.preparer.settle()
    }

    /// The sequence of the next entry.
    pub fn next_sequence(&self) -> u64 {
        self.shared.tail.take().next_sequence()
    }

    /// The first sequence that is not known to be on the disk.
    pub fn durable_sequence(&self) -> u64 {
        self.shared.committer.durable()
    }

    /// A view for reading.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.shared.segments())
    }

    /// The entry of a sequence, held on its own. Whoever reads many takes a [`Log::snapshot`] once.
    pub fn read(&self, sequence: u64) -> Result<Held, ReadError> {
        let snapshot = self.snapshot();
        let (segment, place) = snapshot.find(sequence)?;
        Ok(Held::new(segment, place))
    }

    /// Follows the log from a sequence on, which is in it or the next one.
    pub fn subscribe(&self, from: u64) -> Result<Subscription<'_>, ReadError> {
        Subscription::new(&self.shared, from)
    }

    /// Hands every entry from a sequence on to `read`, in order, until there are no more or it returns `false`; how many.
    pub fn replay(&self, from: u64, read: impl FnMut(Record<'_>) -> bool) -> Result<u64, ReadError> {
        self.subscribe(from)?.drain(read)
    }

    /// The sequence of a stream's last entry, which may be recycled by now.
    pub fn stream_head(&self, stream: StreamId) -> Option<u64> {
        self.shared.tail.take().streams.head(stream.0)
    }

    /// How many streams have a head.
    pub fn stream_count(&self) -> usize {
        self.shared.tail.take().streams.len()
    }

    /// What the log takes.
    pub fn usage(&self) -> Usage {
        let segments = self.shared.segments();
        Usage {
            stream_bytes: self.shared.tail.take().streams.bytes(),
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
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.stop();
    }
}
