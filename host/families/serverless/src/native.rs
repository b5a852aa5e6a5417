//! What a probe offers to the driver `function`: the extension `bench-host:function/0.1` of its table, called in place.

use crate::functions::{Answer, Function, Functions, HttpRequest, Initialisation, Start, Started, Starter};
use bench_model::ModuleError;
use bench_native::{HostSide, Probe};
use probe_abi::raw;
use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

impl Functions for Probe {
    fn prepare(&mut self, start: Start<'_>, initialisation: Initialisation) -> Result<Box<dyn Starter>, ModuleError> {
        if let Start::Kind(kind) = start {
            let reason = format!("`start` is `{kind}`; a probe is called in place and has no kinds of start");
            return Err(ModuleError::InvalidArgument(reason));
        }
        // One side for all of them: it stays until the process ends, and functions come and go.
        let host = Rc::new(RefCell::new(HostSide::of(&[])));
        Ok(Box::new(NativeStarter { table: self.extension()?, initialisation, host }))
    }
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
        let verdict = self.host.borrow_mut().check_status("start", status);
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
    fn call(&mut self, request: &HttpRequest) -> Result<Answer, ModuleError> {
        let body = &request.body;
        let (mut http, mut lent) = (0, raw::Bytes { ptr: std::ptr::null(), len: 0 });
        // SAFETY: the handle came from this table's `start` and is not stopped yet, and this is the thread it was started on,
        // because it is not `Send`. The body outlives the call, and there is room for both results.
        let status =
            unsafe { (self.table.answer)(self.handle.as_ptr(), body.as_ptr(), body.len(), &mut http, &mut lent) };
        self.host.borrow_mut().check_status("answer", status)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use bench_drivers::Module;
    use bench_model::{Arguments, Descriptor, Scenario, Session};
    use std::path::Path;

    /// A probe that answers with what it was asked.
    struct Fragile;

    impl probe_abi::Probe for Fragile {
        const FUNCTION: Option<probe_abi::function::Start> = Some(|heap_bytes, init_ms| match init_ms {
            0 => Ok(Box::new(Echo { heap_bytes })),
            _ => Err(ModuleError::Unavailable("it has no time".to_owned())),
        });

        fn describe() -> Descriptor {
            Descriptor::new("fragile", "1.0.0", "").scenario(Scenario::uses("function", "request"))
        }

        fn open(_: &str, _: &Arguments, _: probe_abi::Host) -> Result<Box<dyn Session>, ModuleError> {
            Err(ModuleError::Unavailable("it has no sessions".to_owned()))
        }
    }

    struct Echo {
        heap_bytes: u64,
    }

    impl probe_abi::function::Answering for Echo {
        fn answer(&mut self, body: &[u8]) -> (u16, Vec<u8>) {
            assert_ne!(body, b"fall", "fell while it answered");
            (200 + u16::from(body.is_empty()), [body, self.heap_bytes.to_string().as_bytes()].concat())
        }
    }

    #[test]
    fn a_function_answers_in_place() {
        // SAFETY: the table is that of a probe written with `probe_abi`, and this binary is not unloaded.
        let probe = unsafe { Probe::from_table(Path::new("fragile.so"), bench_probe_v1()) };
        let mut probe = probe.expect("the probe keeps the rules");
        assert_eq!(probe.descriptor().name, "fragile");
        let functions = crate::functions::functions(&mut probe).expect("it is a function");
        let initialised = |init_ms| Initialisation { heap_bytes: 7, init_ms };
        let mut starter = functions.prepare(Start::Quickest, initialised(0)).unwrap();
        let mut first = starter.start().unwrap().function;
        let mut second = starter.start().unwrap().function;
        let request = |body: &[u8]| HttpRequest {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
        };
        let answer = |status, body: &str| Ok(Answer { status, body: body.as_bytes().to_vec() });
        assert_eq!(first.call(&request(b"ab")), answer(200, "ab7"));
        assert_eq!(second.call(&request(b"")), answer(201, "7"));
        assert!(
            matches!(first.call(&request(b"fall")), Err(ModuleError::Crashed(text)) if text.contains("fell while it answered"))
        );
        let refused = functions.prepare(Start::Quickest, initialised(1)).unwrap().start().err();
        assert_eq!(refused, Some(ModuleError::Unavailable("it has no time".to_owned())));
        let kind = functions.prepare(Start::Kind("spawn"), initialised(0)).err();
        assert!(matches!(kind, Some(ModuleError::InvalidArgument(text)) if text.contains("spawn")));
    }

    probe_abi::export_probe!(Fragile);
}
