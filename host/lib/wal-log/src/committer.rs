//! Group commit: one thread at a time syncs for all that wait.
//!
//! A failed sync is final. The kernel marks pages whose write-back failed as clean, so a second sync would succeed without
//! having written them ("fsyncgate", PostgreSQL 2018); only the next recovery can tell what is on the disk.

use crate::boundary::FileBoundary;
use crate::directory::{self, Directory, Names};
use crate::segment::Segment;
use crate::tail::Tail;
use crate::turn::Turn;
use crate::{Config, Durability, LogError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::{fs, io};

/// What is durable, and whether a sync is running.
#[derive(Debug)]
pub(crate) struct Committer {
    boundary: Arc<dyn FileBoundary>,
    durability: Durability,
    names: Arc<Names>,
    state: Mutex<State>,
    done: Condvar,
    /// The first sequence that is not known to be on the disk.
    durable: AtomicU64,
    /// Held from before a sync until its failure is noted. Of two syncs of one file at a time, the kernel would report a failed
    /// write-back to one alone, and the other would acknowledge what is not on the disk.
    one_sync: Mutex<()>,
    /// Why the log is poisoned.
    poison: OnceLock<String>,
    /// The file that tells the next recovery of it.
    mark: PathBuf,
}

#[derive(Debug)]
struct State {
    is_syncing: bool,
    /// Segments that are no longer written to and not synced since. A dropped one was recycled.
    sealed: Vec<Weak<Segment>>,
}

impl Committer {
    /// For the segments of a recovered log, whose last one is current. In modes that sync, recovery has made them durable.
    pub(crate) fn new(config: &Config, directory: &Directory, segments: &[Arc<Segment>]) -> Self {
        let durability = config.durability;
        let durable = segments.last().map_or(0, |last| last.next_sequence());
        let durable = if durability.syncs() { durable } else { 0 };
        let sealed = &segments[..segments.len().saturating_sub(1)];
        let sealed = sealed.iter().filter(|_| !durability.syncs()).map(Arc::downgrade).collect();
        Self {
            boundary: Arc::clone(&config.boundary),
            durability,
            names: Arc::clone(directory.names()),
            state: Mutex::new(State { is_syncing: false, sealed }),
            done: Condvar::new(),
            durable: AtomicU64::new(durable),
            one_sync: Mutex::new(()),
            poison: OnceLock::new(),
            mark: directory::poisoned(&config.directory),
        }
    }

    /// Fails where an earlier sync did.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), LogError> {
        match self.poison.get() {
            None => Ok(()),
            Some(reason) => Err(LogError::Poisoned { reason: reason.clone() }),
        }
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Waits until everything before `next_sequence` is as durable as the mode guarantees.
    #[inline]
    pub(crate) fn acknowledge(&self, tail: &Turn<Tail>, next_sequence: u64) -> Result<(), LogError> {
        match self.durability {
            Durability::None | Durability::ProcessCrash | Durability::Interval(_) => Ok(()),
            Durability::Group => self.sync_through(tail, next_sequence),
            Durability::Each => self.sync(tail).map(|_| ()),
        }
    }

    /// Waits until everything before `next_sequence` is on the disk, by a sync of any thread.
    pub(crate) fn sync_through(&self, tail: &Turn<Tail>, next_sequence: u64) -> Result<(), LogError> {
        let mut state = crate::lock(&self.state);
        while state.is_syncing && self.durable() < next_sequence {
            state = crate::wait(&self.done, state);
        }
        if self.durable() >= next_sequence {
            return Ok(());
        }
        state.is_syncing = true;
        drop(state);
        self.lead(tail).map(|_| ())
    }

    /// Syncs what is in the log now, even if it is synced already; returns the first sequence that was not.
    pub(crate) fn sync(&self, tail: &Turn<Tail>) -> Result<u64, LogError> {
        let mut state = crate::lock(&self.state);
        while state.is_syncing {
            state = crate::wait(&self.done, state);
        }
        state.is_syncing = true;
        drop(state);
        self.lead(tail)
    }

    /// Notes a segment that is no longer written to; the caller holds the tail. In modes in which appends wait for a sync, it is
    /// synced here, before its successor has a record, so that a crash cannot leave a later record without an earlier one.
    pub(crate) fn seal(&self, segment: &Arc<Segment>) -> Result<(), LogError> {
        if self.durability.waits() {
            self.sync_segment(segment)?;
            segment.close_file();
        } else {
            if !self.durability.syncs() {
                // It is opened again where a sync is requested later.
                segment.close_file();
            }
            let mut state = crate::lock(&self.state);
            state.sealed.retain(|segment| segment.strong_count() > 0);
            state.sealed.push(Arc::downgrade(segment));
        }
        Ok(())
    }

    /// Syncs as the only thread that does. `is_syncing` is set, and cleared however this ends.
    fn lead(&self, tail: &Turn<Tail>) -> Result<u64, LogError> {
        let _lead = Lead(self);
        self.check()?;
        let (active, next_sequence, sealed) = {
            let tail = tail.lock();
            let sealed = std::mem::take(&mut crate::lock(&self.state).sealed);
            (Arc::clone(tail.segment()), tail.next_sequence(), sealed)
        };
        for segment in sealed.iter().filter_map(Weak::upgrade) {
            self.sync_segment(&segment)?;
            segment.close_file();
        }
        self.sync_segment(&active)?;
        // A record in a file without a name is not in the log.
        self.names.sync().map_err(|(path, error)| self.poison("sync", &path, &error))?;
        self.durable.fetch_max(next_sequence, Ordering::Release);
        Ok(next_sequence)
    }

    fn sync_segment(&self, segment: &Segment) -> Result<(), LogError> {
        let _one = crate::lock(&self.one_sync);
        self.check()?;
        let synced = segment.file().and_then(|file| self.boundary.sync_data(&file));
        synced.map_err(|error| self.poison("sync", segment.path(), &error))
    }

    /// Poisons the log, because the content of a file is unknown: appends and syncs fail from now on. Returns that error. A file
    /// tells the next recovery, which would otherwise read from the page cache what the disk does not have. It need not outlast
    /// the machine, whose cache goes with it; where not even its name can be written, the application has the error alone.
    #[cold]
    pub(crate) fn poison(&self, what: &str, path: &Path, error: &io::Error) -> LogError {
        let reason = self.poison.get_or_init(|| {
            let _ = fs::File::create(&self.mark);
            format!("the {what} of {} failed: {error}", path.display())
        });
        LogError::Poisoned { reason: reason.clone() }
    }
}

/// Ends a sync for all waiting threads, also where it panicked.
struct Lead<'a>(&'a Committer);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        crate::lock(&self.0.state).is_syncing = false;
        self.0.done.notify_all();
    }
}
