//! The driver `operator`: many operators in one worker, each watching a namespace of a control plane and writing into the next.
//! How an operator is made is the module's business; the driver delivers events, unloads what is idle, and accounts for both.
//!
//! The scenario `chain` starts operator *i* (from 0) with the arguments `watch` = `chain-i`, `apply` = `chain-(i+1)`. An
//! operator watches objects of the kind [`KIND`] in the one namespace and applies an object of the same name in the other, whose
//! spec is `{"nonce":N,"count":C}`: the nonce it was given, and how many nonces it has handled so far, itself. So the count at
//! the end of the chain tells whether state was lost. Its parameters are `count`, `rate` (nonces a second, 0 is one after the
//! other), `idle_ms`, `deadline_ms`; its metrics are those of [`metrics`].

use bench_model::{Direction, Metric, ModuleError, Unit};
pub use control_plane::{Event, Key, Object, PlaneError, Scope};
use std::sync::Arc;

/// The kind of objects that go along the chain.
pub const KIND: &str = "TestResource";

/// What the driver records.
pub fn metrics() -> Vec<Metric> {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let bytes = |name, summary| Metric::new(name, Unit::Bytes, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    vec![
        ns(
            "chain",
            "from a nonce being meant to be written to it being seen behind the last operator, all of them loaded",
        ),
        ns("hop", "from an event being taken to the next being taken, all operators loaded"),
        ns("load", "one operator made, started and watching"),
        ns("load_all", "all operators made, started and watching"),
        ns("unload", "one operator suspended and dropped"),
        ns("wake", "from an event being taken to it being reconciled by an operator that was unloaded"),
        ns("chain_cold", "from a nonce being written to it being seen behind the last operator, all of them unloaded"),
        bytes("state", "what one operator keeps while it is unloaded"),
        bytes("memory_pss", "proportional set size of the worker and of its operators' processes").label("phase"),
        bytes("memory_private", "private memory of the worker and of its operators' processes").label("phase"),
        ns("memory_at", "when memory was looked at, since the first operator was made").label("phase"),
        count("sent", "nonces written into the first namespace"),
        count("seen", "nonces seen behind the last operator in time"),
        count("late", "nonces seen behind the last operator after the deadline"),
        count("failed", "nonces not seen behind the last operator"),
        count("retried", "times that an event was tried again"),
    ]
}

/// What a module offers to this driver.
pub trait Operators {
    /// Gets everything ready that operators share, such as code. Not part of any operator's load.
    fn prepare(&mut self) -> Result<Box<dyn Maker>, ModuleError>;
}

/// Makes operators out of what was prepared.
pub trait Maker {
    /// A fresh one, which sees the control plane through `plane` and was not started.
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError>;
}

/// One operator. Dropping it unloads it: it gives back what it holds.
pub trait Operator {
    /// Starts it with names and values; what it wants to watch.
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError>;

    /// Acts on one event. It may be called again with an event for which it has failed; after [`ModuleError::Crashed`] it is
    /// dropped, and a fresh one started in its place.
    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError>;

    /// What it has to keep while it is unloaded, its arguments included. It is dropped afterwards.
    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError>;

    /// Takes up, in place of [`start`](Self::start), what one before it has kept.
    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError>;

    /// The process it has for itself, where it has one; its memory counts.
    fn process(&self) -> Option<u32> {
        None
    }
}

/// The control plane as one operator sees it: what it writes is written in its name.
pub trait Plane: Send + Sync {
    /// The object.
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError>;
    /// Sets the fields of `spec`, a JSON object; makes the object where there is none.
    fn apply(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError>;
    /// Makes the object; a conflict where it is there.
    fn create(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError>;
    /// Replaces the object; a conflict unless `object` has the version that is there.
    fn update(&self, object: &Object) -> Result<Arc<Object>, PlaneError>;
    /// Removes the object.
    fn delete(&self, key: &Key) -> Result<(), PlaneError>;
}
