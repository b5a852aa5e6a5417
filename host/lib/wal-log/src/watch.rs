//! Waits for an append.
//!
//! A waiter announces itself under the tail's lock, and an appender checks under the same lock, so neither can miss the other. An
//! append without waiters pays for one check of a field that is in cache.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

/// Counts the appends with a waiter.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Watch {
    /// The count, to be read before a waiter announces itself under the tail's lock.
    pub(crate) fn count(&self) -> u64 {
        *crate::lock(&self.count)
    }

    /// Wakes all waiters.
    #[cold]
    pub(crate) fn notify(&self) {
        *crate::lock(&self.count) += 1;
        self.changed.notify_all();
    }

    /// Waits for a notification since the count was read, or for the deadline; returns whether there was a notification.
    pub(crate) fn wait(&self, count: u64, deadline: Instant) -> bool {
        let mut now = crate::lock(&self.count);
        while *now == count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (now, _) = crate::wait_timeout(&self.changed, now, left);
        }
        true
    }
}
