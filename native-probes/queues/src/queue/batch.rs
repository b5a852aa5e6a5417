//! The ring in shared memory, with a burst of messages as one record: they are published by one word and released together.

use super::{Queue, Receiver, Sender, records};
use crate::message::{Message, message};
use bench_model::ModuleError;
use shm_ring::{Consumer, Producer};

pub(crate) struct Batch;

pub(crate) struct BatchSender(Producer);

/// Messages of `W` words lie in a record one behind the other.
pub(crate) struct BatchReceiver<const W: usize>(Consumer);

impl<const W: usize> Queue<W> for Batch {
    type Sender = BatchSender;
    type Receiver = BatchReceiver<W>;

    fn open() -> Result<(BatchSender, BatchReceiver<W>), ModuleError> {
        let (producer, consumer) = records::open(W)?;
        Ok((BatchSender(producer), BatchReceiver(consumer)))
    }
}

impl<const W: usize> Sender<W> for BatchSender {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.0.push(message.as_flattened()).is_ok()
    }

    #[inline(always)]
    fn send_burst(&mut self, first: u64, most: u64) -> u64 {
        let bytes = most as usize * size_of::<Message<W>>();
        let sent = self.0.push_with(bytes, |room| {
            for (number, place) in (first..).zip(room.chunks_exact_mut(size_of::<Message<W>>())) {
                place.copy_from_slice(message::<W>(number).as_flattened());
            }
        });
        if sent.is_err() {
            return 0;
        }
        // The lines of the next record come while this one is on its way.
        self.0.prefetch(bytes);
        most
    }
}

impl<const W: usize> Receiver for BatchReceiver<W> {
    /// A damaged ring yields nothing more, so the messages are missing from the count.
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        matches!(self.0.pop(read), Ok(Some(())))
    }

    /// A record is at most as long as a burst, so it is not more than `most`.
    #[inline(always)]
    fn receive_burst(&mut self, _most: u64, read: impl FnMut(&[u8])) {
        let _ = self.0.pop(|record| record.chunks_exact(size_of::<Message<W>>()).for_each(read));
        self.0.prefetch();
    }
}
