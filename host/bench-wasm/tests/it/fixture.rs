//! The module of the tests, made from its text at run time, so that nothing has to be built before.

use bench_drivers::Grants;
use bench_model::Scenario;
use bench_wasm::{Cache, Component, Limits, Runtime, Settings};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) use test_modules::component;

pub(crate) const MODULE: &str = include_str!("fixture.wat");

/// What it imports and exports.
pub(crate) const WORLD: &str = "
    package bench-host:fixture;
    world fixture {
        include bench-host:workload/workload@0.1.0;
        include bench-host:ring/client@0.1.1;
    }
";

/// A folder with the module and a cache.
pub(crate) struct Fixture {
    folder: TempDir,
    sha256: String,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::of(component(MODULE, WORLD, &["workload", "ring"]))
    }

    /// A folder with this component.
    pub(crate) fn of(component: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("fixture.wasm"), &component).expect("the module is written");
        Self { folder, sha256: bench_sink::digest::of_bytes(&component) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("fixture.wasm")
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::open(&self.folder.path().join("code")).expect("a folder of our own is trusted")
    }

    /// The module on an engine with these settings.
    pub(crate) fn load(&self, settings: &Settings, cache: Option<Cache>) -> Component {
        let runtime = Runtime::new(Limits::default(), cache, settings).expect("the engine starts");
        Component::load(&runtime, &self.path(), &self.sha256, Grants::default()).expect("the module is loaded")
    }
}

/// The scenario of this name.
pub(crate) fn scenario(component: &Component, name: &str) -> Scenario {
    use bench_drivers::Module;
    let scenarios = &component.descriptor().scenarios;
    scenarios.iter().find(|scenario| scenario.name == name).expect("the module has it").clone()
}
