//! A mailbox for the events of many watches, in the order in which they happened. Waiting for the next event costs the same
//! however many watches there are.

use crate::{Event, PlaneError};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// The number of a watch, chosen by the watcher.
pub type Token = u64;

/// A change; an error ends the watch it came from.
pub type Delivery = Result<Event, PlaneError>;

/// A queue of deliveries. It is not bounded: it grows with what is written before deliveries are taken.
#[derive(Debug, Default)]
pub struct Mailbox {
    queue: Mutex<VecDeque<(Token, Delivery)>>,
    arrival: Condvar,
}

impl Mailbox {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a delivery at the end.
    pub fn deliver(&self, token: Token, delivery: Delivery) {
        self.queue().push_back((token, delivery));
        self.arrival.notify_one();
    }

    /// Removes and returns the first delivery, where there is one.
    pub fn take(&self) -> Option<(Token, Delivery)> {
        self.queue().pop_front()
    }

    /// Waits for a delivery, at most for `time`; returns whether there is one.
    pub fn wait(&self, time: Duration) -> bool {
        let waited = self.arrival.wait_timeout_while(self.queue(), time, |queue| queue.is_empty());
        !waited.map_or_else(|poisoned| poisoned.into_inner().0, |(queue, _)| queue).is_empty()
    }

    /// Ignores poisoning: the queue is never half changed, so a panic does no harm.
    fn queue(&self) -> MutexGuard<'_, VecDeque<(Token, Delivery)>> {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
