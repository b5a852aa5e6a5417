//! The extension `bench-host:log/0.1`: append-only logs behind C functions. Payloads are lent in place, so what a probe pays
//! beyond the log itself is one call; the log's own rules are the log's.

use super::{Capability, leaked};
use crate::context::{Context, context, out};
use crate::notes::Refusal;
use crate::text;
use probe_abi::raw;
use session_log::{Durability, Fault, LogFault, Logs, OpenError, Options, PageState, SessionLog};
use std::ffi::c_void;
use std::ops::Range;
use std::path::Path;

/// The logs of a session, which a slot of its context counts.
pub(super) struct LogCapability;

impl Capability for LogCapability {
    fn id(&self) -> &'static str {
        raw::EXTENSION_LOG
    }

    fn table(&self, ctx: *mut Context) -> *const c_void {
        leaked(table(ctx))
    }
}

/// The extension's table, whose logs are those of `ctx`.
fn table(ctx: *mut Context) -> raw::Log {
    raw::Log {
        size: size_of::<raw::Log>(),
        ctx: ctx.cast(),
        open,
        append,
        append_batch,
        read,
        first_sequence,
        next_sequence,
        sync,
        reason,
        close,
    }
}

/// What a `bhp_log` points to.
struct Opened {
    log: SessionLog,
    /// Of the last call that failed.
    reason: String,
}

unsafe extern "C" fn open(
    ctx: *mut c_void,
    directory: raw::Str,
    durability: i32,
    page_state: i32,
    segment_bytes: u64,
    log_out: *mut *mut raw::OpenLog,
) -> raw::Status {
    // SAFETY: `ctx` comes out of the extension's table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|context| {
        // SAFETY: the probe lends the room for the handle for the duration of the call.
        let out = unsafe { out(log_out, "open") }?;
        *out = std::ptr::null_mut();
        let invalid = |reason: String| Refusal::new(raw::INVALID_ARGUMENT, reason);
        // SAFETY: the probe lends the path for the duration of the call.
        let directory = unsafe { text::name(directory) };
        let directory = Path::new(directory.map_err(|fault| invalid(format!("the log's directory {fault}")))?);
        // A probe can do all that the process can, so this protects nothing: it finds a forgotten requirement.
        if !directory.is_dir() {
            let reason = "is not a folder; pass what a parameter required as `scratch:NAME` has";
            return Err(Refusal::new(raw::DENIED, format!("`{}` {reason}", directory.display())));
        }
        let unknown = |what, code| invalid(format!("a log has no {what} {code}"));
        let durability = Durability::from_code(durability).ok_or_else(|| unknown("durability", durability))?;
        let page_state = PageState::from_code(page_state).ok_or_else(|| unknown("page state", page_state))?;
        let options = Options { durability, page_state, segment_bytes };
        let log = context.slot::<Logs>().open(directory, options).map_err(refuse_open)?;
        *out = Box::into_raw(Box::new(Opened { log, reason: String::new() })).cast();
        Ok(())
    })
}

// The functions below are on measured paths. Nothing in them can panic but by a fault of the log's own, and a panic does not
// unwind out of an `extern "C"` function but ends the process; so there is no `catch_unwind` to pay for.

unsafe extern "C" fn append(
    log: *mut raw::OpenLog,
    payload: *const u8,
    payload_len: usize,
    sequence_out: *mut u64,
) -> i32 {
    // SAFETY: the caller is a probe, whose log is one that `open` gave and is not closed yet.
    let Some(opened) = (unsafe { opened(log) }) else { return raw::LOG_OTHER };
    // SAFETY: the probe lends the payload for the duration of the call.
    let Some(payload) = (unsafe { text::borrowed(payload, payload_len) }) else { return opened.nowhere() };
    match opened.log.append(payload) {
        // SAFETY: the probe gives room for the sequence, or none.
        Ok(sequence) => unsafe { give(sequence_out, sequence) },
        Err(fault) => opened.set_failure(fault),
    }
}

