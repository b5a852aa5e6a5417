//! What a component offers to the driver `operator`: instances, each of which is one operator with a store of its own, out of
//! an engine whose pool has room for many. It must not know what an operator does, nor time anything.

use crate::bindings::operator::bench_host::operator::types;
use crate::bindings::operator::exports::bench_host::operator::operator::{Guest, GuestIndices};
use crate::capability::control_plane::{key_out, object_out};
use crate::component::Component;
use crate::error::one_line;
use crate::session::trapped;
use crate::state::{self, State};
use crate::{Runtime, capability};
use bench_drivers::Grants;
use bench_drivers::operators::{Event, Maker, Operator, Operators, Plane, Scope, Suspension};
use bench_model::ModuleError;
use std::path::PathBuf;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::InstancePre;

/// The exported interface that makes a component an operator, whatever its version.
pub(crate) const OPERATOR: &str = "bench-host:operator/operator@";

impl Operators for Component {
    fn prepare(&mut self, suspension: Suspension) -> Result<Box<dyn Maker>, ModuleError> {
        suspension.without_images("a component")?;
        let failed = |reason: String| ModuleError::Other(reason);
        let runtime = self.runtime().for_many().map_err(|error| failed(error.to_string()))?;
        let twin = self.twin(&runtime).map_err(failed)?;
        let linker = capability::linker(&runtime.engine).map_err(|error| failed(one_line(&error)))?;
        let instance = linker.instantiate_pre(twin.instance_pre().component());
        let exports = instance.and_then(|instance| Ok((GuestIndices::new(&instance)?, instance)));
        let (exports, instance) = exports.map_err(|error| failed(one_line(&error)))?;
        let (path, grants) = (self.path.clone(), self.grants.clone());
        Ok(Box::new(WasmMaker { runtime, path, grants, instance, exports }))
    }
}

/// Makes instances of one component.
struct WasmMaker {
    runtime: Runtime,
    path: PathBuf,
    grants: Grants,
    instance: InstancePre<State>,
    /// Where the operator's functions are among the exports.
    exports: GuestIndices,
}

impl Maker for WasmMaker {
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError> {
        let store = state::store(&self.runtime, &self.path, &[], &self.grants);
        let mut store = store.map_err(|error| ModuleError::Unavailable(error.to_string()))?;
        store.data_mut().plane = Some(plane);
        let instance = self.instance.instantiate(&mut store);
        let exports = instance.and_then(|instance| self.exports.load(&mut store, &instance));
        let exports = exports.map_err(|error| trapped("instantiation", &error))?;
        Ok(Box::new(WasmOperator { store, exports }))
    }
}

/// One operator: a store, and its one instance.
struct WasmOperator {
    store: Store<State>,
    exports: Guest,
}

impl Operator for WasmOperator {
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError> {
        let watches = settled("start", self.exports.call_start(&mut self.store, arguments))?;
        Ok(watches.into_iter().map(|watch| Scope::new(watch.kind, watch.namespace)).collect())
    }

    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError> {
        let event = match event {
            Event::Added(object) => types::Event::Added(object_out(object)),
            Event::Modified(object) => types::Event::Modified(object_out(object)),
            Event::Deleted(key, version) => types::Event::Deleted((key_out(key), *version)),
        };
        settled("reconcile", self.exports.call_reconcile(&mut self.store, &event))
    }

    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError> {
        self.exports.call_suspend(&mut self.store).map_err(|error| trapped("suspend", &error))
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        settled("resume", self.exports.call_resume(&mut self.store, state))
    }
}

/// What a call comes to that may trap, or refuse in the operator's own words.
fn settled<T>(function: &str, called: wasmtime::Result<Result<T, String>>) -> Result<T, ModuleError> {
    called.map_err(|error| trapped(function, &error))?.map_err(ModuleError::Other)
}
