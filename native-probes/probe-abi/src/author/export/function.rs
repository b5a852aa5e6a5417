//! The extension `bench-host:function/0.1` of a probe's table, which keeps panics on this side of the boundary.

use super::{accept, guard};
use crate::function::Answering;
use crate::{Host, Probe, raw};
use bench_model::ModuleError;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The table, where the probe is a function.
pub(super) fn table<P: Probe>() -> Option<*const c_void> {
    let table = const { &Functions::<P>::TABLE };
    P::FUNCTION.is_some().then_some((&raw const *table).cast())
}

struct Functions<P>(PhantomData<P>);

impl<P: Probe> Functions<P> {
    const TABLE: raw::Function = raw::Function { size: size_of::<raw::Function>(), start: start::<P>, answer, stop };
}

/// What a `bhp_started` points to.
struct Started {
    function: Box<dyn Answering>,
    answer: Vec<u8>,
    host: Host,
}

unsafe extern "C" fn start<P: Probe>(
    host: *const raw::Host,
    heap_bytes: u64,
    init_ms: u64,
    started_out: *mut *mut raw::Started,
) -> raw::Status {
    // SAFETY: the host passes a table whose first member is its size.
    let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
    guard(host, || {
        let start =
            P::FUNCTION.ok_or_else(|| ModuleError::Other("the probe does not implement a function".to_owned()))?;
        let started = Started { function: start(heap_bytes, init_ms)?, answer: Vec::new(), host };
        // SAFETY: the host passes room for one pointer.
        unsafe { started_out.write(Box::into_raw(Box::new(started)).cast()) };
        Ok(())
    })
}

unsafe extern "C" fn answer(
    started: *mut raw::Started,
    body: *const u8,
    body_len: usize,
    status_out: *mut u32,
    answer_out: *mut raw::Bytes,
) -> raw::Status {
    // SAFETY: the host passes what `start` gave, from one thread, and not after `stop`.
    let started = unsafe { &mut *started.cast::<Started>() };
    guard(started.host, || {
        // SAFETY: the host keeps the body for the duration of the call.
        let body = unsafe { raw::slice(body, body_len) };
        let (status, answer) = started.function.answer(body);
        started.answer = answer;
        let lent = raw::Bytes { ptr: started.answer.as_ptr(), len: started.answer.len() };
        // SAFETY: the host passes room for one status and for one pointer and length.
        unsafe {
            status_out.write(status.into());
            answer_out.write(lent);
        }
        Ok(())
    })
}

unsafe extern "C" fn stop(started: *mut raw::Started) {
    // SAFETY: the host passes what `start` gave, once, and not again.
    let started = unsafe { Box::from_raw(started.cast::<Started>()) };
    // A panic in a destructor cannot be reported: the host has let go of it.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(started)));
}
