//! What [`export_probe!`](crate::export_probe) expands to: a probe's table, and the C functions in it, which keep panics on this side
//! of the boundary. Not for direct use.

mod function;
mod operators;
mod pipeline;
#[cfg(feature = "tabular")]
mod stages;

use super::{Host, Probe};
use crate::raw;
use bench_model::{Arguments, Kind, ModuleError, Session, Value};
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

/// A probe table whose texts live until the process ends.
#[expect(missing_debug_implementations, reason = "only the macro holds one")]
pub struct Table(raw::Probe);

// SAFETY: the table is never changed after it is made, and its descriptor is leaked text.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    pub fn as_ptr(&self) -> *const raw::Probe {
        &raw const self.0
    }
}

pub fn table<P: Probe>() -> Table {
    // A description that panics is described as empty, which the host refuses with its own words.
    let descriptor = catch_unwind(|| serde_json::to_string(&P::describe()).unwrap_or_default());
    Table(raw::Probe {
        size: size_of::<raw::Probe>(),
        abi_major: raw::ABI_MAJOR,
        abi_minor: raw::ABI_MINOR,
        descriptor: raw::Str::new(descriptor.unwrap_or_default().leak()),
        open: open::<P>,
        iterate,
        verify,
        close,
        extension: extension::<P>,
    })
}

/// What a `bhp_session` points to.
struct Opened {
    session: Box<dyn Session>,
    host: Host,
}

unsafe extern "C" fn open<P: Probe>(
    host: *const raw::Host,
    scenario: raw::Str,
    args: *const raw::Arg,
    args_len: usize,
    session_out: *mut *mut raw::Session,
) -> raw::Status {
    // SAFETY: the host passes a table whose first member is its size.
    let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
    guard(host, || {
        // SAFETY: the host passes texts and arguments that it keeps for the duration of the call.
        let (scenario, args) = unsafe { (scenario.text(), raw::slice(args, args_len)) };
        let session = P::open(&scenario, &arguments::<P>(&scenario, args)?, host)?;
        let opened = Box::into_raw(Box::new(Opened { session, host }));
        // SAFETY: the host passes room for one pointer.
        unsafe { session_out.write(opened.cast()) };
        Ok(())
    })
}

/// The host behind its table, unless that ends before what is needed.
///
/// # Safety
/// `host` is null or points to a table whose first member is its size, and which stays valid until the process ends.
unsafe fn accept(host: *const raw::Host) -> Option<Host> {
    let raw = NonNull::new(host.cast_mut())?;
    // SAFETY: the caller promises a table whose first member is its size.
    let size = unsafe { raw.as_ref().size };
    (size >= size_of::<raw::Host>()).then_some(Host { raw, not_send: PhantomData })
}

unsafe extern "C" fn iterate(session: *mut raw::Session, times: u64, outcome_out: *mut raw::Outcome) -> raw::Status {
    // SAFETY: the host passes what `open` gave, from one thread, and not after `close`.
    let opened = unsafe { &mut *session.cast::<Opened>() };
    let host = opened.host;
    guard(host, || {
        let outcome = opened.session.iterate(times)?;
        let outcome = raw::Outcome { operations: outcome.operations, bytes: outcome.bytes, checksum: outcome.checksum };
        // SAFETY: the host passes room for one outcome.
        unsafe { outcome_out.write(outcome) };
        Ok(())
    })
}

unsafe extern "C" fn verify(session: *mut raw::Session) -> raw::Status {
    // SAFETY: as in `iterate`.
    let opened = unsafe { &mut *session.cast::<Opened>() };
    let host = opened.host;
    guard(host, || {
        for check in opened.session.verify()? {
            if host.check(&check) != raw::OK {
                return Err(ModuleError::Other(format!("the host refused the check `{}`", check.name)));
            }
        }
        Ok(())
    })
}

unsafe extern "C" fn close(session: *mut raw::Session) {
    // SAFETY: the host passes what `open` gave, once, and not again.
    let opened = unsafe { Box::from_raw(session.cast::<Opened>()) };
    // A panic in a destructor cannot be reported: the host has let go of it.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(opened)));
}

unsafe extern "C" fn extension<P: Probe>(id: raw::Str) -> *const std::ffi::c_void {
    // SAFETY: the host lends the id for the duration of the call.
    let table = match &*unsafe { id.text() } {
        raw::EXTENSION_FUNCTION => function::table::<P>(),
        raw::EXTENSION_OPERATOR => operators::table::<P>(),
        raw::EXTENSION_PIPELINE => pipeline::table::<P>(),
        #[cfg(feature = "tabular")]
        raw::EXTENSION_TABULAR => stages::table::<P>(),
        _ => None,
    };
    table.unwrap_or(std::ptr::null())
}

/// The arguments with the kinds that the descriptor gives their parameters.
fn arguments<P: Probe>(scenario: &str, args: &[raw::Arg]) -> Result<Arguments, ModuleError> {
    let descriptor = P::describe();
    let known = descriptor.scenarios.iter().find(|known| known.name == scenario);
    let known = known.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
    let kind =
        |name: &str| known.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.kind());
    let mut arguments = Arguments::default();
    for arg in args {
        // SAFETY: the host keeps names and values for the duration of the call.
        let (name, value) = unsafe { (arg.name.text(), arg.value.text()) };
        let value = Value::parse(kind(&name).unwrap_or(Kind::Text), &value)
            .map_err(|error| ModuleError::InvalidArgument(format!("`{name}`: {error}")))?;
        arguments.set(name, value);
    }
    Ok(arguments)
}

/// Runs `body`, explains its error or panic to the host, and returns the status that stands for it.
fn guard(host: Host, body: impl FnOnce() -> Result<(), ModuleError>) -> raw::Status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => raw::OK,
        Ok(Err(error)) => {
            host.explain(explanation(&error));
            raw::status_of(&error)
        }
        Err(panic) => {
            host.explain(panic_text(&*panic));
            raw::PANICKED
        }
    }
}

/// The text alone: the status carries the case.
fn explanation(error: &ModuleError) -> &str {
    match error {
        ModuleError::UnknownScenario(text)
        | ModuleError::InvalidArgument(text)
        | ModuleError::CapabilityDenied(text)
        | ModuleError::Unavailable(text)
        | ModuleError::Crashed(text)
        | ModuleError::Other(text) => text,
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}
