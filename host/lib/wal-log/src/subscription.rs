//! Follows a log from a sequence on, across segments that come and go.

use crate::record::Record;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::{HeldEntry, ReadError};
use std::time::{Duration, Instant};

/// How often a waiting subscription checks before it sleeps.
const LOOKS: u32 = 200;

/// A reader that follows a log; see [`crate::Log::subscribe`]. It keeps the segments of its last read from being recycled.
#[derive(Debug)]
pub struct Subscription<'log> {
    shared: &'log Shared,
    snapshot: Snapshot,
    next: u64,
}

impl<'log> Subscription<'log> {
    pub(crate) fn new(shared: &'log Shared, from: u64) -> Result<Self, ReadError> {
        let snapshot = Snapshot::new(shared.segments());
        snapshot.iter(from)?;
        Ok(Self { shared, snapshot, next: from })
    }

    /// The sequence of the next entry, or a lower one where entries were lost.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Passes all available entries to `read`, in order, until it returns `false`; returns how many. Afterwards the subscription is
    /// after the last one. Segments that were recycled meanwhile are [`ReadError::Recycled`].
    pub fn drain(&mut self, mut read: impl FnMut(Record<'_>) -> bool) -> Result<u64, ReadError> {
        let mut count = 0;
        loop {
            let mut records = self.snapshot.iter(self.next)?;
            let mut goes_on = true;
            while goes_on && let Some(record) = records.next().transpose()? {
                self.next = record.sequence + 1;
                count += 1;
                goes_on = read(record);
            }
            if !goes_on || !self.look() {
                return Ok(count);
            }
        }
    }

    /// The next entry, if there is one, which keeps its segment alive.
    pub fn poll(&mut self) -> Result<Option<HeldEntry>, ReadError> {
        loop {
            let mut records = self.snapshot.iter(self.next)?;
            if let Some(record) = records.next().transpose()? {
                let sequence = record.sequence;
                let (segment, place) = self.snapshot.find(sequence)?;
                let held = HeldEntry::new(segment, place);
                self.next = sequence + 1;
                return Ok(Some(held));
            }
            if !self.look() {
                return Ok(None);
            }
        }
    }

    /// Waits for an entry, at most `timeout`; returns whether there is one. Spins for some microseconds before it sleeps, because
    /// waking a thread takes longer than that.
    pub fn wait(&mut self, timeout: Duration) -> bool {
        let now = Instant::now();
        // A longer timeout could overflow the clock.
        let deadline = now + timeout.min(Duration::from_secs(1 << 30));
        for _ in 0..LOOKS {
            if self.snapshot.next_sequence() > self.next || self.look() {
                return true;
            }
            if timeout.is_zero() {
                return false;
            }
            std::hint::spin_loop();
        }
        self.shared.wait_for(self.next, deadline)
    }

    /// Refreshes the view with new segments; returns whether there is anything to read in them.
    fn look(&mut self) -> bool {
        let segments = self.shared.segments();
        let last =
            |segments: &[std::sync::Arc<crate::segment::Segment>]| segments.last().map(|segment| segment.number());
        if last(&segments) == last(self.snapshot.segments()) {
            return false;
        }
        self.snapshot = Snapshot::new(segments);
        self.snapshot.next_sequence() > self.next
    }
}