unsafe extern "C" fn append_batch(
    log: *mut raw::OpenLog,
    payloads: *const raw::Bytes,
    payloads_len: usize,
    start_out: *mut u64,
    end_out: *mut u64,
) -> i32 {
    // SAFETY: as in `append`.
    let Some(opened) = (unsafe { opened(log) }) else { return raw::LOG_OTHER };
    // SAFETY: the probe lends the list for the duration of the call.
    let Some(payloads) = (unsafe { text::borrowed(payloads, payloads_len) }) else { return opened.nowhere() };
    // SAFETY: the probe lends the payloads for the duration of the call.
    let whole = |payload: &raw::Bytes| unsafe { text::borrowed(payload.ptr, payload.len) };
    if payloads.iter().any(|payload| whole(payload).is_none()) {
        return opened.nowhere();
    }
    match opened.log.append_batch(payloads.iter().filter_map(whole)) {
        Ok(Range { start, end }) => {
            // SAFETY: the probe gives room for the sequences, or none.
            unsafe {
                give(start_out, start);
                give(end_out, end)
            }
        }
        Err(fault) => opened.set_failure(fault),
    }
}

unsafe extern "C" fn read(log: *mut raw::OpenLog, sequence: u64, payload_out: *mut raw::Bytes) -> i32 {
    // SAFETY: as in `append`.
    let Some(opened) = (unsafe { opened(log) }) else { return raw::LOG_OTHER };
    let lent = opened.log.read(sequence).map(|payload| raw::Bytes { ptr: payload.as_ptr(), len: payload.len() });
    match lent {
        // SAFETY: the probe gives room for the payload, or none. The payload stays where it is until the log is called again.
        Ok(payload) => unsafe { give(payload_out, payload) },
        Err(fault) => opened.set_failure(fault),
    }
}

unsafe extern "C" fn first_sequence(log: *mut raw::OpenLog) -> u64 {
    // SAFETY: as in `append`.
    unsafe { opened(log) }.map_or(0, |opened| opened.log.first_sequence())
}

unsafe extern "C" fn next_sequence(log: *mut raw::OpenLog) -> u64 {
    // SAFETY: as in `append`.
    unsafe { opened(log) }.map_or(0, |opened| opened.log.next_sequence())
}

unsafe extern "C" fn sync(log: *mut raw::OpenLog, sequence_out: *mut u64) -> i32 {
    // SAFETY: as in `append`.
    let Some(opened) = (unsafe { opened(log) }) else { return raw::LOG_OTHER };
    match opened.log.sync() {
        // SAFETY: the probe gives room for the sequence, or none.
        Ok(sequence) => unsafe { give(sequence_out, sequence) },
        Err(fault) => opened.set_failure(fault),
    }
}

unsafe extern "C" fn reason(log: *mut raw::OpenLog) -> raw::Str {
    // SAFETY: as in `append`.
    raw::Str::new(unsafe { opened(log) }.map_or("there is no such log", |opened| &opened.reason))
}

unsafe extern "C" fn close(log: *mut raw::OpenLog) {
    if !log.is_null() {
        // SAFETY: `open` gave it out of a box of this type, and a probe closes it once.
        drop(unsafe { Box::from_raw(log.cast::<Opened>()) });
    }
}

/// The log behind a handle.
///
/// # Safety
/// The handle is null or one that [`open`] gave; it is not closed yet, and one thread uses it.
#[inline]
unsafe fn opened<'a>(log: *mut raw::OpenLog) -> Option<&'a mut Opened> {
    // SAFETY: the caller promises that there is one behind a pointer that is not null, and that nothing else uses it.
    unsafe { log.cast::<Opened>().as_mut() }
}

/// Writes a result where the probe wants it, and returns the status that says so.
///
/// # Safety
/// `room` is null, misaligned, or points to a value that only the callee uses during the call.
#[inline]
unsafe fn give<T>(room: *mut T, value: T) -> i32 {
    if !room.is_null() && room.is_aligned() {
        // SAFETY: the pointer is neither null nor misaligned, and the caller promises the rest.
        unsafe { room.write(value) };
    }
    raw::LOG_OK
}

impl Opened {
    #[cold]
    fn set_failure(&mut self, LogFault { fault, reason }: LogFault) -> i32 {
        self.reason = reason;
        fault.code()
    }

    #[cold]
    fn nowhere(&mut self) -> i32 {
        self.set_failure(LogFault { fault: Fault::Other, reason: "a payload behind a null pointer".to_owned() })
    }
}

fn refuse_open(error: OpenError) -> Refusal {
    let status = match error {
        OpenError::TooMany | OpenError::SegmentBytes(_) => raw::INVALID_ARGUMENT,
        OpenError::Folder { .. } | OpenError::Log(_) => raw::IO,
        OpenError::Unsupported => raw::UNSUPPORTED,
    };
    Refusal::new(status, error)
}
