//! The interface `bench-host:operator/control-plane`: gives a component the control plane of its operator.

use super::bindings::bench_host::operator::{control_plane, types};
use super::bindings_0_1::bench_host::operator::control_plane as control_plane_0_1;
use crate::operators::{Key, Object, Plane, PlaneError};
use bench_wasm::wasmtime::Result;
use bench_wasm::wasmtime::component::{HasSelf, Linker};
use bench_wasm::{Capability, State};
use std::sync::Arc;

/// The capability, in each version that is accepted.
pub(crate) struct ControlPlane;

impl Capability for ControlPlane {
    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        types::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        control_plane::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        control_plane_0_1::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
    }
}

/// The state of a session: the control plane of its operator, if it is one.
#[derive(Default)]
pub(super) struct OwnPlane(pub(super) Option<Arc<dyn Plane>>);

impl types::Host for State {}

impl control_plane::Host for State {
    fn get(&mut self, key: types::Key) -> Result<Result<types::Object, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.get(&key_in(key)), object_out)))
    }

    fn apply(&mut self, key: types::Key, spec: String) -> Result<Result<u64, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.apply(&key_in(key), &spec), version)))
    }

    fn create(&mut self, key: types::Key, spec: String) -> Result<Result<u64, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.create(&key_in(key), &spec), version)))
    }

    fn update(&mut self, object: types::Object) -> Result<Result<u64, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.update(&object_in(object)), version)))
    }

    fn delete(&mut self, key: types::Key) -> Result<Result<(), types::Error>> {
        self.body(|state| Ok(plane(state).and_then(|plane| plane.delete(&key_in(key)).map_err(error_out))))
    }
}

/// Components that were built against version 0.1 get whole objects.
impl control_plane_0_1::Host for State {
    fn get(&mut self, key: types::Key) -> Result<Result<types::Object, types::Error>> {
        control_plane::Host::get(self, key)
    }

    fn apply(&mut self, key: types::Key, spec: String) -> Result<Result<types::Object, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.apply(&key_in(key), &spec), object_out)))
    }

    fn create(&mut self, key: types::Key, spec: String) -> Result<Result<types::Object, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.create(&key_in(key), &spec), object_out)))
    }

    fn update(&mut self, object: types::Object) -> Result<Result<types::Object, types::Error>> {
        self.body(|state| Ok(written(state, |plane| plane.update(&object_in(object)), object_out)))
    }

    fn delete(&mut self, key: types::Key) -> Result<Result<(), types::Error>> {
        control_plane::Host::delete(self, key)
    }
}

/// The result of a function of the plane, with what `out` makes of the object.
fn written<T>(
    state: &mut State,
    write: impl FnOnce(&dyn Plane) -> Result<Arc<Object>, PlaneError>,
    out: impl FnOnce(&Object) -> T,
) -> Result<T, types::Error> {
    plane(state).and_then(|plane| write(plane).map(|object| out(&object)).map_err(error_out))
}

fn version(object: &Object) -> u64 {
    object.resource_version
}

fn object_in(types::Object { key, resource_version, spec }: types::Object) -> Object {
    Object { key: key_in(key), resource_version, spec }
}

/// The operator's, unless the component is run as anything else.
fn plane(state: &mut State) -> Result<&dyn Plane, types::Error> {
    let none = || types::Error::Unavailable("only an operator has a control plane".to_owned());
    state.slot::<OwnPlane>().0.as_deref().ok_or_else(none)
}

fn key_in(key: types::Key) -> Key {
    Key { kind: key.kind, namespace: key.namespace, name: key.name }
}

pub(super) fn key_out(key: &Key) -> types::Key {
    types::Key { kind: key.kind.clone(), namespace: key.namespace.clone(), name: key.name.clone() }
}

pub(super) fn object_out(object: &Object) -> types::Object {
    let Object { key, resource_version, spec } = object;
    types::Object { key: key_out(key), resource_version: *resource_version, spec: spec.clone() }
}

fn error_out(error: PlaneError) -> types::Error {
    match error {
        PlaneError::NotFound => types::Error::NotFound,
        PlaneError::Conflict(version) => types::Error::Conflict(version),
        PlaneError::Invalid(reason) => types::Error::Invalid(reason),
        other @ (PlaneError::TooOld { .. } | PlaneError::Unavailable(_)) => {
            types::Error::Unavailable(other.to_string())
        }
    }
}
