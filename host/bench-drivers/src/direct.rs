//! A module that is an object of the host instead of a loaded file: a program that it starts, or a mock of a test.

use crate::{Module, Recording};
use bench_model::{Arguments, Descriptor, ModuleError, Scenario};

/// A module without sessions: a descriptor, and the interface for the drivers of one family, such as a boxed trait object.
#[derive(Debug)]
pub struct Direct<T: ?Sized> {
    descriptor: Descriptor,
    /// The interface.
    pub offer: Box<T>,
}

impl<T: ?Sized> Direct<T> {
    /// A module whose scenarios `offer` implements.
    pub fn new(descriptor: Descriptor, offer: Box<T>) -> Self {
        Self { descriptor, offer }
    }
}

impl<T: ?Sized + 'static> Module for Direct<T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// No engine runs it, so its imports are unknown.
    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, _: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        Err(ModuleError::Unavailable(format!("`{}` has no sessions in this arm; choose another arm", scenario.name)))
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        body(self);
        Vec::new()
    }
}
