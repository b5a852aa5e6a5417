//! Operators that are probes, through the extension `bench-host:operator/0.1` of the probe's table.

mod plane;

use self::plane::ScopedPlane;
use crate::operators::{Event, Factory, Operator, Operators, Plane, Scope, Suspension};
use bench_model::ModuleError;
use bench_native::{HostSide, Probe, arg, text};
use probe_abi::raw;
use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

/// Maximum number of watches of an operator.
const WATCHES_MAX: usize = 1_000;

/// Maximum size of the state of an operator.
const STATE_BYTES_MAX: usize = 64 << 20;

impl Operators for Probe {
    fn prepare(&mut self, suspension: Suspension, _: usize) -> Result<Box<dyn Factory>, ModuleError> {
        suspension.without_images("a probe's operators")?;
        // One side for all of them: it stays until the process ends, and operators come and go.
        let host = Rc::new(RefCell::new(HostSide::of(&[])));
        Ok(Box::new(NativeFactory { table: self.extension()?, host }))
    }
}

struct NativeFactory {
    table: &'static raw::Operators,
    /// What calls leave behind is judged after each, so that all operators can share it. It is not borrowed while one is called.
    host: Rc<RefCell<HostSide>>,
}

impl Factory for NativeFactory {
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError> {
        let host_table = self.host.borrow().table();
        let mut handle = std::ptr::null_mut();
        // SAFETY: the function is the probe's, the host table stays until the process ends, and there is room for the handle.
        let status = unsafe { (self.table.make)(host_table, &mut handle) };
        let verdict = self.host.borrow_mut().check_status("make", status);
        // One that was made is dropped, also where the contract was broken meanwhile.
        let handle = NonNull::new(handle).filter(|_| status == raw::OK);
        let operator =
            handle.map(|handle| NativeOperator { table: self.table, handle, plane, host: Rc::clone(&self.host) });
        verdict?;
        let operator = operator.ok_or_else(|| breach("make", "it gave none"))?;
        Ok(Box::new(operator))
    }
}

struct NativeOperator {
    table: &'static raw::Operators,
    handle: NonNull<raw::Operator>,
    plane: Arc<dyn Plane>,
    host: Rc<RefCell<HostSide>>,
}

impl NativeOperator {
    fn check_status(&self, function: &str, status: raw::Status) -> Result<(), ModuleError> {
        let mut host = self.host.borrow_mut();
        if status == raw::OK && !host.has_notes() { Ok(()) } else { host.check_status(function, status) }
    }
}

impl Operator for NativeOperator {
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError> {
        let args = arg::lend(arguments);
        let (mut watches, mut watches_len) = (std::ptr::null(), 0);
        let given = ScopedPlane::new(&*self.plane);
        let plane = given.table();
        // SAFETY: the handle came from this table's `make` and is not dropped yet, and this is the thread it was made on, because
        // it is not `Send`. Plane, arguments and the room for the results outlive the call.
        let status = unsafe {
            let start = self.table.start;
            start(self.handle.as_ptr(), &plane, args.as_ptr(), args.len(), &mut watches, &mut watches_len)
        };
        self.check_status("start", status)?;
        // SAFETY: the probe lends the watches until the next call of the operator.
        let watches = unsafe { text::borrowed(watches, watches_len) }.filter(|watches| watches.len() <= WATCHES_MAX);
        let watches = watches
            .ok_or_else(|| breach("start", &format!("it gave {watches_len} watches, or none behind a pointer")))?;
        watches.iter().map(scope).collect()
    }

    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError> {
        let (kind, key, version, spec) = match event {
            Event::Added(object) => (raw::EVENT_ADDED, &object.key, object.resource_version, &*object.spec),
            Event::Modified(object) => (raw::EVENT_MODIFIED, &object.key, object.resource_version, &*object.spec),
            Event::Deleted(key, version) => (raw::EVENT_DELETED, key, *version, ""),
        };
        let object = plane::lend(key, version, spec);
        let given = ScopedPlane::new(&*self.plane);
        let plane = given.table();
        // SAFETY: as in `start`; the object and its texts outlive the call.
        let status = unsafe { (self.table.reconcile)(self.handle.as_ptr(), &plane, kind, &object) };
        self.check_status("reconcile", status)
    }

    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError> {
        let mut state = raw::Bytes { ptr: std::ptr::null(), len: 0 };
        // SAFETY: as in `start`.
        let status = unsafe { (self.table.suspend)(self.handle.as_ptr(), &mut state) };
        self.check_status("suspend", status)?;
        // SAFETY: the probe lends the state until the operator is dropped.
        let bytes = unsafe { text::borrowed(state.ptr, state.len) }.filter(|bytes| bytes.len() <= STATE_BYTES_MAX);
        let len = state.len;
        bytes
            .map(<[u8]>::to_vec)
            .ok_or_else(|| breach("suspend", &format!("its state has {len} bytes, or is a null pointer")))
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        // SAFETY: as in `start`; the state outlives the call.
        let status = unsafe { (self.table.resume)(self.handle.as_ptr(), state.as_ptr(), state.len()) };
        self.check_status("resume", status)
    }
}

impl Drop for NativeOperator {
    fn drop(&mut self) {
        // SAFETY: the handle came from this table's `make`, and this is the one place that drops it.
        unsafe { (self.table.drop)(self.handle.as_ptr()) }
    }
}

/// Reads a watch that the probe lends.
fn scope(watch: &raw::Watch) -> Result<Scope, ModuleError> {
    // SAFETY: the probe lends the watches' texts until the next call of the operator.
    let name = |text| unsafe { text::name(text) }.map_err(|fault| breach("start", &format!("a watch {fault}")));
    Ok(Scope::new(name(watch.kind)?, name(watch.space)?))
}

fn breach(function: &str, reason: &str) -> ModuleError {
    ModuleError::Crashed(format!("`{function}` broke the contract: {reason}"))
}
