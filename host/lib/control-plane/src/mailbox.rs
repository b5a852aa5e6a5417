//! Where events of many watches arrive, in the order in which they happened, so that waiting for the next one costs the same
//! however many watches there are. It must not know what is done with them.

use crate::{Event, PlaneError};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// Which watch, as whoever watches has numbered it.
pub type Token = u64;

/// A change; an error ends the watch it came from.
pub type Delivery = Result<Event, PlaneError>;

/// A queue of deliveries. Whoever takes them out bounds how many there are by how much is written meanwhile.
#[derive(Debug, Default)]
pub struct Mailbox {
    queue: Mutex<VecDeque<(Token, Delivery)>>,
    arrival: Condvar,
}

impl Mailbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a delivery at the end.
    pub fn deliver(&self, token: Token, delivery: Delivery) {
        self.queue().push_back((token, delivery));
        self.arrival.notify_one();
    }

    /// Takes the first delivery out, where there is one.
    pub fn take(&self) -> Option<(Token, Delivery)> {
        self.queue().pop_front()
    }

    /// Waits until there is a delivery, at most for `time`; whether there is one.
    pub fn wait(&self, time: Duration) -> bool {
        let waited = self.arrival.wait_timeout_while(self.queue(), time, |queue| queue.is_empty());
        !waited.map_or_else(|poisoned| poisoned.into_inner().0, |(queue, _)| queue).is_empty()
    }

    /// Nobody leaves the queue half changed, so that one that panicked meanwhile has done no harm to it.
    fn queue(&self) -> MutexGuard<'_, VecDeque<(Token, Delivery)>> {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
