//! Versioned API objects, applied, listed and watched as Kubernetes does it, behind one trait that says nothing of where they
//! are kept. It must not know who watches, nor by what engine its users are run.

#[cfg(test)]
mod contract;
mod embedded;
mod kube;
mod mailbox;
mod object;
mod spec;

pub use embedded::{Embedded, HISTORY_CHANGES};
pub use kube::Kube;
pub use mailbox::{Delivery, Mailbox, Token};
pub use object::{Event, Key, Object, PlaneError, Scope};
pub use spec::SPEC_BYTES_MAX;

use std::sync::Arc;

/// Where objects are kept. Everything written has a manager: the name of whoever writes, and owns the fields it wrote.
pub trait ControlPlane: Send + Sync {
    /// The object.
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError>;

    /// Makes the object, with `spec`, a JSON object; a conflict where it is there.
    fn create(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError>;

    /// Sets the fields of `spec`, a JSON object, and removes those that `manager` owned and does not give any more; makes the
    /// object where there is none. A conflict where another manager owns a field and its value differs. What changes nothing
    /// makes no new version and no event.
    fn apply(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError>;

    /// Replaces the whole object; a conflict unless `object` has the version that is there.
    fn update(&self, object: &Object, manager: &str) -> Result<Arc<Object>, PlaneError>;

    /// Removes the object.
    fn delete(&self, key: &Key) -> Result<(), PlaneError>;

    /// The objects of a scope, by name, as they were at one version.
    fn list(&self, scope: &Scope) -> Result<Listing, PlaneError>;

    /// Delivers every change in `scope` after version `from` into `mailbox`, in order and with `token`, until what is returned
    /// is dropped. [`PlaneError::TooOld`] where not all of them are known any more: list again, and watch from there.
    fn watch(&self, scope: &Scope, from: u64, token: Token, mailbox: &Arc<Mailbox>)
    -> Result<Subscription, PlaneError>;
}

/// Objects of a scope, as they were at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// By name.
    pub objects: Vec<Arc<Object>>,
    /// A watch from here misses nothing.
    pub version: u64,
}

/// A watch, which ends when this is dropped.
pub struct Subscription(Option<Box<dyn FnOnce() + Send>>);

impl Subscription {
    /// One that is ended by calling `end`.
    pub fn new(end: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(end)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}
