//! A mailbox for the events of many watches, in the order in which they happened. Waiting for the next event costs the same
//! however many watches there are.

use crate::{Event, PlaneError};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The number of a watch, chosen by the watcher.
pub type Token = u64;

/// A change; an error ends the watch it came from.
pub type Delivery = Result<Event, PlaneError>;

/// A queue of deliveries. It is not bounded: it grows with what is written before deliveries are taken.
#[derive(Debug, Default)]
pub struct Mailbox {
    queue: Mutex<Queue>,
    arrival: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    deliveries: VecDeque<(Token, Delivery)>,
    /// Threads in [`Mailbox::wait`]. Without one, a delivery notifies nobody: that is a system call, even if nobody waits.
    waiting: usize,
}

impl Mailbox {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a delivery at the end.
    pub fn deliver(&self, token: Token, delivery: Delivery) {
        let mut queue = self.queue();
        queue.deliveries.push_back((token, delivery));
        let is_awaited = queue.waiting > 0;
        drop(queue);
        if is_awaited {
            self.arrival.notify_one();
        }
    }

    /// Removes and returns the first delivery, where there is one.
    pub fn take(&self) -> Option<(Token, Delivery)> {
        self.queue().deliveries.pop_front()
    }

    /// Waits for a delivery, at most for `time`; returns whether there is one.
    pub fn wait(&self, time: Duration) -> bool {
        let mut queue = self.queue();
        queue.waiting += 1;
        let waited = self.arrival.wait_timeout_while(queue, time, |queue| queue.deliveries.is_empty());
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.waiting -= 1;
        !queue.deliveries.is_empty()
    }

    /// Ignores poisoning: the queue is never half changed, so a panic does no harm.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn delivery() -> Delivery {
        Err(PlaneError::NotFound)
    }

    #[test]
    fn every_thread_that_waits_is_woken_by_a_delivery() {
        // If one were not woken, this would not end.
        let forever = Duration::from_secs(100_000);
        let mailbox = Mailbox::new();
        thread::scope(|scope| {
            let threads = [1, 2].map(|_| scope.spawn(|| mailbox.wait(forever)));
            while mailbox.queue().waiting < threads.len() {
                thread::yield_now();
            }
            (1..=2).for_each(|token| mailbox.deliver(token, delivery()));
            assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        });
        assert_eq!(mailbox.queue().waiting, 0);
    }

    #[test]
    fn deliveries_are_taken_in_their_order_and_end_a_wait_that_begins_later() {
        let mailbox = Mailbox::new();
        assert!(!mailbox.wait(Duration::ZERO) && mailbox.take().is_none());
        (1..=3).for_each(|token| mailbox.deliver(token, delivery()));
        for token in 1..=3 {
            assert!(mailbox.wait(Duration::from_secs(100_000)));
            assert_eq!(mailbox.take(), Some((token, delivery())));
        }
        assert!(!mailbox.wait(Duration::ZERO));
    }
}
