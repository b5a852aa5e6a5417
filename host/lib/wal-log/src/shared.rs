//! The state that all threads of a log share, and how a record finds its place: in the current segment or in the next one.

use crate::committer::Committer;
use crate::directory::Directory;
use crate::header::{Activation, HEADER_BYTES, LogId};
use crate::preparer::Preparer;
use crate::record::{self, Entry};
use crate::segment::Segment;
use crate::tail::Tail;
use crate::turn::Turn;
use crate::watch::Watch;
use crate::{Config, LogError};
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The segments of a log, oldest first; the last one is written. A list is never changed, only replaced.
pub(crate) type Segments = Arc<[Arc<Segment>]>;

/// A log without its threads. Locks are taken in the order `tail`, then any one of the others.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) log: LogId,
    pub(crate) tail: Turn<Tail>,
    segments: RwLock<Segments>,
    pub(crate) committer: Committer,
    pub(crate) preparer: Preparer,
    watch: Watch,
    pub(crate) directory: Directory,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        log: LogId,
        directory: Directory,
        segments: Segments,
        tail: Tail,
        preparer: Preparer,
    ) -> Self {
        let committer = Committer::new(&config, &directory, &segments);
        Self {
            config,
            log,
            tail: Turn::new(tail),
            segments: RwLock::new(segments),
            committer,
            preparer,
            watch: Watch::default(),
            directory,
        }
    }

    /// The segments as they are now.
    pub(crate) fn segments(&self) -> Segments {
        Arc::clone(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the oldest segments out of the log; never the one that is written.
    pub(crate) fn remove_oldest(&self, count: usize) -> Vec<Arc<Segment>> {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let count = count.min(segments.len() - 1);
        let (removed, kept) = segments.split_at(count);
        let (removed, kept) = (removed.to_vec(), kept.into());
        *segments = kept;
        removed
    }

    /// Appends one entry; returns its sequence.
    #[inline]
    pub(crate) fn append(&self, entry: &Entry<'_>) -> Result<u64, LogError> {
        let sequence = self.write(record::footprint(entry.payload.len()), |tail| tail.put(entry))?;
        self.committer.acknowledge(&self.tail, sequence + 1)?;
        Ok(sequence)
    }

    /// Appends entries in order; the sequences from the first to behind the last.
    pub(crate) fn append_batch(&self, entries: &[Entry<'_>]) -> Result<Range<u64>, LogError> {
        let longest = entries.iter().map(|entry| entry.payload.len()).max().unwrap_or(0);
        self.check_fits(record::footprint(longest))?;
        let mut written: Option<Range<u64>> = None;
        let mut rest = entries;
        while let Some(entry) = rest.first() {
            let some = self.write(record::footprint(entry.payload.len()), |tail| {
                let first = tail.next_sequence();
                Ok((first, tail.put_some(rest)?))
            });
            match (some, written) {
                (Ok((first, count)), before) => {
                    written = Some(before.map_or(first, |before| before.start)..first + count as u64);
                    rest = &rest[count..];
                }
                (Err(error), None) => return Err(error),
                (Err(error), Some(before)) => {
                    return Err(LogError::Partial { next: before.end, source: Box::new(error) });
                }
            }
        }
        let Some(written) = written else {
            let next = self.tail.lock().next_sequence();
            return Ok(next..next);
        };
        self.committer.acknowledge(&self.tail, written.end)?;
        Ok(written)
    }

    /// Appends entries so that recovery and readers find all of them or none; their sequences.
    pub(crate) fn append_transaction(&self, entries: &[Entry<'_>]) -> Result<Range<u64>, LogError> {
        let written = self.write(Tail::transaction_bytes(entries), |tail| {
            let first = tail.next_sequence();
            tail.put_transaction(entries)?;
            Ok(first..tail.next_sequence())
        })?;
        self.committer.acknowledge(&self.tail, written.end)?;
        Ok(written)
    }

    /// Continues in the next segment, so that the current one no longer changes.
    pub(crate) fn rotate(&self) -> Result<(), LogError> {
        loop {
            let mut tail = self.tail.lock();
            self.committer.check()?;
            if tail.offset() == HEADER_BYTES || self.next_segment(&mut tail)? {
                return Ok(());
            }
            drop(tail);
            self.preparer.wait_for_spare()?;
        }
    }

    /// Has `put` write to a segment with room for `bytes`.
    #[inline]
    fn write<R>(&self, bytes: usize, put: impl FnOnce(&mut Tail) -> io::Result<R>) -> Result<R, LogError> {
        loop {
            let mut tail = self.tail.lock();
            self.committer.check()?;
            if bytes <= tail.room() || self.make_room(&mut tail, bytes)? {
                let written = put(&mut tail);
                let written = written.map_err(|error| self.committer.poison("write", tail.segment().path(), &error))?;
                let (is_watched, is_touch_due) = (std::mem::take(&mut tail.is_watched), tail.is_touch_due());
                drop(tail);
                if is_watched {
                    self.watch.notify();
                }
                if is_touch_due {
                    self.preparer.nudge();
                }
                return Ok(written);
            }
            // The lock is given up while waiting, because the thread that makes segments takes it too.
            drop(tail);
            self.preparer.wait_for_spare()?;
        }
    }

    /// Waits for an entry with this sequence or a later one; returns whether there is one.
    pub(crate) fn wait_for(&self, sequence: u64, deadline: Instant) -> bool {
        loop {
            let count = self.watch.count();
            {
                let mut tail = self.tail.lock();
                if tail.next_sequence() > sequence {
                    return true;
                }
                tail.is_watched = true;
            }
            if !self.watch.wait(count, deadline) {
                return self.tail.lock().next_sequence() > sequence;
            }
        }
    }

    /// Continues in the next segment where there is a spare one; returns whether it did.
    #[cold]
    fn make_room(&self, tail: &mut Tail, bytes: usize) -> Result<bool, LogError> {
        self.check_fits(bytes)?;
        self.next_segment(tail)
    }

    fn check_fits(&self, bytes: usize) -> Result<(), LogError> {
        let room = self.config.segment_bytes - HEADER_BYTES as u64;
        if bytes as u64 > room {
            return Err(LogError::TooLarge { bytes: bytes as u64, room });
        }
        Ok(())
    }

    /// Continues in a spare segment where there is one; returns whether it did.
    fn next_segment(&self, tail: &mut Tail) -> Result<bool, LogError> {
        let Some(mut spare) = self.preparer.take_spare() else { return Ok(false) };
        // Before anything changes: a segment that is active and not in the list would leave the one after it with a gap before it.
        if let Some(error) = self.config.durability.waits().then(|| spare.file().err()).flatten() {
            let error = LogError::system("open", spare.path())(error);
            self.preparer.put_back(spare);
            return Err(error);
        }
        self.committer.seal(tail.segment())?;
        spare.activate(Activation { first_sequence: tail.next_sequence(), unix_ns: unix_ns(), follows_gap: false });
        let spare = Arc::new(spare);
        tail.begin(Arc::clone(&spare)).map_err(LogError::system("open", spare.path()))?;
        {
            let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
            *segments = segments.iter().chain([&spare]).cloned().collect();
        }
        self.preparer.nudge();
        Ok(true)
    }
}

/// Nanoseconds since 1970, or 0 on a machine whose clock is before.
pub(crate) fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
