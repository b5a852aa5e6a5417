//! A session of a component: one store, one instance, one handle. It does little, because every instruction here is timed.

use crate::adapter::ComponentSession;
use crate::bindings::workload::exports::bench_host::workload::sessions::Guest;
use crate::convert;
use crate::error::one_line;
use crate::limits::advice;
use crate::state::State;
use bench_drivers::Recording;
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use bench_sink::Sink;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

/// A session of a component.
pub(crate) struct WasmSession {
    store: Store<State>,
    exports: Guest,
    handle: ResourceAny,
}

impl WasmSession {
    pub(crate) fn open(
        mut store: Store<State>,
        exports: Guest,
        scenario: &str,
        arguments: &Arguments,
    ) -> Result<Self, ModuleError> {
        let opened = exports.session().call_open(&mut store, scenario, &convert::arguments(arguments));
        let handle = opened.map_err(|error| trapped("open", &error))?.map_err(convert::error)?;
        Ok(Self { store, exports, handle })
    }

    /// The parts, for comparison with direct calls.
    pub(crate) fn parts(&mut self) -> (&mut Store<State>, ResourceAny) {
        (&mut self.store, self.handle)
    }
}

impl Session for WasmSession {
    #[inline]
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let session = self.exports.session();
        match session.call_iterate(&mut self.store, self.handle, times) {
            Ok(Ok(outcome)) => Ok(outcome.into()),
            Ok(Err(error)) => Err(convert::error(error)),
            Err(error) => Err(trapped("iterate", &error)),
        }
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let session = self.exports.session();
        match session.call_verify(&mut self.store, self.handle) {
            Ok(Ok(checks)) => Ok(checks.into_iter().map(Check::from).collect()),
            Ok(Err(error)) => Err(convert::error(error)),
            Err(error) => Err(trapped("verify", &error)),
        }
    }
}

impl ComponentSession for WasmSession {
    fn store(&mut self) -> Option<&mut Store<State>> {
        Some(&mut self.store)
    }
}

impl Recording for WasmSession {
    fn sink(&mut self) -> &mut Sink {
        &mut self.store.data_mut().sink
    }

    fn memory_bytes(&mut self) -> Option<u64> {
        Some(self.store.data().memory_bytes())
    }
}

/// An error of the engine, not of the module: a trap, or an exceeded limit.
pub fn trapped(what: &str, error: &wasmtime::Error) -> ModuleError {
    let reason = one_line(error);
    ModuleError::Crashed(format!("`{what}` trapped: {reason}{}", advice(&reason)))
}
