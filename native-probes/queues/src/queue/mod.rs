//! The traits that every queue implements, and the queues: each in the form that its documentation gives for one producer and one
//! consumer.

mod batch;
mod cells;
mod crossbeam;
mod disruptor;
mod records;
mod rtrb;
mod standard;

pub(crate) use self::batch::Batch;
pub(crate) use self::cells::Cells;
pub(crate) use self::crossbeam::{CrossbeamChannel, CrossbeamQueue};
pub(crate) use self::disruptor::Disruptor;
pub(crate) use self::records::Records;
pub(crate) use self::rtrb::Rtrb;
pub(crate) use self::standard::StdChannel;

use crate::message::{Message, message};
use bench_model::ModuleError;

/// The messages that a queue holds: enough for both sides to work at once, and few enough to stay in a second-level cache. A ring of
/// records holds one less, because of its end mark.
pub(crate) const SLOTS: usize = 1024;

/// A queue for messages of `W` words.
pub(crate) trait Queue<const W: usize> {
    type Sender: Sender<W> + Send + 'static;
    type Receiver: Receiver + Send + 'static;

    /// Both ends of a queue of [`SLOTS`] messages.
    fn open() -> Result<(Self::Sender, Self::Receiver), ModuleError>;
}

/// The writing end. No method waits.
pub(crate) trait Sender<const W: usize> {
    /// Sends one message; false if there is no room.
    fn send(&mut self, message: &Message<W>) -> bool;

    /// Composes and sends the messages from number `first` on, up to `most`, as far as there is room; returns how many.
    #[inline(always)]
    fn send_burst(&mut self, first: u64, most: u64) -> u64 {
        let mut sent = 0;
        while sent < most && self.send(&message(first + sent)) {
            sent += 1;
        }
        sent
    }
}

/// The reading end. No method waits.
pub(crate) trait Receiver {
    /// Passes the oldest message to `read`; false if there is none.
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool;

    /// Passes the oldest messages to `read`, up to `most` and as far as there are any.
    #[inline(always)]
    fn receive_burst(&mut self, most: u64, mut read: impl FnMut(&[u8])) {
        let mut left = most;
        while left > 0 && self.receive(&mut read) {
            left -= 1;
        }
    }
}

/// An error of a ring that cannot be opened.
fn failed(error: shm_ring::RingError) -> ModuleError {
    ModuleError::Other(format!("cannot open a ring: {error}"))
}
