//! The host's side of a transfer behind C functions: batches are lent on their way in and copied once on their way out. It must
//! not know what a batch holds, nor who carries it.

use crate::context::{Context, context, out};
use crate::notes::Refusal;
use crate::text;
use bench_drivers::pipelines::{BatchError, Emit, Next};
use probe_abi::raw;
use std::borrow::Cow;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// More stages than any connector has, however often it names each.
const STAGES_MAX: usize = 10_000;

/// One end of the line between two connectors.
pub(crate) enum End {
    Emit(Box<dyn Emit>),
    Next(Box<dyn Next>),
}

/// The transfer under way.
#[derive(Default)]
pub(crate) struct Batches {
    end: Option<End>,
    /// The one that is lent.
    lent: Vec<u8>,
    /// Why the last call gave or took no batch.
    reason: String,
    stages: Vec<(String, u64)>,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("reason", &self.reason).field("stages", &self.stages).finish_non_exhaustive()
    }
}

impl Batches {
    pub(crate) fn new(end: End) -> Self {
        Self { end: Some(end), ..Self::default() }
    }

    pub(crate) fn into_stages(self) -> Vec<(String, u64)> {
        self.stages
    }

    /// The status that `served` comes to; the words for it are kept for `reason`. The driver's panic is an error like any
    /// other, because it must not reach the probe's frames.
    fn status(&mut self, served: std::thread::Result<Result<i32, BatchError>>) -> i32 {
        let panicked = |_| Err(BatchError::Other("this function of the host panicked".to_owned()));
        match served.unwrap_or_else(panicked) {
            Ok(status) => status,
            Err(error) => {
                self.reason = error.to_string();
                match error {
                    BatchError::Closed => raw::BATCH_CLOSED,
                    BatchError::TooLarge(_) => raw::BATCH_TOO_LARGE,
                    BatchError::Other(_) => raw::BATCH_OTHER,
                }
            }
        }
    }
}

/// The table whose functions work on `ctx`.
pub(crate) fn table(ctx: *mut Context) -> raw::Batches {
    raw::Batches { size: size_of::<raw::Batches>(), ctx: ctx.cast(), emit, next, reason, stage }
}

unsafe extern "C" fn emit(ctx: *mut c_void, batch: *const u8, batch_len: usize) -> i32 {
    // SAFETY: `ctx` comes out of the table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::BATCH_OTHER };
    // SAFETY: the probe lends the batch for the duration of the call.
    let batch = unsafe { text::borrowed(batch, batch_len) };
    let batches = &mut context.batches;
    let served = catch_unwind(AssertUnwindSafe(|| match (&mut batches.end, batch) {
        (Some(End::Emit(emit)), Some(batch)) => emit.emit(Cow::Borrowed(batch)).map(|()| raw::BATCH_OK),
        (_, None) => Err(BatchError::Other("a batch behind a null pointer".to_owned())),
        _ => Err(other_end("emit", "read")),
    }));
    batches.status(served)
}

unsafe extern "C" fn next(ctx: *mut c_void, batch_out: *mut raw::Bytes) -> i32 {
    // SAFETY: `ctx` comes out of the table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::BATCH_OTHER };
    // SAFETY: the probe lends the room for the batch for the duration of the call.
    let room = unsafe { out(batch_out, "next") };
    let batches = &mut context.batches;
    let served = catch_unwind(AssertUnwindSafe(|| {
        let room = room.map_err(|refusal: Refusal| BatchError::Other(refusal.reason))?;
        let Some(End::Next(next)) = &mut batches.end else { return Err(other_end("next", "write")) };
        let Some(batch) = next.next()? else { return Ok(raw::BATCH_END) };
        batches.lent = batch;
        *room = raw::Bytes { ptr: batches.lent.as_ptr(), len: batches.lent.len() };
        Ok(raw::BATCH_OK)
    }));
    batches.status(served)
}

unsafe extern "C" fn reason(ctx: *mut c_void) -> raw::Str {
    // SAFETY: `ctx` comes out of the table, and this is a callback.
    let context = unsafe { context(ctx) };
    // The text stays where it is until the next call of `emit` or `next` writes another.
    context.map_or(raw::Str::new(""), |context| raw::Str::new(&context.batches.reason))
}

unsafe extern "C" fn stage(ctx: *mut c_void, name: raw::Str, nanoseconds: u64) -> raw::Status {
    // SAFETY: `ctx` comes out of the table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|context| {
        let refused = |reason: String| Err(Refusal::breach(raw::INVALID_ARGUMENT, reason));
        // SAFETY: the probe lends the name for the duration of the call.
        match unsafe { text::name(name) } {
            Err(fault) => refused(format!("the name of a stage {fault}")),
            Ok(_) if context.batches.stages.len() >= STAGES_MAX => {
                refused(format!("it reported more than {STAGES_MAX} stages; sum each up before"))
            }
            Ok(name) => {
                context.batches.stages.push((name.to_owned(), nanoseconds));
                Ok(())
            }
        }
    })
}

fn other_end(function: &str, caller: &str) -> BatchError {
    BatchError::Other(format!("`{function}` is for a probe whose `{caller}` was called; call it from there"))
}
