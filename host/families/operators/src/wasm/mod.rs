//! Operators that are components. Each operator is an instance with a store of its own, out of an engine whose pool has room for
//! many.

mod bindings;
mod bindings_0_1;
mod control_plane;
mod exports;

pub(crate) use self::control_plane::ControlPlane;

use self::bindings::bench_host::operator::types;
use self::control_plane::{OwnPlane, key_out, object_out};
use self::exports::{Exports, Indices};
use crate::operators::{Event, Factory, Operator, Operators, Plane, Scope, Suspension};
use bench_drivers::Grants;
use bench_model::ModuleError;
use bench_sink::digest;
use bench_wasm::image::{self, DeterministicInit, Images};
use bench_wasm::wasmtime::component::{Instance, InstancePre};
use bench_wasm::wasmtime::{self, Store};
use bench_wasm::{Component, Runtime, State, one_line, trapped};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// The exported interface that makes a component an operator, whatever its version.
pub(crate) const OPERATOR: &str = "bench-host:operator/operator@";

impl Operators for Component {
    fn prepare(&mut self, suspension: Suspension, count: usize) -> Result<Box<dyn Factory>, ModuleError> {
        let failed = |reason: String| ModuleError::Other(reason);
        let modules = self.core_modules().map_err(failed)?;
        let runtime = self.runtime().for_many(count, modules).map_err(|error| failed(error.to_string()))?;
        let (instance, runtime) = match suspension {
            Suspension::Own => {
                // Where it does not fit into the pool, its engine is another one.
                let twin = self.twin(&runtime).map_err(failed)?;
                (twin.instance_pre().clone(), twin.runtime().clone())
            }
            Suspension::Memory => (rewritten(self, &runtime)?, runtime),
        };
        let exports = Indices::new(&instance).map_err(|error| failed(one_line(&error)))?;
        let seed = Seed { runtime, path: self.path().to_owned(), grants: self.grants().clone(), instance };
        let images = match suspension {
            Suspension::Own => None,
            Suspension::Memory => {
                let code = seed.instance.component();
                Some(Rc::new(Images::new(code, self.sha256(), |alike| seed.alike(alike))?))
            }
        };
        Ok(Box::new(WasmFactory { seed, exports, images }))
    }
}

/// The rewritten code of a component whose instances are suspended as images. It is compiled and cached apart from the original.
fn rewritten(component: &Component, runtime: &Runtime) -> Result<InstancePre<State>, ModuleError> {
    let failed = |reason: String| ModuleError::Other(reason);
    let bytes = image::rewritten(&component.bytes().map_err(failed)?)?;
    let code = runtime.compile(component.path(), &bytes, &digest::of_bytes(&bytes));
    let code = code.map_err(|error| failed(error.to_string()))?.component;
    component.link(runtime, &code).map_err(|error| failed(one_line(&error)))
}

/// The code and the engine of the instances of one component.
struct Seed {
    runtime: Runtime,
    path: PathBuf,
    grants: Grants,
    instance: InstancePre<State>,
}

impl Seed {
    fn instance(&self, mut store: Store<State>) -> Result<(Store<State>, Instance), ModuleError> {
        let instance = self.instance.instantiate(&mut store).map_err(|error| trapped("instantiation", &error))?;
        Ok((store, instance))
    }

    /// Makes an instance that is connected to the control plane.
    fn with_plane(&self, plane: Arc<dyn Plane>) -> Result<(Store<State>, Instance), ModuleError> {
        let mut store = self.runtime.session(&self.path, &[], &self.grants)?;
        *store.data_mut().slot() = OwnPlane(Some(plane));
        self.instance(store)
    }

    /// Makes an instance without a control plane.
    fn alike(&self, alike: &DeterministicInit) -> Result<(Store<State>, Instance), ModuleError> {
        let mut standing = None;
        let set = |wasi: &mut _| standing = Some(alike.stand(wasi));
        let (mut store, instance) = self.instance(self.runtime.session_with(&self.path, &[], &self.grants, set)?)?;
        if let Some(standing) = standing {
            standing.go_on(&mut store);
        }
        Ok((store, instance))
    }
}

/// Makes instances of one component.
struct WasmFactory {
    seed: Seed,
    /// The indices of the operator's functions among the exports.
    exports: Indices,
    /// For suspension as an image.
    images: Option<Rc<Images>>,
}

impl Factory for WasmFactory {
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError> {
        let (mut store, instance) = match &self.images {
            None => self.seed.with_plane(plane)?,
            Some(images) => {
                let (mut store, instance) = self.seed.alike(images.alike())?;
                *store.data_mut().slot() = OwnPlane(Some(plane));
                (store, instance)
            }
        };
        let exports = self.exports.load(&mut store, &instance).map_err(|error| trapped("instantiation", &error))?;
        let images = self.images.clone().map(|images| (images, instance));
        Ok(Box::new(WasmOperator { store, exports, images }))
    }
}

/// One operator: a store, and its one instance.
struct WasmOperator {
    store: Store<State>,
    exports: Exports,
    /// Takes images of the instance, if it does not save its state itself.
    images: Option<(Rc<Images>, Instance)>,
}

impl Operator for WasmOperator {
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError> {
        settled("start", self.exports.start(&mut self.store, arguments))
    }

    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError> {
        let event = match event {
            Event::Added(object) => types::Event::Added(object_out(object)),
            Event::Modified(object) => types::Event::Modified(object_out(object)),
            Event::Deleted(key, version) => types::Event::Deleted((key_out(key), *version)),
        };
        settled("reconcile", self.exports.reconcile(&mut self.store, &event))
    }

    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError> {
        match &self.images {
            None => self.exports.suspend(&mut self.store).map_err(|error| trapped("suspend", &error)),
            Some((images, instance)) => images.take(&mut self.store, instance),
        }
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        match &self.images {
            None => settled("resume", self.exports.resume(&mut self.store, state)),
            Some((images, instance)) => images.restore(state, &mut self.store, instance),
        }
    }
}

/// The result of a call, which may trap or return an error of the operator.
fn settled<T>(function: &str, called: wasmtime::Result<Result<T, String>>) -> Result<T, ModuleError> {
    called.map_err(|error| trapped(function, &error))?.map_err(ModuleError::Other)
}
