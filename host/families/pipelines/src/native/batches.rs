//! The host's side of a transfer behind C functions: batches are lent on their way in and copied once on their way out.

use crate::connectors::{BatchError, Emit, Next};
use bench_model::ModuleError;
use bench_native::text;
use probe_abi::raw;
use std::borrow::Cow;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

/// More stages than any connector has, however often it names each.
const STAGES_MAX: usize = 10_000;

/// One end of the line between two connectors.
pub(super) enum End {
    Emit(Box<dyn Emit>),
    Next(Box<dyn Next>),
    /// What a transform takes, and where it hands it on.
    Both(Box<dyn Next>, Box<dyn Emit>),
}

/// A table through which one transfer after the other is carried.
///
/// What the functions work on, and the table, are leaked, so that a probe that keeps the table does no harm; therefore a transfer does not
/// have its own. References to the former are made for one function body, or while no probe is called.
pub(super) struct Batches {
    line: NonNull<Line>,
    table: &'static raw::Batches,
}

/// The state of the functions.
#[derive(Default)]
struct Line {
    end: Option<End>,
    /// The batch that is lent.
    lent: Vec<u8>,
    /// Why the last call gave or took no batch.
    reason: String,
    /// What the transfer leaves behind.
    ended: Remainder,
}

/// What is left of a transfer.
#[derive(Default)]
pub(super) struct Remainder {
    stages: Vec<(String, u64)>,
    /// The first thing that no probe may do.
    breach: Option<String>,
}

impl Batches {
    /// A table that carries nothing yet.
    pub(super) fn new() -> Self {
        let line = NonNull::from(Box::leak(Box::new(Line::default())));
        let ctx = line.as_ptr().cast();
        let table = raw::Batches { size: size_of::<raw::Batches>(), ctx, emit, next, reason, stage };
        Self { line, table: Box::leak(Box::new(table)) }
    }

    /// The table through which batches are carried.
    pub(super) fn table(&self) -> *const raw::Batches {
        self.table
    }

    /// From now on batches are carried to and from `end`. No probe has been called yet.
    pub(super) fn begin(&mut self, end: End) {
        self.line_mut().end = Some(end);
    }

    /// From now on none are carried. The probe's call has returned.
    pub(super) fn end(&mut self) -> Remainder {
        std::mem::take(self.line_mut()).ended
    }

    /// For the functions above alone, which are called while no probe is.
    fn line_mut(&mut self) -> &mut Line {
        // SAFETY: the line is never freed, and no other reference to it is alive: functions of the table make one for their
        // bodies, inside the call of the probe, and there is no such call now.
        unsafe { self.line.as_mut() }
    }
}

impl Remainder {
    /// The stages that were reported while `function` was called.
    pub(super) fn stages(self, function: &str) -> Result<Vec<(String, u64)>, ModuleError> {
        match self.breach {
            Some(breach) => Err(ModuleError::Crashed(format!("`{function}` broke the contract: {breach}"))),
            None => Ok(self.stages),
        }
    }

    fn add(&mut self, name: Result<&str, &'static str>, nanoseconds: u64) -> raw::Status {
        let breach = match name {
            Err(fault) => format!("the name of a stage {fault}"),
            Ok(_) if self.stages.len() >= STAGES_MAX => {
                format!("it reported more than {STAGES_MAX} stages; sum each up before")
            }
            Ok(name) => {
                self.stages.push((name.to_owned(), nanoseconds));
                return raw::OK;
            }
        };
        self.breach.get_or_insert(breach);
        raw::INVALID_ARGUMENT
    }
}

impl Line {
    /// The status for `served`; its text is kept for `reason`. The driver's panic is an error like any
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

/// What a function's `ctx` points to.
///
/// # Safety
/// `ctx` is null or out of the table, and the caller is one of the table's functions, whose frame the reference does not outlive.
/// Then no other reference to the line is alive: a probe calls them only from inside its own function, one at a time.
unsafe fn line<'a>(ctx: *mut c_void) -> Option<&'a mut Line> {
    // SAFETY: a line is never freed, and the caller promises the rest.
    unsafe { ctx.cast::<Line>().as_mut() }
}

unsafe extern "C" fn emit(ctx: *mut c_void, batch: *const u8, batch_len: usize) -> i32 {
    // SAFETY: `ctx` comes out of the table, and this is a function of it.
    let Some(line) = (unsafe { line(ctx) }) else { return raw::BATCH_OTHER };
    // SAFETY: the probe lends the batch for the duration of the call.
    let batch = unsafe { text::borrowed(batch, batch_len) };
    let served = catch_unwind(AssertUnwindSafe(|| match (&mut line.end, batch) {
        (Some(End::Emit(emit) | End::Both(_, emit)), Some(batch)) => {
            emit.emit(Cow::Borrowed(batch)).map(|()| raw::BATCH_OK)
        }
        (_, None) => Err(BatchError::Other("a batch behind a null pointer".to_owned())),
        _ => Err(other_end("emit", "read")),
    }));
    line.status(served)
}

unsafe extern "C" fn next(ctx: *mut c_void, batch_out: *mut raw::Bytes) -> i32 {
    // SAFETY: `ctx` comes out of the table, and this is a function of it.
    let Some(line) = (unsafe { line(ctx) }) else { return raw::BATCH_OTHER };
    let room = if batch_out.is_aligned() {
        // SAFETY: the pointer is aligned, and the probe lends the room for the batch, if it gives any, for the duration of the
        // call.
        unsafe { batch_out.as_mut() }
    } else {
        None
    };
    let served = catch_unwind(AssertUnwindSafe(|| {
        let no_room = || BatchError::Other("it gave `next` no room for the result".to_owned());
        let room = room.ok_or_else(no_room)?;
        let Some(End::Next(next) | End::Both(next, _)) = &mut line.end else { return Err(other_end("next", "write")) };
        let Some(batch) = next.next()? else { return Ok(raw::BATCH_END) };
        line.lent = batch;
        *room = raw::Bytes { ptr: line.lent.as_ptr(), len: line.lent.len() };
        Ok(raw::BATCH_OK)
    }));
    line.status(served)
}

unsafe extern "C" fn reason(ctx: *mut c_void) -> raw::Str {
    // SAFETY: `ctx` comes out of the table, and this is a function of it.
    let line = unsafe { line(ctx) };
    // The text stays where it is until the next call of `emit` or `next` writes another.
    line.map_or(raw::Str::new(""), |line| raw::Str::new(&line.reason))
}

unsafe extern "C" fn stage(ctx: *mut c_void, name: raw::Str, nanoseconds: u64) -> raw::Status {
    // SAFETY: `ctx` comes out of the table, and this is a function of it.
    let Some(line) = (unsafe { line(ctx) }) else { return raw::INVALID_ARGUMENT };
    // SAFETY: the probe lends the name for the duration of the call.
    let name = unsafe { text::name(name) };
    line.ended.add(name, nanoseconds)
}

fn other_end(function: &str, caller: &str) -> BatchError {
    BatchError::Other(format!("`{function}` is for a probe whose `{caller}` was called; call it from there"))
}
