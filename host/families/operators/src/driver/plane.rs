//! The control plane of one operator: its writes carry its name, and are recorded as effects of the event that it handles, so that
//! a feedback loop is found.

use crate::operators::Plane;
use control_plane::{ControlPlane, Key, Object, PlaneError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// For each object, the number of effects from a write from outside to its last write.
#[derive(Default)]
pub(super) struct Causes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The depth of the event that is being handled, if there is one.
    depth: Option<u32>,
    depths: HashMap<Key, u32>,
}

impl Causes {
    /// The depth of the last write of `key`: the length of the sequence of writes, each of which caused the next.
    pub(super) fn depth(&self, key: &Key) -> u32 {
        self.inner().depths.get(key).copied().unwrap_or(0)
    }

    /// Runs `body`, whose writes are effects of an event of this depth.
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

/// The control plane of one operator, which writes as the field manager `manager`.
pub(super) struct Named {
    pub(super) plane: Arc<dyn ControlPlane>,
    pub(super) causes: Arc<Causes>,
    pub(super) manager: String,
}

impl Named {
    /// Records the depth of a write. A write that changed nothing is recorded too, which has no effect because it causes no event.
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
