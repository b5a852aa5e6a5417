//! What a probe with operators exports: the functions of the table `bench-host:operator/0.1`, over any implementation of the safe trait.

use super::{accept, guard};
use crate::operator::{HostPlane, Operator};
use crate::{Host, Probe, raw};
use bench_model::ModuleError;
use operator_core::{Event, Key, Object, Plane, Watch};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The table, where the probe has operators.
pub(super) fn table<P: Probe>() -> Option<*const c_void> {
    let table = const { &Table::<P>::TABLE };
    P::OPERATOR.is_some().then_some((&raw const *table).cast())
}

struct Table<P>(PhantomData<P>);

impl<P: Probe> Table<P> {
    const TABLE: raw::Operators = raw::Operators {
        size: size_of::<raw::Operators>(),
        make: make::<P>,
        start,
        reconcile,
        suspend,
        resume,
        drop: free,
    };
}

/// What a `bhp_operator` points to.
struct Made {
    operator: Box<dyn Operator>,
    host: Host,
    /// What is lent to the host.
    watches: Vec<Watch>,
    lent_watches: Vec<raw::Watch>,
    state: Vec<u8>,
}

unsafe extern "C" fn make<P: Probe>(host: *const raw::Host, operator_out: *mut *mut raw::Operator) -> raw::Status {
    // SAFETY: the host passes a table whose first member is its size, and which stays valid until the process ends.
    let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
    guard(host, || {
        let make = P::OPERATOR.ok_or_else(|| ModuleError::Other("the probe has no operators".to_owned()))?;
        let (watches, lent_watches, state) = (Vec::new(), Vec::new(), Vec::new());
        let made = Box::new(Made { operator: make(), host, watches, lent_watches, state });
        // SAFETY: the host passes room for one pointer.
        unsafe { operator_out.write(Box::into_raw(made).cast()) };
        Ok(())
    })
}

unsafe extern "C" fn start(
    operator: *mut raw::Operator,
    plane: *const raw::Plane,
    args: *const raw::Arg,
    args_len: usize,
    watches_out: *mut *const raw::Watch,
    watches_len_out: *mut usize,
) -> raw::Status {
    let body = |made: &mut Made, plane: &mut dyn Plane| {
        // SAFETY: the host keeps arguments and their texts for the duration of the call.
        let pair = |arg: &raw::Arg| unsafe { (arg.name.text().into_owned(), arg.value.text().into_owned()) };
        // SAFETY: as above.
        let arguments: Vec<_> = unsafe { raw::slice(args, args_len) }.iter().map(pair).collect();
        made.watches = made.operator.start(plane, &arguments)?;
        let lend =
            |watch: &Watch| raw::Watch { kind: raw::Str::new(&watch.kind), space: raw::Str::new(&watch.namespace) };
        made.lent_watches = made.watches.iter().map(lend).collect();
        // SAFETY: the host passes room for a pointer and a length.
        unsafe {
            watches_out.write(made.lent_watches.as_ptr());
            watches_len_out.write(made.lent_watches.len());
        }
        Ok(())
    };
    // SAFETY: the host passes what `make` gave, from one thread, and a plane that it keeps for the duration of the call.
    unsafe { call(operator, plane, body) }
}

unsafe extern "C" fn reconcile(
    operator: *mut raw::Operator,
    plane: *const raw::Plane,
    event: i32,
    object: *const raw::Object,
) -> raw::Status {
    let body = |made: &mut Made, plane: &mut dyn Plane| {
        // SAFETY: the host keeps the object for the duration of the call.
        let raw = unsafe { object.as_ref() }.ok_or_else(|| "the host passed an event without an object".to_owned())?;
        let key = Key { kind: text(&raw.key.kind)?, namespace: text(&raw.key.space)?, name: text(&raw.key.name)? };
        let object = Object { key, resource_version: raw.resource_version, spec: text(&raw.spec)? };
        let event = match event {
            raw::EVENT_ADDED => Event::Added(object),
            raw::EVENT_MODIFIED => Event::Modified(object),
            raw::EVENT_DELETED => Event::Deleted(key, object.resource_version),
            unknown => return Err(format!("the host passed an event {unknown}, which this probe does not know")),
        };
        made.operator.reconcile(plane, event)
    };
    // SAFETY: as in `start`.
    unsafe { call(operator, plane, body) }
}

unsafe extern "C" fn suspend(operator: *mut raw::Operator, state_out: *mut raw::Bytes) -> raw::Status {
    // SAFETY: the host passes what `make` gave, from one thread, and not after `drop`.
    let made = unsafe { &mut *operator.cast::<Made>() };
    guard(made.host, || {
        made.state = made.operator.suspend();
        // SAFETY: the host passes room for one pointer and length.
        unsafe { state_out.write(raw::Bytes { ptr: made.state.as_ptr(), len: made.state.len() }) };
        Ok(())
    })
}

unsafe extern "C" fn resume(operator: *mut raw::Operator, state: *const u8, state_len: usize) -> raw::Status {
    // SAFETY: as in `suspend`.
    let made = unsafe { &mut *operator.cast::<Made>() };
    guard(made.host, || {
        // SAFETY: the host keeps the state for the duration of the call.
        made.operator.resume(unsafe { raw::slice(state, state_len) }).map_err(ModuleError::Other)
    })
}

unsafe extern "C" fn free(operator: *mut raw::Operator) {
    // SAFETY: the host passes what `make` gave, once, and not again.
    let made = unsafe { Box::from_raw(operator.cast::<Made>()) };
    // A panic in a destructor cannot be reported: the host has let go of it.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(made)));
}

/// # Safety
/// `operator` is what `make` gave, not dropped yet, and one thread uses it; `plane` is null or a table whose first member is its
/// size and which stays valid for the duration of the call.
unsafe fn call(
    operator: *mut raw::Operator,
    plane: *const raw::Plane,
    body: impl FnOnce(&mut Made, &mut dyn Plane) -> Result<(), String>,
) -> raw::Status {
    // SAFETY: as the caller promises.
    let (made, plane) = unsafe { (&mut *operator.cast::<Made>(), HostPlane::new(plane)) };
    let Some(mut plane) = plane else { return raw::INVALID_STATE };
    guard(made.host, || body(made, &mut plane).map_err(ModuleError::Other))
}

/// A text of an event, which names something and so is taken as it is or not at all.
fn text(text: &raw::Str) -> Result<&str, String> {
    // SAFETY: the host lends the texts of an event for the duration of the call.
    let bytes = unsafe { text.bytes() };
    std::str::from_utf8(bytes).map_err(|_| "the host passed a text that is not UTF-8".to_owned())
}
