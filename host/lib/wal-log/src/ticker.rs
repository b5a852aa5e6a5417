//! The thread that syncs after each interval.

use crate::shared::Shared;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Tells the thread to end before its next interval is over.
#[derive(Debug, Default)]
pub(crate) struct Ticker {
    is_stopped: Mutex<bool>,
    stopped: Condvar,
}

impl Ticker {
    /// Syncs what is new after each interval until told to stop, or until a sync fails: then the log is poisoned, and the
    /// next append says so.
    pub(crate) fn run(&self, shared: &Shared, interval: Duration) {
        loop {
            let is_stopped = crate::lock(&self.is_stopped);
            let (is_stopped, _) = crate::wait_timeout(&self.stopped, is_stopped, interval);
            if *is_stopped {
                return;
            }
            drop(is_stopped);
            let next = shared.tail.lock().next_sequence();
            if shared.committer.sync_through(&shared.tail, next).is_err() {
                return;
            }
        }
    }

    pub(crate) fn stop(&self) {
        *crate::lock(&self.is_stopped) = true;
        self.stopped.notify_all();
    }
}
