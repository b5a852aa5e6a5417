//! Waits for an append.
//!
//! Who waits says so under the tail's lock, and who appends looks under the same lock. So neither can miss the other, and an
//! append that nobody waits for pays for a look at a field that it has at hand.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

/// Counts the appends that somebody waited for.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Watch {
    /// To be read before it is said under the tail's lock that somebody waits.
    pub(crate) fn count(&self) -> u64 {
        *crate::lock(&self.count)
    }

    /// Wakes everybody.
    #[cold]
    pub(crate) fn notify(&self) {
        *crate::lock(&self.count) += 1;
        self.changed.notify_all();
    }

    /// Returns when there was a notification since the count was read, or at the deadline; which of both.
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
