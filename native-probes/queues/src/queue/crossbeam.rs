//! `crossbeam`: the bounded queue, and the bounded channel.

use super::{Queue, Receiver, SLOTS, Sender};
use crate::message::Message;
use bench_model::ModuleError;
use crossbeam_queue::ArrayQueue;
use std::sync::Arc;

pub(crate) struct CrossbeamQueue;

impl<const W: usize> Queue<W> for CrossbeamQueue {
    type Sender = Arc<ArrayQueue<Message<W>>>;
    type Receiver = Arc<ArrayQueue<Message<W>>>;

    fn open() -> Result<(Self::Sender, Self::Receiver), ModuleError> {
        let queue = Arc::new(ArrayQueue::new(SLOTS));
        Ok((Arc::clone(&queue), queue))
    }
}

impl<const W: usize> Sender<W> for Arc<ArrayQueue<Message<W>>> {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.push(*message).is_ok()
    }
}

impl<const W: usize> Receiver for Arc<ArrayQueue<Message<W>>> {
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        self.pop().map(|message| read(message.as_flattened())).is_some()
    }
}

pub(crate) struct CrossbeamChannel;

impl<const W: usize> Queue<W> for CrossbeamChannel {
    type Sender = crossbeam_channel::Sender<Message<W>>;
    type Receiver = crossbeam_channel::Receiver<Message<W>>;

    fn open() -> Result<(Self::Sender, Self::Receiver), ModuleError> {
        Ok(crossbeam_channel::bounded(SLOTS))
    }
}

impl<const W: usize> Sender<W> for crossbeam_channel::Sender<Message<W>> {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.try_send(*message).is_ok()
    }
}

impl<const W: usize> Receiver for crossbeam_channel::Receiver<Message<W>> {
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        self.try_recv().map(|message| read(message.as_flattened())).is_ok()
    }
}
