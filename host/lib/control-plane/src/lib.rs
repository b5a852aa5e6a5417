//! Versioned API objects, applied, listed and watched as in Kubernetes, behind one trait that does not say where they are
//! kept.

#[cfg(test)]
mod contract;
mod embedded;
mod kube;
mod mailbox;
mod object;
mod spec;

pub use embedded::{Embedded, HISTORY_CHANGES};
pub use kube::{ApiError, ApiServer, Change, Collection, Kube};
pub use mailbox::{Delivery, Mailbox, Token};
pub use object::{Event, Key, Object, PlaneError, Scope};
pub use spec::SPEC_BYTES_MAX;

use std::sync::Arc;

/// A store of objects. Every write has a manager, the name of the writer, which owns the fields it wrote.
pub trait ControlPlane: Send + Sync {
    /// The object.
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError>;

    /// Creates the object with `spec`, a JSON object; a conflict where it exists.
    fn create(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError>;

    /// Sets the fields of `spec`, a JSON object, and removes those that `manager` owned and no longer gives; creates the object
    /// where there is none. A conflict where another manager owns a field with another value. A write that changes nothing
    /// makes no new version and no event.
    fn apply(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError>;

    /// Replaces the whole object; a conflict unless `object` has the current version.
    fn update(&self, object: &Object, manager: &str) -> Result<Arc<Object>, PlaneError>;

    /// Removes the object.
    fn delete(&self, key: &Key) -> Result<(), PlaneError>;

    /// The objects of a scope at one version, sorted by name.
    fn list(&self, scope: &Scope) -> Result<Listing, PlaneError>;

    /// Delivers every change in `scope` after version `from` to `mailbox`, in order and with `token`, until the returned
    /// subscription is dropped. [`PlaneError::TooOld`] where some of them are no longer known: list again, and watch from there.
    fn watch(&self, scope: &Scope, from: u64, token: Token, mailbox: &Arc<Mailbox>)
    -> Result<Subscription, PlaneError>;
}

/// The objects of a scope at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Sorted by name.
    pub objects: Vec<Arc<Object>>,
    /// A watch from this version misses nothing.
    pub version: u64,
}

/// A watch, which ends when this is dropped.
pub struct Subscription(Option<Box<dyn FnOnce() + Send>>);

impl Subscription {
    /// A subscription that calls `end` when it is dropped.
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
