//! A session of a probe: the probe's handle and the host's side. It does little, because every instruction here is timed.

use crate::arg;
use crate::host_side::HostSide;
use crate::notes::Used;
use bench_drivers::Recording;
use bench_model::{Arguments, Check, ModuleError, Outcome, Scenario, Session};
use bench_sink::Sink;
use probe_abi::raw;
use std::ptr::NonNull;
use std::rc::Rc;

/// A session of a probe.
#[derive(Debug)]
pub(crate) struct NativeSession {
    table: &'static raw::Probe,
    handle: NonNull<raw::Session>,
    /// Whether it panicked or broke the contract. Such a session is only closed, and not called any more.
    is_broken: bool,
    host: HostSide,
}

impl NativeSession {
    /// Opens `scenario` with `arguments`; functions of the host that it uses are noted in `used`.
    pub(crate) fn open(
        table: &'static raw::Probe,
        scenario: &Scenario,
        arguments: &Arguments,
        used: Rc<Used>,
    ) -> Result<Self, ModuleError> {
        let mut host = HostSide::new(&scenario.metrics, used);
        let values = arg::written(arguments);
        let args = arg::lend(&values);
        let name = raw::Str::new(&scenario.name);
        let mut handle = std::ptr::null_mut();
        // SAFETY: the table is the probe's and was looked at when it was loaded. The host table stays until the process
        // ends; the texts, the arguments and the room for the handle outlive the call.
        let status = unsafe { (table.open)(host.table(), name, args.as_ptr(), args.len(), &mut handle) };
        let verdict = host.check_status("open", status);
        // An opened session is closed on drop, even if the contract was broken.
        let handle = NonNull::new(handle).filter(|_| status == raw::OK);
        let session = handle.map(|handle| Self { table, handle, is_broken: false, host });
        verdict?;
        session.ok_or_else(|| ModuleError::Crashed("`open` broke the contract: it returned no session".to_owned()))
    }

    /// The result of a call of `function` that returned `status`.
    #[inline]
    fn finish_call(&mut self, function: &str, status: raw::Status) -> Result<(), ModuleError> {
        if status == raw::OK && !self.host.has_notes() { Ok(()) } else { self.finish_noted_call(function, status) }
    }

    #[cold]
    fn finish_noted_call(&mut self, function: &str, status: raw::Status) -> Result<(), ModuleError> {
        let verdict = self.host.check_status(function, status);
        self.is_broken |= matches!(verdict, Err(ModuleError::Crashed(_)));
        verdict
    }

    #[cold]
    fn refusal(function: &str) -> ModuleError {
        ModuleError::Crashed(format!(
            "`{function}` is not called, because the session panicked or broke the contract before"
        ))
    }
}

/// Reads what a probe wrote, member by member. The compiler would load two members at once, and such a load waits until the two
/// stores that a probe has just made reach the cache, which takes 4 of the 10 ns of an empty call.
#[inline]
fn read(outcome: &raw::Outcome) -> Outcome {
    // SAFETY: a reference may be read from.
    let member = |member: &u64| unsafe { std::ptr::from_ref(member).read_volatile() };
    Outcome {
        operations: member(&outcome.operations),
        bytes: member(&outcome.bytes),
        checksum: member(&outcome.checksum),
    }
}

impl Session for NativeSession {
    #[inline]
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        if self.is_broken {
            return Err(Self::refusal("iterate"));
        }
        let mut outcome = raw::Outcome::default();
        // SAFETY: the handle came from this table's `open` and is not closed yet. This is the thread it was opened on,
        // because a session is not `Send`. No reference to the host's side is alive: they live as long as a borrow of `self`.
        let status = unsafe { (self.table.iterate)(self.handle.as_ptr(), times, &mut outcome) };
        self.finish_call("iterate", status)?;
        Ok(read(&outcome))
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        if self.is_broken {
            return Err(Self::refusal("verify"));
        }
        self.host.begin_verify();
        // SAFETY: as in `iterate`.
        let status = unsafe { (self.table.verify)(self.handle.as_ptr()) };
        let checks = self.host.end_verify();
        self.finish_call("verify", status)?;
        Ok(checks)
    }
}

impl Recording for NativeSession {
    fn sink(&mut self) -> &mut Sink {
        self.host.sink()
    }
}

impl Drop for NativeSession {
    fn drop(&mut self) {
        // SAFETY: the handle came from this table's `open`, and this is the one place that closes it. The host's side is
        // a field, which is dropped after this.
        unsafe { (self.table.close)(self.handle.as_ptr()) }
    }
}
