//! The end of the extension `bench-host:ring/0.1`: a second process behind two rings, as C functions. Messages are lent in place,
//! so what a probe pays beyond the rings is one call; what the process does is its own.

use crate::context::{context, out};
use crate::notes::Refusal;
use crate::text;
use probe_abi::raw;
use ring_peer::{Config, PeerError, Placement, RingPeer, Task, Waiting};
use std::ffi::c_void;

/// The whole of the extension's table, which begins with `ring`.
pub(super) fn with_peers(ring: raw::Ring) -> raw::RingWithPeers {
    raw::RingWithPeers {
        ring,
        peer_start: start,
        peer_send: send,
        peer_stage: stage,
        peer_publish: publish,
        peer_receive: receive,
        peer_tally: tally,
        peer_reason: reason,
        peer_close: close,
    }
}

/// What a `bhp_ring_peer` points to.
struct Started {
    peer: RingPeer,
    /// Of the last call that failed.
    reason: String,
}

const DONE: i32 = 0;
const FAILED: i32 = 1;

unsafe extern "C" fn start(
    ctx: *mut c_void,
    task: i32,
    waiting: i32,
    placement: i32,
    ring_bytes: u32,
    peer_out: *mut *mut raw::RingPeer,
) -> raw::Status {
    // SAFETY: `ctx` comes out of the extension's table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|_| {
        // SAFETY: the probe lends the room for the handle for the duration of the call.
        let out = unsafe { out(peer_out, "peer_start") }?;
        *out = std::ptr::null_mut();
        let unknown =
            |what, value| Refusal::new(raw::INVALID_ARGUMENT, format!("there is no {what} {value} of a peer"));
        let task = Task::from_code(task).ok_or_else(|| unknown("task", task))?;
        let waiting = Waiting::from_code(waiting).ok_or_else(|| unknown("way of waiting", waiting))?;
        let placement = Placement::from_code(placement).ok_or_else(|| unknown("placement", placement))?;
        let patience = ring_peer::PATIENCE;
        let peer = RingPeer::start(Config { task, waiting, placement, ring_bytes: ring_bytes as usize, patience });
        let peer = peer
            .map_err(|error| Refusal::new(if error.is_unavailable() { raw::UNSUPPORTED } else { raw::OTHER }, error))?;
        *out = Box::into_raw(Box::new(Started { peer, reason: String::new() })).cast();
        Ok(())
    })
}

// The functions below are on measured paths. Nothing in them can panic but by a fault of the ring's own arithmetic, and a
// panic does not unwind out of an `extern "C"` function but ends the process.

unsafe extern "C" fn send(peer: *mut raw::RingPeer, message: *const u8, message_len: usize) -> i32 {
    // SAFETY: the caller's promises are the same.
    unsafe { with_message(peer, message, message_len, RingPeer::send) }
}

unsafe extern "C" fn stage(peer: *mut raw::RingPeer, message: *const u8, message_len: usize) -> i32 {
    // SAFETY: the caller's promises are the same.
    unsafe { with_message(peer, message, message_len, RingPeer::stage) }
}

unsafe extern "C" fn publish(peer: *mut raw::RingPeer) {
    // SAFETY: the caller's promises are the same.
    if let Some(started) = unsafe { started(peer) } {
        started.peer.publish();
    }
}

unsafe extern "C" fn receive(
    peer: *mut raw::RingPeer,
    message_out: *mut *const u8,
    message_len_out: *mut usize,
) -> i32 {
    // SAFETY: the caller's promises are the same.
    let Some(Started { peer, reason }) = (unsafe { started(peer) }) else { return FAILED };
    if message_out.is_null() || message_len_out.is_null() {
        return set_reason(reason, "`peer_receive` was given no room for the message");
    }
    match peer.receive() {
        Ok(message) => {
            // SAFETY: neither pointer is null, and the probe lends the room behind them for the duration of the call. The
            // message stays where it is until the next call for this peer.
            unsafe {
                message_out.write(message.as_ptr());
                message_len_out.write(message.len());
            }
            DONE
        }
        Err(error) => set_reason(reason, error),
    }
}

unsafe extern "C" fn tally(peer: *mut raw::RingPeer, tally_out: *mut raw::RingTally) -> i32 {
    // SAFETY: the caller's promises are the same.
    let Some(Started { peer, reason }) = (unsafe { started(peer) }) else { return FAILED };
    // SAFETY: the room is null, or the probe lends it for the duration of the call.
    let Some(out) = (unsafe { tally_out.as_mut() }) else {
        return set_reason(reason, "`peer_tally` was given no room for the tally");
    };
    match peer.tally() {
        Ok(tally) => {
            let ring_peer::Tally { messages, altered, out_of_order, digest, in_place } = tally;
            let in_place = u64::from(in_place);
            *out = raw::RingTally { messages, altered, out_of_order, digest, in_place };
            DONE
        }
        Err(error) => set_reason(reason, error),
    }
}

unsafe extern "C" fn reason(peer: *mut raw::RingPeer) -> raw::Str {
    // SAFETY: the caller's promises are the same.
    raw::Str::new(unsafe { started(peer) }.map_or("there is no such peer", |started| &started.reason))
}

unsafe extern "C" fn close(peer: *mut raw::RingPeer) {
    if !peer.is_null() {
        // SAFETY: `start` gave it out of a box of this type, and a probe closes it once.
        drop(unsafe { Box::from_raw(peer.cast::<Started>()) });
    }
}

/// # Safety
/// `peer` is null or one that `start` gave, not closed yet, and one thread uses it.
#[inline]
unsafe fn started<'a>(peer: *mut raw::RingPeer) -> Option<&'a mut Started> {
    // SAFETY: as the caller promises.
    unsafe { peer.cast::<Started>().as_mut() }
}

/// # Safety
/// As for [`started`]; the message is null or lent for the duration of the call.
#[inline]
unsafe fn with_message(
    peer: *mut raw::RingPeer,
    message: *const u8,
    message_len: usize,
    call: fn(&mut RingPeer, &[u8]) -> Result<(), PeerError>,
) -> i32 {
    // SAFETY: as the caller promises.
    let (started, message) = unsafe { (started(peer), text::borrowed(message, message_len)) };
    let Some(Started { peer, reason }) = started else { return FAILED };
    let Some(message) = message else { return set_reason(reason, "a message behind a null pointer was to be sent") };
    match call(peer, message) {
        Ok(()) => DONE,
        Err(error) => set_reason(reason, error),
    }
}

#[cold]
fn set_reason(reason: &mut String, why: impl ToString) -> i32 {
    *reason = why.to_string();
    FAILED
}
