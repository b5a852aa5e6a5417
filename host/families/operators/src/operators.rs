//! The traits that the driver `operator` calls, and the function that finds them in a module: each kind of module has an adapter in
//! this crate.

use bench_drivers::{Direct, Module};
use bench_model::ModuleError;
use bench_native::Probe;
use bench_wasm::Component;
pub use control_plane::{Event, Key, Object, PlaneError, Scope};
use probe_abi::raw;
use std::any::Any;
use std::sync::Arc;

/// The operators of a module.
pub trait Operators {
    /// Prepares what `count` operators share, such as code; this is not part of loading one. More cannot be made at the same time. The
    /// state of an unloaded operator is as `suspension` says, or the error is [`ModuleError::Unavailable`].
    fn prepare(&mut self, suspension: Suspension, count: usize) -> Result<Box<dyn Factory>, ModuleError>;
}

/// Makes operators of a prepared module.
pub trait Factory {
    /// A new operator, which is not started and sees the control plane through `plane`.
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError>;
}

/// One operator. Dropping it unloads it and frees its resources.
pub trait Operator {
    /// Starts it with names and values, and returns what it watches.
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError>;

    /// Reconciles one event. It can be called again with an event for which it failed; after [`ModuleError::Crashed`] the operator is
    /// dropped, and a new one is started in its place.
    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError>;

    /// Returns the state to keep while it is unloaded, with its arguments. It is dropped afterwards.
    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError>;

    /// Restores the state of a suspended operator, instead of [`start`](Self::start).
    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError>;

    /// The process of the operator, if it has its own; the memory of the process counts.
    fn process(&self) -> Option<u32> {
        None
    }
}

/// The control plane as one operator sees it: it writes in the operator's name.
pub trait Plane: Send + Sync {
    /// Returns the object.
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError>;
    /// Sets the fields of `spec`, a JSON object; creates the object if there is none.
    fn apply(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError>;
    /// Creates the object; a conflict if it exists.
    fn create(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError>;
    /// Replaces the object; a conflict unless `object` has the current version.
    fn update(&self, object: &Object) -> Result<Arc<Object>, PlaneError>;
    /// Removes the object.
    fn delete(&self, key: &Key) -> Result<(), PlaneError>;
}

/// What is kept of an unloaded operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suspension {
    /// The state that it returns itself.
    #[default]
    Own,
    /// An image of its memory, made without asking it.
    Memory,
}

impl Suspension {
    /// An error if images are asked for, of a module of which there are none.
    pub(crate) fn without_images(self, whose: &str) -> Result<(), ModuleError> {
        match self {
            Self::Own => Ok(()),
            Self::Memory => {
                let reason = format!("there is no image of the memory of {whose}: choose --suspend own, or --arm wasm");
                Err(ModuleError::Unavailable(reason))
            }
        }
    }
}

/// The operators of `module`, if it has some.
pub fn operators(module: &mut dyn Module) -> Result<&mut dyn Operators, ModuleError> {
    let name = module.descriptor().name.clone();
    find(module).ok_or_else(|| {
        ModuleError::Unavailable(format!("`{name}` has no operators to load in this arm; choose another with --arm"))
    })
}

fn find(module: &mut dyn Module) -> Option<&mut dyn Operators> {
    let module: &mut dyn Any = module;
    if module.is::<Component>() {
        let component = module.downcast_mut::<Component>()?;
        return component.offers(crate::wasm::OPERATOR).then_some(component as &mut dyn Operators);
    }
    if module.is::<Probe>() {
        let probe = module.downcast_mut::<Probe>()?;
        return probe.offers::<raw::Operators>().then_some(probe as &mut dyn Operators);
    }
    Some(module.downcast_mut::<Direct<dyn Operators>>()?.offer.as_mut())
}
