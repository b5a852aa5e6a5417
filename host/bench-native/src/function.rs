//! What a probe offers to the driver `function`: the extension `bench-host:function/0.1` of its table, called in place. It must
//! not know what is asked, nor time anything.

use crate::host_side::HostSide;
use bench_drivers::function::{Answer, Function, Initialisation, Started, Starter};
use bench_model::ModuleError;
use probe_abi::raw;
use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

/// What starts the function in `table`.
pub(crate) fn starter(table: &'static raw::Function, initialisation: Initialisation) -> Box<dyn Starter> {
    // One side for all of them: it stays until the process ends, and functions come and go.
    let host = Rc::new(RefCell::new(HostSide::new(&[], Rc::default())));
    Box::new(NativeStarter { table, initialisation, host })
}

struct NativeStarter {
    table: &'static raw::Function,
    initialisation: Initialisation,
    /// What calls leave behind is judged after each, so that all functions can share it. It is not borrowed while one is called.
    host: Rc<RefCell<HostSide>>,
}

impl Starter for NativeStarter {
    fn start(&mut self) -> Result<Started, ModuleError> {
        let host_table = self.host.borrow().table();
        let Initialisation { heap_bytes, init_ms } = self.initialisation;
        let mut handle = std::ptr::null_mut();
        // SAFETY: the function is the probe's, the host table stays until the process ends, and there is room for the handle.
        let status = unsafe { (self.table.start)(host_table, heap_bytes, init_ms, &mut handle) };
        let verdict = self.host.borrow_mut().judge("start", status);
        // One that was started is stopped when it is dropped, also where the contract was broken meanwhile.
        let handle = NonNull::new(handle).filter(|_| status == raw::OK);
        let function = handle.map(|handle| NativeFunction { table: self.table, handle, host: Rc::clone(&self.host) });
        verdict?;
        let function =
            function.ok_or_else(|| ModuleError::Crashed("`start` broke the contract: it gave none".to_owned()))?;
        Ok(Started { function: Box::new(function), stages: Vec::new() })
    }
}

struct NativeFunction {
    table: &'static raw::Function,
    handle: NonNull<raw::Started>,
    host: Rc<RefCell<HostSide>>,
}

impl Function for NativeFunction {
    fn call(&mut self, body: &[u8]) -> Result<Answer, ModuleError> {
        let (mut http, mut lent) = (0, raw::Bytes { ptr: std::ptr::null(), len: 0 });
        // SAFETY: the handle came from this table's `start` and is not stopped yet, and this is the thread it was started on,
        // because it is not `Send`. The body outlives the call, and there is room for both results.
        let status =
            unsafe { (self.table.answer)(self.handle.as_ptr(), body.as_ptr(), body.len(), &mut http, &mut lent) };
        self.host.borrow_mut().judge("answer", status)?;
        // SAFETY: the probe lends the answer until the next call of the function.
        let body = unsafe { raw::slice(lent.ptr, lent.len) }.to_vec();
        let status = u16::try_from(http);
        let status = status.map_err(|_| ModuleError::Crashed(format!("`answer` gave the HTTP status {http}")))?;
        Ok(Answer { status, body })
    }
}

impl Drop for NativeFunction {
    fn drop(&mut self) {
        // SAFETY: the handle came from this table's `start`, and this is the one place that stops it. The host's side is a
        // field, which is let go of after this.
        unsafe { (self.table.stop)(self.handle.as_ptr()) }
    }
}
