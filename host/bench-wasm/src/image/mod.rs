//! Images of the memory of a component's instances, for components that do not save their state themselves: the difference from a fresh
//! instance is taken from one instance, and restored into another.
//!
//! The component is rewritten before it is compiled (`rewrite`), so its code differs from that without images. An image contains only
//! memories and globals: a component that writes to its tables is refused, and so is an instance that holds handles which a fresh one
//! does not. Taking an image reads every page of the instance, so its time depends on the size of the memory; the time of restoring
//! depends on the size of the difference.

mod accessor;
mod corruption;
mod deterministic_init;
mod form;
mod instance;
mod module;
mod rewrite;

pub(crate) use self::corruption::corrupt;
pub use self::deterministic_init::{DeterministicInit, FrozenClock};
use self::form::{NotRestored, Owner, View};
use self::instance::{Accessed, Contents, Functions, resources};
use crate::error::one_line;
use crate::state::State;
use bench_model::ModuleError;
use std::any::TypeId;
use wasmtime::Store;
use wasmtime::component::{Component as Compiled, Instance};

/// Rewrites the component in `bytes` for images of its instances.
pub fn rewritten(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    rewrite::rewrite(bytes).map_err(|why| unavailable(&why.to_string()))
}

/// Takes and restores images of the instances of one component, which was rewritten.
#[expect(missing_debug_implementations, reason = "an instance cannot be shown")]
pub struct Images {
    /// Creates all instances.
    alike: DeterministicInit,
    functions: Functions,
    owner: Owner,
    fresh: Fresh,
}

/// A fresh instance, which was never called.
struct Fresh {
    store: Store<State>,
    contents: Contents,
    /// The objects that the host keeps for it.
    resources: Vec<(u32, TypeId)>,
    /// The first handle that it does not have.
    handle: u32,
}

impl Images {
    /// For the component with this code, whose file has the digest `sha256`, and of which `make` creates fresh instances. It is
    /// refused if fresh instances differ, because an image is restored into another fresh instance.
    pub fn new(
        component: &Compiled,
        sha256: &str,
        make: impl Fn(&DeterministicInit) -> Result<(Store<State>, Instance), ModuleError>,
    ) -> Result<Self, ModuleError> {
        let alike = DeterministicInit::new();
        let functions = Functions::of(component).ok_or_else(|| unavailable("it was compiled without an accessor"))?;
        let fresh = Fresh::of(make(&alike)?, &functions)?;
        let other = Fresh::of(make(&alike)?, &functions)?;
        if let Some(place) = form::difference(&fresh.view(), &other.view()) {
            return Err(unavailable(&format!("two fresh instances differ in {place}")));
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(sha256.as_bytes().get(..16).expect("a digest has 64 digits"));
        let owner = Owner { digest, fresh: fresh.view().checksum() };
        Ok(Self { alike, functions, owner, fresh })
    }

    /// The clocks and random numbers that all instances are created with.
    pub fn alike(&self) -> &DeterministicInit {
        &self.alike
    }

    /// Takes an image of `instance`, none of whose functions may be executing.
    pub fn take(&self, store: &mut Store<State>, instance: &Instance) -> Result<Vec<u8>, ModuleError> {
        let failed = |why: &str| ModuleError::Other(format!("cannot take an image of its memory: {why}"));
        let error = |error: wasmtime::Error| failed(&one_line(&error));
        let held = resources(&mut store.data_mut().table);
        let mut accessed = Accessed { store, instance, functions: &self.functions };
        let handle = accessed.next_handle(self.fresh.handle).map_err(error)?;
        if handle != self.fresh.handle || held.iter().any(|resource| !self.fresh.resources.contains(resource)) {
            let why = "it holds handles, such as of files or streams, that a fresh instance does not hold";
            return Err(failed(&format!("{why}; close them in the component, or use --suspend own")));
        }
        let contents = accessed.contents().map_err(error)?;
        Ok(form::take(&self.owner, &self.fresh.view(), &contents.view(store)))
    }

    /// Restores `image` into `instance`, a fresh one. After an error, the instance must not be used.
    pub fn restore(&self, image: &[u8], store: &mut Store<State>, instance: &Instance) -> Result<(), ModuleError> {
        let mut accessed = Accessed { store, instance, functions: &self.functions };
        form::restore(&self.owner, &self.fresh.view(), image, &mut accessed).map_err(|why| {
            ModuleError::Other(match why {
                NotRestored::Refused(refusal) => format!("the image of its memory is refused: {refusal}"),
                NotRestored::Target(error) => {
                    format!("cannot restore the image of its memory: {}", one_line(&error))
                }
            })
        })
    }
}

impl Fresh {
    fn of(made: (Store<State>, Instance), functions: &Functions) -> Result<Self, ModuleError> {
        let (mut store, instance) = made;
        let resources = resources(&mut store.data_mut().table);
        let mut accessed = Accessed { store: &mut store, instance: &instance, functions };
        let looked = accessed.next_handle(0).and_then(|handle| Ok((handle, accessed.contents()?)));
        let (handle, contents) = looked.map_err(|error| unavailable(&one_line(&error)))?;
        Ok(Self { store, contents, resources, handle })
    }

    fn view(&self) -> View<'_> {
        self.contents.view(&self.store)
    }
}

fn unavailable(why: &str) -> ModuleError {
    ModuleError::Unavailable(format!("its memory cannot be snapshotted: {why}; use --suspend own"))
}

#[cfg(test)]
mod tests;
