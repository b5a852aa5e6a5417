//! `disruptor`: a single producer and a poller; a burst is a batch.

use super::{Queue, Receiver, SLOTS, Sender};
use crate::message::{Message, message};
use bench_model::ModuleError;
use disruptor::{
    BusySpin, EventPoller, MissingFreeSlots, Producer, SingleConsumerBarrier, SingleProducer, SingleProducerBarrier,
    build_single_producer,
};

pub(crate) struct Disruptor;

type Writer<const W: usize> = SingleProducer<Message<W>, SingleConsumerBarrier>;
type Poller<const W: usize> = EventPoller<Message<W>, SingleProducerBarrier>;

impl<const W: usize> Queue<W> for Disruptor {
    type Sender = Writer<W>;
    type Receiver = Poller<W>;

    fn open() -> Result<(Writer<W>, Poller<W>), ModuleError> {
        let (poller, builder) =
            build_single_producer(SLOTS, || -> Message<W> { [[0; 8]; W] }, BusySpin).new_event_poller();
        Ok((builder.build(), poller))
    }
}

impl<const W: usize> Sender<W> for Writer<W> {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.try_publish(|slot| *slot = *message).is_ok()
    }

    #[inline(always)]
    fn send_burst(&mut self, first: u64, most: u64) -> u64 {
        let free = match self.try_batch_publish(most as usize, |slots| {
            slots.zip(first..).for_each(|(slot, number)| *slot = message(number));
        }) {
            Ok(_) => return most,
            Err(MissingFreeSlots(missing)) => most.saturating_sub(missing),
        };
        if free == 0 {
            return 0;
        }
        let sent = self.try_batch_publish(free as usize, |slots| {
            slots.zip(first..).for_each(|(slot, number)| *slot = message(number));
        });
        if sent.is_ok() { free } else { 0 }
    }
}

impl<const W: usize> Receiver for Poller<W> {
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        let Ok(mut events) = self.take(1) else { return false };
        (&mut events).next().map(|message| read(message.as_flattened())).is_some()
    }

    #[inline(always)]
    fn receive_burst(&mut self, most: u64, mut read: impl FnMut(&[u8])) {
        if let Ok(mut events) = self.take(most) {
            (&mut events).for_each(|message| read(message.as_flattened()));
        }
    }
}
