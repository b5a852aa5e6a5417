//! `rtrb`: a single-producer single-consumer ring; a burst is a chunk.

use super::{Queue, Receiver, SLOTS, Sender};
use crate::message::{Message, message};
use bench_model::ModuleError;
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer, RingBuffer};

pub(crate) struct Rtrb;

impl<const W: usize> Queue<W> for Rtrb {
    type Sender = Producer<Message<W>>;
    type Receiver = Consumer<Message<W>>;

    fn open() -> Result<(Self::Sender, Self::Receiver), ModuleError> {
        Ok(RingBuffer::new(SLOTS))
    }
}

impl<const W: usize> Sender<W> for Producer<Message<W>> {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.push(*message).is_ok()
    }

    #[inline(always)]
    fn send_burst(&mut self, first: u64, most: u64) -> u64 {
        // The first attempt goes without looking at the consumer's position, where there is known to be room.
        let free = match self.write_chunk_uninit(most as usize) {
            Ok(chunk) => return chunk.fill_from_iter((first..).map(message)) as u64,
            Err(ChunkError::TooFewSlots(free)) => free,
        };
        self.write_chunk_uninit(free).map_or(0, |chunk| chunk.fill_from_iter((first..).map(message)) as u64)
    }
}

impl<const W: usize> Receiver for Consumer<Message<W>> {
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        self.pop().map(|message| read(message.as_flattened())).is_ok()
    }

    #[inline(always)]
    fn receive_burst(&mut self, most: u64, mut read: impl FnMut(&[u8])) {
        let there = match self.read_chunk(most as usize) {
            Ok(_) => most as usize,
            Err(ChunkError::TooFewSlots(there)) => there,
        };
        let Ok(chunk) = self.read_chunk(there) else { return };
        let (front, back) = chunk.as_slices();
        front.iter().chain(back).for_each(|message| read(message.as_flattened()));
        chunk.commit_all();
    }
}
