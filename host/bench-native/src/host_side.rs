//! The host's side of a session: the context, and the tables through which a probe reaches it. Tables and context exist until the
//! process ends, as bench_probe.h promises; their contents are freed with the session.

use crate::capability::OWN;
use crate::context::{self, Context};
use crate::notes::Used;
use bench_model::{Check, Metric, ModuleError};
use bench_sink::Sink;
use probe_abi::raw;
use std::ptr::NonNull;
use std::rc::Rc;

/// The host's side of a session.
///
/// The context is leaked, and reached through this pointer and the copies of it in the tables alone. References to it are
/// made for one function body, or for a borrow of this value; the probe is only called while neither is alive.
#[derive(Debug)]
pub struct HostSide {
    context: NonNull<Context>,
    table: &'static raw::Host,
}

impl HostSide {
    /// A host side that accepts samples of `metrics`.
    pub fn of(metrics: &[Metric]) -> Self {
        Self::new(metrics, Rc::default())
    }

    /// A host side that also notes in `used` which functions the probe uses.
    pub(crate) fn new(metrics: &[Metric], used: Rc<Used>) -> Self {
        let context = NonNull::from(Box::leak(Box::new(Context {
            sink: Sink::new(metrics),
            checks: Vec::new(),
            is_verifying: false,
            notes: None,
            used,
            tables: [std::ptr::null(); OWN.len()],
            slots: Vec::new(),
        })));
        // The tables are not part of the context: a probe may read them while a callback has the context to itself.
        let table = Box::leak(Box::new(context::host_table(context.as_ptr())));
        let tables = OWN.map(|capability| capability.table(context.as_ptr()));
        let mut side = Self { context, table };
        side.context_mut().tables = tables;
        side
    }

    /// The table for the probe. It exists until the process ends. While the probe is called, no borrow of this value may be alive.
    pub fn table(&self) -> *const raw::Host {
        self.table
    }

    /// The recorded samples.
    pub fn sink(&mut self) -> &mut Sink {
        &mut self.context_mut().sink
    }

    /// Whether the last call has left notes.
    #[inline]
    pub fn has_notes(&self) -> bool {
        // SAFETY: the context is never freed, and no other reference to it is alive: a probe's call has returned, and a reference from
        // `context_mut` borrows `self` mutably.
        unsafe { self.context.as_ref() }.notes.is_some()
    }

    /// Frees what calls have left behind, and accepts samples of `metrics` from now on: one host side can serve transfer after transfer,
    /// each on another thread, where one for each would leave its tables behind. No probe is being called.
    pub fn reset(&mut self, metrics: &[Metric]) {
        self.clear();
        self.context_mut().sink = Sink::new(metrics);
    }

    /// The result of the call of `function` that has returned `status`; clears its notes.
    pub fn check_status(&mut self, function: &str, status: raw::Status) -> Result<(), ModuleError> {
        self.context_mut().notes.take().unwrap_or_default().check_status(function, status)
    }

    /// Begins to accept checks.
    pub(crate) fn begin_verify(&mut self) {
        let context = self.context_mut();
        context.is_verifying = true;
        context.checks.clear();
    }

    /// Ends accepting checks; returns those that were reported.
    pub(crate) fn end_verify(&mut self) -> Vec<Check> {
        let context = self.context_mut();
        context.is_verifying = false;
        std::mem::take(&mut context.checks)
    }

    /// Samples and rings may be large; tables and an empty context are not.
    fn clear(&mut self) {
        let context = self.context_mut();
        context.sink = Sink::default();
        context.slots = Vec::new();
        context.checks = Vec::new();
        context.notes = None;
    }

    #[inline]
    fn context_mut(&mut self) -> &mut Context {
        // SAFETY: the context is never freed. Callbacks make references too, but for their own bodies and while the probe
        // is called, which it is not while this reference is alive: its users are the functions above and the session,
        // whose calls into the probe borrow it mutably.
        unsafe { self.context.as_mut() }
    }
}

impl Drop for HostSide {
    /// Its tables stay, and a process opens few sessions.
    fn drop(&mut self) {
        self.clear();
    }
}
