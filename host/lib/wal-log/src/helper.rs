//! The helper thread, which works ahead of the appenders and cleans up behind them: it makes segments ready, touches pages,
//! and retires segments beyond the retention. It must not hold a lock that appenders need while it waits for the disk.

use crate::segment::Segment;
use crate::shared::Shared;
use crate::streams::Streams;
use crate::{LogError, Retention, heads, provision};
use std::collections::VecDeque;
use std::sync::Arc;

/// How far ahead of the last record pages are kept in the state that appenders expect. The kernel resets the state of pages when it
/// writes them back.
const TOUCH_BYTES: usize = 4 << 20;

/// After how many bytes of records it is time to touch again.
pub(crate) const TOUCH_STEP_BYTES: usize = TOUCH_BYTES / 2;

/// The state of the helper thread.
#[derive(Debug)]
pub(crate) struct Helper {
    /// Retired segments that wait for their readers, oldest first. A younger one is never recycled before an older one: after a
    /// crash, the remaining segments must have consecutive numbers.
    retired: VecDeque<Arc<Segment>>,
    /// The number of the next segment.
    next_number: u64,
}

/// Wakes the threads that wait for the helper when it ends, also by a panic.
struct StopOnUnwind<'a>(&'a Shared);

impl Drop for StopOnUnwind<'_> {
    fn drop(&mut self) {
        self.0.preparer.stop();
    }
}

impl Helper {
    pub(crate) fn new(next_number: u64) -> Self {
        Self { retired: VecDeque::new(), next_number }
    }

    /// Works until the log is closed.
    pub(crate) fn run(mut self, shared: &Shared) {
        let _stop = StopOnUnwind(shared);
        while let Some(demands) = shared.preparer.next() {
            let result = self.round(shared);
            shared.preparer.finish(demands, result);
        }
    }

    fn round(&mut self, shared: &Shared) -> Result<(), LogError> {
        let mut retired = self.retire(shared);
        self.touch(shared)?;
        while shared.preparer.spares() < shared.config.segments_ahead as usize {
            let segment = self.provide(shared)?;
            shared.preparer.offer(segment);
            // Appenders may take each spare at once, so that this loop lasts as long as they append: the retention holds in it too.
            retired = retired.and(self.retire(shared));
        }
        self.discard(shared)?;
        retired
    }

    /// Retires the segments beyond the retention.
    fn retire(&mut self, shared: &Shared) -> Result<(), LogError> {
        let Retention::Segments(kept) = shared.config.retention else { return Ok(()) };
        let segments = shared.segments();
        let surplus = segments.len().saturating_sub(kept as usize);
        let Some(first_kept) = segments.get(surplus).filter(|_| surplus > 0) else { return Ok(()) };
        if shared.config.durability.syncs() {
            shared.committer.sync_through(&shared.tail, first_kept.first_sequence())?;
        }
        self.keep_heads(shared, first_kept.first_sequence())?;
        self.retired.extend(shared.remove_oldest(surplus));
        Ok(())
    }

    /// Writes the heads of streams whose last record will be recycled.
    fn keep_heads(&self, shared: &Shared, first_sequence: u64) -> Result<(), LogError> {
        let mut cold = Vec::new();
        for shard in 0..Streams::shards() {
            // One shard at a time, so that appenders wait for one only. A stream that is written to meanwhile has a record that
            // stays.
            cold.extend(shared.tail.lock().streams.below(shard, first_sequence));
        }
        if cold.is_empty() {
            return Ok(());
        }
        shared.directory.replace(&shared.directory.heads(), &heads::encode(shared.log, &cold))
    }

    /// Keeps pages ready ahead of the last record.
    fn touch(&self, shared: &Shared) -> Result<(), LogError> {
        let (active, offset) = {
            let tail = shared.tail.lock();
            (Arc::clone(tail.segment()), tail.offset())
        };
        let end = (offset + TOUCH_BYTES).min(active.mapping().bytes());
        provision::touch(&shared.config, &active, offset..end)
    }

    /// Makes a spare segment, from the oldest retired one unless a reader holds it.
    fn provide(&mut self, shared: &Shared) -> Result<Segment, LogError> {
        let number = self.next_number;
        while let Some(old) = self.free() {
            if old.identity().bytes != shared.config.segment_bytes {
                shared.directory.remove(old.path())?;
                continue;
            }
            let segment = provision::recycle(&shared.config, &shared.directory, old, number)?;
            self.next_number += 1;
            return Ok(segment);
        }
        let segment = provision::fresh(&shared.config, &shared.directory, shared.log, number)?;
        self.next_number += 1;
        Ok(segment)
    }

    /// Removes retired segments that are not needed as spares.
    fn discard(&mut self, shared: &Shared) -> Result<(), LogError> {
        while let Some(old) = self.free() {
            shared.directory.remove(old.path())?;
        }
        Ok(())
    }

    /// The oldest retired segment, unless a reader holds it.
    fn free(&mut self) -> Option<Segment> {
        let oldest = self.retired.pop_front()?;
        Arc::try_unwrap(oldest).map_err(|held| self.retired.push_front(held)).ok()
    }
}
