//! The control plane as one operator sees it: its writes carry its name, and are remembered as effects of the event it acts on,
//! so that a chain of effects that never ends is found. It must not know what an operator does.

use crate::operators::Plane;
use control_plane::{ControlPlane, Key, Object, PlaneError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many effects lie between a write from outside and the last write of each object.
#[derive(Default)]
pub(super) struct Causes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Of the event that is acted on, where one is.
    depth: Option<u32>,
    depths: HashMap<Key, u32>,
}

impl Causes {
    /// How many operators have acted, one on the other's write, up to the last write of `key`.
    pub(super) fn depth(&self, key: &Key) -> u32 {
        self.inner().depths.get(key).copied().unwrap_or(0)
    }

    /// Does something whose writes are effects of an event of this depth.
    pub(super) fn during<T>(&self, depth: u32, body: impl FnOnce() -> T) -> T {
        self.inner().depth = Some(depth);
        let result = body();
        self.inner().depth = None;
        result
    }

    fn wrote(&self, key: &Key) {
        let mut inner = self.inner();
        match (inner.depth.map(|depth| depth + 1), inner.depths.get_mut(key)) {
            (Some(depth), Some(known)) => *known = depth,
            (Some(depth), None) => drop(inner.depths.insert(key.clone(), depth)),
            (None, _) => drop(inner.depths.remove(key)),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What writes in the name of `manager`.
pub(super) struct Named {
    pub(super) plane: Arc<dyn ControlPlane>,
    pub(super) causes: Arc<Causes>,
    pub(super) manager: String,
}

impl Named {
    /// Remembers a write where it was one: what came back at the version that was there before is none, but costs nothing to
    /// remember, because no event comes of it.
    fn written(&self, object: Result<Arc<Object>, PlaneError>) -> Result<Arc<Object>, PlaneError> {
        object.inspect(|object| self.causes.wrote(&object.key))
    }
}

impl Plane for Named {
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError> {
        self.plane.get(key)
    }

    fn apply(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError> {
        self.written(self.plane.apply(key, &self.manager, spec))
    }

    fn create(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError> {
        self.written(self.plane.create(key, &self.manager, spec))
    }

    fn update(&self, object: &Object) -> Result<Arc<Object>, PlaneError> {
        self.written(self.plane.update(object, &self.manager))
    }

    fn delete(&self, key: &Key) -> Result<(), PlaneError> {
        self.plane.delete(key).inspect(|()| self.causes.wrote(key))
    }
}
