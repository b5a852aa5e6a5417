//! What a probe can ask the host for in addition to its first table. Each capability has a table of functions; its state of a session
//! is a slot of the session's context.

mod log;
mod ring;

use crate::context::Context;
use std::ffi::c_void;

/// A further table of the host's.
pub(crate) trait Capability: Sync {
    /// The id by which a probe asks for it.
    fn id(&self) -> &'static str;

    /// A table whose functions work on `ctx`. It stays until the process ends, as bench_probe.h promises.
    fn table(&self, ctx: *mut Context) -> *const c_void;
}

/// What every probe can ask for, in the order of the ids: a file or folder each.
pub(crate) const OWN: [&dyn Capability; 2] = [&log::LogCapability, &ring::RingCapability];

fn leaked<T>(table: T) -> *const c_void {
    std::ptr::from_ref(Box::leak(Box::new(table))).cast()
}
