//! The extension `bench-host:ring/0.1`: the shared-memory ring behind C functions. Messages are lent in place, so what a
//! probe pays beyond the ring itself is one call; the ring's own rules are the ring's.

mod peers;

use super::{Capability, leaked};
use crate::context::{Context, context, out};
use crate::notes::Refusal;
use crate::text;
use probe_abi::raw;
use shm_ring::{Consumer, Integrity, OpenError, Producer, PushError, RingError, Rings};
use std::ffi::c_void;

/// The rings of a session, which a slot of its context holds, and the second process behind two of them.
pub(super) struct RingCapability;

impl Capability for RingCapability {
    fn id(&self) -> &'static str {
        raw::EXTENSION_RING
    }

    fn table(&self, ctx: *mut Context) -> *const c_void {
        leaked(table(ctx))
    }
}

/// The extension's table, whose rings are those of `ctx`.
fn table(ctx: *mut Context) -> raw::RingWithPeers {
    let ring = raw::Ring {
        size: size_of::<raw::RingWithPeers>(),
        ctx: ctx.cast(),
        producer_open,
        push,
        producer_close,
        consumer_open,
        peek,
        release,
        consumer_close,
    };
    peers::with_peers(ring)
}

unsafe extern "C" fn producer_open(
    ctx: *mut c_void,
    name: raw::Str,
    capacity: u32,
    crc32c: i32,
    producer_out: *mut *mut raw::RingProducer,
) -> raw::Status {
    // SAFETY: `ctx` comes out of the extension's table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|context| {
        // SAFETY: the probe lends the room for the handle for the duration of the call.
        let out = unsafe { out(producer_out, "producer_open") }?;
        *out = std::ptr::null_mut();
        // SAFETY: the probe lends the name for the duration of the call.
        let name = unsafe { text::name(name) }.map_err(unnamed)?;
        let integrity = if crc32c == 0 { Integrity::None } else { Integrity::Crc32c };
        let producer = context.slot::<Rings>().producer(name, capacity as usize, integrity).map_err(refuse_open)?;
        *out = Box::into_raw(Box::new(producer)).cast();
        Ok(())
    })
}

unsafe extern "C" fn consumer_open(
    ctx: *mut c_void,
    name: raw::Str,
    consumer_out: *mut *mut raw::RingConsumer,
) -> raw::Status {
    // SAFETY: `ctx` comes out of the extension's table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|context| {
        // SAFETY: the probe lends the room for the handle for the duration of the call.
        let out = unsafe { out(consumer_out, "consumer_open") }?;
        *out = std::ptr::null_mut();
        // SAFETY: the probe lends the name for the duration of the call.
        let name = unsafe { text::name(name) }.map_err(unnamed)?;
        let consumer = context.slot::<Rings>().consumer(name).map_err(refuse_open)?;
        *out = Box::into_raw(Box::new(consumer)).cast();
        Ok(())
    })
}

// The functions below are on measured paths. Nothing in them can panic but by a fault of the ring's own arithmetic, and a
// panic does not unwind out of an `extern "C"` function but ends the process; so there is no `catch_unwind` to pay for.

unsafe extern "C" fn push(producer: *mut raw::RingProducer, message: *const u8, message_len: usize) -> i32 {
    // SAFETY: the producer is null or one that `producer_open` gave; it is not closed yet, and one thread uses it.
    let producer = unsafe { producer.cast::<Producer>().as_mut() };
    // SAFETY: the probe lends the message for the duration of the call.
    let message = unsafe { text::borrowed(message, message_len) };
    // Without a producer or a message a push can never succeed, as after this status.
    let (Some(producer), Some(message)) = (producer, message) else { return raw::RING_TOO_LARGE };
    match producer.push(message) {
        Ok(()) => raw::RING_OK,
        Err(PushError::Full) => raw::RING_FULL,
        Err(PushError::TooLarge) => raw::RING_TOO_LARGE,
    }
}

unsafe extern "C" fn peek(
    consumer: *mut raw::RingConsumer,
    message_out: *mut *const u8,
    message_len_out: *mut usize,
) -> i32 {
    // SAFETY: the consumer is null or one that `consumer_open` gave; it is not closed yet, and one thread uses it.
    let consumer = unsafe { consumer.cast::<Consumer>().as_mut() };
    let (Some(consumer), false, false) = (consumer, message_out.is_null(), message_len_out.is_null()) else {
        return raw::RING_CORRUPT;
    };
    match consumer.peek() {
        Ok(Some(message)) => {
            // SAFETY: neither pointer is null, and the probe lends the room behind them for the duration of the call. The
            // message stays where it is until it is released.
            unsafe {
                message_out.write(message.as_ptr());
                message_len_out.write(message.len());
            }
            raw::RING_OK
        }
        Ok(None) => raw::RING_EMPTY,
        Err(_) => raw::RING_CORRUPT,
    }
}

unsafe extern "C" fn release(consumer: *mut raw::RingConsumer) {
    // SAFETY: as in `peek`.
    if let Some(consumer) = unsafe { consumer.cast::<Consumer>().as_mut() } {
        consumer.release();
    }
}

unsafe extern "C" fn producer_close(producer: *mut raw::RingProducer) {
    if !producer.is_null() {
        // SAFETY: `producer_open` gave it out of a box of this type, and a probe closes it once.
        drop(unsafe { Box::from_raw(producer.cast::<Producer>()) });
    }
}

unsafe extern "C" fn consumer_close(consumer: *mut raw::RingConsumer) {
    if !consumer.is_null() {
        // SAFETY: `consumer_open` gave it out of a box of this type, and a probe closes it once.
        drop(unsafe { Box::from_raw(consumer.cast::<Consumer>()) });
    }
}

fn unnamed(fault: &'static str) -> Refusal {
    Refusal::new(raw::INVALID_ARGUMENT, format!("the ring's name {fault}"))
}

fn refuse_open(error: OpenError) -> Refusal {
    let status = match &error {
        OpenError::Ring { source: RingError::Capacity { .. }, .. } | OpenError::Shape(_) => raw::INVALID_ARGUMENT,
        OpenError::Ring { source: RingError::Busy { .. }, .. } | OpenError::Unknown(_) => raw::INVALID_STATE,
        OpenError::Ring { source: RingError::System { .. }, .. } => raw::IO,
        OpenError::Ring { source: RingError::Unsupported, .. } => raw::UNSUPPORTED,
        OpenError::Ring { .. } | OpenError::TooMany | OpenError::TooLarge { .. } => raw::OTHER,
    };
    Refusal::new(status, error)
}
