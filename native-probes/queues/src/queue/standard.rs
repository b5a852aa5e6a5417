//! The standard library's bounded channel.

use super::{Queue, Receiver, SLOTS, Sender};
use crate::message::Message;
use bench_model::ModuleError;
use std::sync::mpsc;

pub(crate) struct StdChannel;

impl<const W: usize> Queue<W> for StdChannel {
    type Sender = mpsc::SyncSender<Message<W>>;
    type Receiver = mpsc::Receiver<Message<W>>;

    fn open() -> Result<(Self::Sender, Self::Receiver), ModuleError> {
        Ok(mpsc::sync_channel(SLOTS))
    }
}

impl<const W: usize> Sender<W> for mpsc::SyncSender<Message<W>> {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.try_send(*message).is_ok()
    }
}

impl<const W: usize> Receiver for mpsc::Receiver<Message<W>> {
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        self.try_recv().map(|message| read(message.as_flattened())).is_ok()
    }
}
