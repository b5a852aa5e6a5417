//! The bounded channel between the two sides. It times what the host does in a call and what it only waits for apart, and an end without
//! confirmation is an error: a source that fails after half must not look like one that is done.

use super::compression::{Compression, Packed, Packer, Unpacker};
use crate::connectors::{BATCH_BYTES_MAX, BatchError, Emit, Next};
use bench_engine::{Clock, MonotonicClock};
use bench_model::ModuleError;
use std::borrow::Cow;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// What is in the channel.
enum Message {
    Batch(Packed),
    /// The source has read everything and said so.
    End,
}

/// What the host saw of one side's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) count: u64,
    /// From entering the host to leaving it, in nanoseconds.
    pub(super) whole_ns: u64,
    /// Of that, while the channel was full, or empty.
    pub(super) blocked_ns: u64,
    /// Of that, for packing or unpacking.
    pub(super) packing_ns: u64,
    /// Of the batches as the connector has them.
    pub(super) bytes: u64,
    /// Of the batches as they wait in the channel.
    pub(super) packed_bytes: u64,
    /// Whether a call was refused because the other side had ended first.
    pub(super) was_cut: bool,
}

/// One side's calls, while they are made and afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<Mutex<Calls>>);

impl Meter {
    pub(super) fn read(&self) -> Calls {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, call: Calls) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.count += 1;
        calls.whole_ns += call.whole_ns;
        calls.blocked_ns += call.blocked_ns;
        calls.packing_ns += call.packing_ns;
        calls.bytes += call.bytes;
        calls.packed_bytes += call.packed_bytes;
        calls.was_cut |= call.was_cut;
    }
}

/// Where a source puts batches.
pub(super) struct BatchSender {
    channel: SyncSender<Message>,
    packer: Packer,
    clock: MonotonicClock,
    meter: Meter,
}

/// Where a destination gets them.
pub(super) struct BatchReceiver {
    channel: Receiver<Message>,
    unpacker: Unpacker,
    clock: MonotonicClock,
    meter: Meter,
    /// The end has been seen; what comes after it is the end again.
    has_ended: bool,
}

/// Confirms the end of a source that has read everything.
pub(super) struct EofGuard(SyncSender<Message>);

impl EofGuard {
    /// Blocks until there is room. A closed receiver is ignored: that is not the source's error.
    pub(super) fn confirm(self) {
        let _ = self.0.send(Message::End);
    }
}

/// A channel that holds up to `inflight_max` batches, packed as `compression` says, and the meters of both ends.
pub(super) fn channel(
    inflight_max: usize,
    compression: Compression,
) -> Result<(BatchSender, EofGuard, BatchReceiver), ModuleError> {
    let (sender, receiver) = sync_channel(inflight_max);
    let confirmation = EofGuard(sender.clone());
    let entry = BatchSender {
        channel: sender,
        packer: compression.packer()?,
        clock: MonotonicClock::new(),
        meter: Meter::default(),
    };
    let exit = BatchReceiver {
        channel: receiver,
        unpacker: compression.unpacker()?,
        clock: MonotonicClock::new(),
        meter: Meter::default(),
        has_ended: false,
    };
    Ok((entry, confirmation, exit))
}

impl BatchSender {
    pub(super) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    fn put(&mut self, batch: Cow<'_, [u8]>, call: &mut Calls) -> Result<(), BatchError> {
        check_size(&batch)?;
        call.bytes = batch.len() as u64;
        let begin = self.clock.now_ns();
        let packed = self.packer.pack(batch)?;
        if !matches!(self.packer, Packer::None) {
            call.packing_ns = self.clock.now_ns() - begin;
        }
        call.packed_bytes = packed.bytes.len() as u64;
        let message = match self.channel.try_send(Message::Batch(packed)) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(message)) => message,
            Err(TrySendError::Disconnected(_)) => return Err(BatchError::Closed),
        };
        let begin = self.clock.now_ns();
        let sent = self.channel.send(message).map_err(|_| BatchError::Closed);
        call.blocked_ns = self.clock.now_ns() - begin;
        sent
    }
}

/// Refuses a batch that is larger than any may be.
fn check_size(batch: &[u8]) -> Result<(), BatchError> {
    if batch.len() as u64 > BATCH_BYTES_MAX { Err(BatchError::TooLarge(BATCH_BYTES_MAX)) } else { Ok(()) }
}

impl Emit for BatchSender {
    fn emit(&mut self, batch: Cow<'_, [u8]>) -> Result<(), BatchError> {
        let begin = self.clock.now_ns();
        let mut call = Calls::default();
        let put = self.put(batch, &mut call);
        call.was_cut = put == Err(BatchError::Closed);
        call.whole_ns = self.clock.now_ns() - begin;
        self.meter.add(call);
        put
    }
}

impl BatchReceiver {
    pub(super) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    fn take(&mut self, call: &mut Calls) -> Result<Option<Vec<u8>>, BatchError> {
        if self.has_ended {
            return Ok(None);
        }
        let message = match self.channel.try_recv() {
            Err(TryRecvError::Empty) => {
                let begin = self.clock.now_ns();
                let message = self.channel.recv().ok();
                call.blocked_ns = self.clock.now_ns() - begin;
                message
            }
            message => message.ok(),
        };
        let packed = match message {
            Some(Message::Batch(packed)) => packed,
            Some(Message::End) => {
                self.has_ended = true;
                return Ok(None);
            }
            None => {
                call.was_cut = true;
                return Err(BatchError::Other("the source has failed, so that nothing may be committed".to_owned()));
            }
        };
        call.bytes = packed.length as u64;
        call.packed_bytes = packed.bytes.len() as u64;
        let begin = self.clock.now_ns();
        let batch = self.unpacker.unpack(packed)?;
        if !matches!(self.unpacker, Unpacker::None) {
            call.packing_ns = self.clock.now_ns() - begin;
        }
        Ok(Some(batch))
    }
}

impl Next for BatchReceiver {
    fn next(&mut self) -> Result<Option<Vec<u8>>, BatchError> {
        let begin = self.clock.now_ns();
        let mut call = Calls::default();
        let taken = self.take(&mut call);
        call.whole_ns = self.clock.now_ns() - begin;
        self.meter.add(call);
        taken
    }
}

/// Where a source that is measured alone puts batches: nowhere.
#[derive(Default)]
pub(super) struct Drain {
    clock: MonotonicClock,
    meter: Meter,
}

impl Drain {
    pub(super) fn meter(&self) -> Meter {
        self.meter.clone()
    }
}

impl Emit for Drain {
    fn emit(&mut self, batch: Cow<'_, [u8]>) -> Result<(), BatchError> {
        let begin = self.clock.now_ns();
        check_size(&batch)?;
        let bytes = batch.len() as u64;
        drop(batch);
        let whole_ns = self.clock.now_ns() - begin;
        self.meter.add(Calls { whole_ns, bytes, packed_bytes: bytes, ..Calls::default() });
        Ok(())
    }
}
