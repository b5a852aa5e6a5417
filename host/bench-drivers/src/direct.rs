//! A module that the host holds itself rather than loads: a program that it starts, or one that a test makes up.

use crate::{Module, Recording};
use bench_model::{Arguments, Descriptor, ModuleError, Scenario};

/// A module that has no sessions: a description, and what it offers to the drivers of one family, such as a boxed trait object.
#[derive(Debug)]
pub struct Direct<T: ?Sized> {
    descriptor: Descriptor,
    /// What it offers.
    pub offer: Box<T>,
}

impl<T: ?Sized> Direct<T> {
    /// What `descriptor` describes is done by `offer`.
    pub fn new(descriptor: Descriptor, offer: Box<T>) -> Self {
        Self { descriptor, offer }
    }
}

impl<T: ?Sized + 'static> Module for Direct<T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// It is under no engine that could say.
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
