//! Adapters: how components and core modules that export no `bench-host:workload/plugin` become modules. Families implement them.

use crate::error::one_line;
use crate::state::State;
use crate::{Component, LoadError, StoreObserver};
use bench_drivers::Recording;
use bench_model::{Arguments, Descriptor, ModuleError, Scenario};
use std::path::Path;
use wasmtime::Store;

/// The adapters of a host.
pub type Adapters = &'static [&'static dyn Adapter];

/// Makes scenarios of what a component exports.
pub trait Adapter: Sync {
    /// The scenarios that it makes of `component`; none if the component exports nothing that it can execute.
    fn scenarios(&self, component: &Component) -> Vec<Scenario>;

    /// What a user can name in a parameter of these scenarios, such as the signatures of functions.
    fn signatures(&self, component: &Component) -> Vec<String> {
        let _ = component;
        Vec::new()
    }

    /// Opens one of its scenarios for the driver `workload`.
    fn open(
        &self,
        component: &Component,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Box<dyn ComponentSession>, ModuleError> {
        let _ = (component, arguments);
        Err(ModuleError::Unavailable(format!("`{}` has no sessions; its driver calls it differently", scenario.name)))
    }

    /// A component around the core module in `bytes`; `None` if this adapter makes none. An error says why that failed and what to do.
    fn component_of(&self, bytes: &[u8]) -> Option<Result<Vec<u8>, String>> {
        let _ = bytes;
        None
    }
}

/// A session of a component.
pub trait ComponentSession: Recording {
    /// The store of its instance; `None` if each operation has an instance of its own.
    fn store(&mut self) -> Option<&mut Store<State>>;

    /// What observes the stores of its operations, if each has one of its own.
    fn observer(&mut self) -> Option<&mut StoreObserver> {
        None
    }

    /// The fuel that it has consumed, on an engine that counts it.
    fn fuel_consumed(&mut self) -> Result<u64, ModuleError> {
        let store = self.store().ok_or_else(|| ModuleError::Other("each operation has its own instance".to_owned()))?;
        store.get_fuel().map(|left| u64::MAX - left).map_err(|error| ModuleError::Other(one_line(&error)))
    }
}

/// The description of a component by adapters, and which adapter made each scenario.
#[derive(Clone, Default)]
pub(crate) struct Adapted {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) signatures: Vec<String>,
    /// If there is no scenario, the functions of which none could be made, each with the reason.
    left_out: Vec<String>,
    /// The adapter of each scenario.
    makers: Vec<&'static dyn Adapter>,
}

impl Adapted {
    /// What `adapters` make of `component`.
    pub(crate) fn of(component: &Component, adapters: Adapters) -> Self {
        let mut adapted = Self::default();
        for adapter in adapters {
            let scenarios = adapter.scenarios(component);
            if !scenarios.is_empty() {
                adapted.signatures.extend(adapter.signatures(component));
            }
            adapted.makers.extend(scenarios.iter().map(|_| *adapter));
            adapted.scenarios.extend(scenarios);
        }
        // Only of what is refused, because it can mean to read the file again.
        if adapted.scenarios.is_empty() {
            adapted.left_out = adapters.iter().flat_map(|adapter| adapter.signatures(component)).collect();
        }
        adapted
    }

    /// The adapter that made the scenario `name`.
    pub(crate) fn maker(&self, name: &str) -> Result<&'static dyn Adapter, ModuleError> {
        let index = self.scenarios.iter().position(|scenario| scenario.name == name);
        index.map(|index| self.makers[index]).ok_or_else(|| ModuleError::UnknownScenario(name.to_owned()))
    }

    /// The descriptor of the component at `path`, which is named after its file.
    pub(crate) fn descriptor(&self, path: &Path) -> Result<Descriptor, LoadError> {
        let mut descriptor = Descriptor::new(name_of(path), "0", "A component that was not written for bench-host.");
        descriptor.scenarios.clone_from(&self.scenarios);
        if descriptor.scenarios.is_empty() {
            return Err(LoadError::NothingToRun { path: path.to_owned(), left_out: self.left_out.clone() });
        }
        let valid = descriptor.validate();
        valid.map_err(|error| LoadError::Describe { path: path.to_owned(), reason: error.to_string() })?;
        Ok(descriptor)
    }
}

/// The name of a module that has none: that of its file, in the characters that names may have.
pub fn name_of(path: &Path) -> String {
    const NAME_BYTES_MAX: usize = 64;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
    let name: String = stem.chars().take(NAME_BYTES_MAX).map(plain).collect();
    if name.is_empty() { "component".to_owned() } else { name }
}

/// A component around the core module in `bytes`.
pub(crate) fn component_of(path: &Path, bytes: &[u8], adapters: Adapters) -> Result<Vec<u8>, LoadError> {
    let made = adapters.iter().find_map(|adapter| adapter.component_of(bytes));
    let made = made.ok_or_else(|| LoadError::CoreModule(path.to_owned()))?;
    made.map_err(|reason| LoadError::Core { path: path.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_is_named_after_its_file() {
        let check = |path: &str, expect: &str| assert_eq!(name_of(Path::new(path)), expect);
        check("a/lib_2.wasm", "lib_2");
        check("My App (1).wasm", "my-app--1-");
        check(".wasm", "-wasm");
        check("", "component");
        check(&format!("{}.wasm", "n".repeat(99)), &"n".repeat(64));
    }
}
