//! The extension `bench-host:pipeline/0.1` of a probe's table, which keeps panics on this side of the boundary.

use super::{accept, arguments, guard};
use crate::pipeline::{Batches, Transfer};
use crate::{Probe, raw};
use std::ffi::c_void;
use std::marker::PhantomData;

/// The table, where the probe has a connector.
pub(super) fn table<P: Probe>() -> Option<*const c_void> {
    let table = const { &Connectors::<P>::TABLE };
    (table.read.is_some() || table.write.is_some()).then_some((&raw const *table).cast())
}

struct Connectors<P>(PhantomData<P>);

impl<P: Probe> Connectors<P> {
    const TABLE: raw::Pipeline = raw::Pipeline {
        size: size_of::<raw::Pipeline>(),
        read: if P::READ.is_some() { Some(read::<P>) } else { None },
        write: if P::WRITE.is_some() { Some(write::<P>) } else { None },
    };
}

unsafe extern "C" fn read<P: Probe>(
    host: *const raw::Host,
    scenario: raw::Str,
    args: *const raw::Arg,
    args_len: usize,
    batches: *const raw::Batches,
    transfer_out: *mut raw::Transfer,
) -> raw::Status {
    // SAFETY: the caller's promises are the same.
    unsafe { transfer::<P>(P::READ, host, scenario, (args, args_len), batches, transfer_out) }
}

unsafe extern "C" fn write<P: Probe>(
    host: *const raw::Host,
    scenario: raw::Str,
    args: *const raw::Arg,
    args_len: usize,
    batches: *const raw::Batches,
    transfer_out: *mut raw::Transfer,
) -> raw::Status {
    // SAFETY: the caller's promises are the same.
    unsafe { transfer::<P>(P::WRITE, host, scenario, (args, args_len), batches, transfer_out) }
}

/// # Safety
/// Every pointer is what bench_probe.h promises to `read` and `write`.
unsafe fn transfer<P: Probe>(
    transfer: Option<Transfer>,
    host: *const raw::Host,
    scenario: raw::Str,
    (args, args_len): (*const raw::Arg, usize),
    batches: *const raw::Batches,
    transfer_out: *mut raw::Transfer,
) -> raw::Status {
    // SAFETY: the host passes a table whose first member is its size, and keeps it until the process ends.
    let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
    // SAFETY: the host passes a table whose first member is its size, and keeps it for the duration of the call.
    let (Some(mut batches), Some(transfer)) = (unsafe { Batches::new(batches) }, transfer) else {
        return raw::INVALID_STATE;
    };
    guard(host, || {
        // SAFETY: the host passes texts and arguments that it keeps for the duration of the call.
        let (scenario, args) = unsafe { (scenario.text(), raw::slice(args, args_len)) };
        let records = transfer(&scenario, &arguments::<P>(&scenario, args)?, &mut batches)?;
        // SAFETY: the host passes room for one of these.
        unsafe { transfer_out.write(raw::Transfer { records, bytes: batches.bytes() }) };
        Ok(())
    })
}
