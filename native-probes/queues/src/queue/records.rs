//! The ring in shared memory, with records of any length; a burst is published at once.

use super::{Queue, Receiver, SLOTS, Sender};
use crate::message::{Message, message};
use bench_model::ModuleError;
use shm_ring::{Consumer, Integrity, Producer, Ring};

pub(crate) struct Records;

/// A record is the message and a word.
const fn record_bytes(words: usize) -> usize {
    8 * (words + 1)
}

impl<const W: usize> Queue<W> for Records {
    type Sender = Producer;
    type Receiver = Consumer;

    fn open() -> Result<(Producer, Consumer), ModuleError> {
        open(W)
    }
}

/// Both ends of a ring with room for records of `words`.
pub(super) fn open(words: usize) -> Result<(Producer, Consumer), ModuleError> {
    let ring = Ring::create(SLOTS * record_bytes(words), Integrity::None).map_err(super::failed)?;
    Ok((ring.producer().map_err(super::failed)?, ring.consumer().map_err(super::failed)?))
}

impl<const W: usize> Sender<W> for Producer {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.push(message.as_flattened()).is_ok()
    }

    #[inline(always)]
    fn send_burst(&mut self, first: u64, most: u64) -> u64 {
        let mut sent = 0;
        while sent < most && self.stage(message::<W>(first + sent).as_flattened()).is_ok() {
            sent += 1;
        }
        self.publish();
        sent
    }
}

impl Receiver for Consumer {
    /// A damaged ring yields nothing more, so the messages are missing from the count.
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        matches!(self.pop(read), Ok(Some(())))
    }
}
