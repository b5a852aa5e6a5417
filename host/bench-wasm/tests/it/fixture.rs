//! The module of the tests, made from its text at run time, so that nothing has to be built before.

use bench_drivers::Grants;
use bench_model::Scenario;
use bench_wasm::{Cache, Component, Limits, Runtime, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const MODULE: &str = include_str!("fixture.wat");

/// What it imports and exports.
const WORLD: &str = "
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

/// The component of a module's text, for the world `fixture` of a WIT text over these packages of the project.
pub(crate) fn component(module: &str, world: &str, packages: &[&str]) -> Vec<u8> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = Resolve::default();
    for package in packages {
        resolve.push_path(wit.join(package)).expect("the WIT parses");
    }
    let package = resolve.push_str("fixture.wit", world).expect("the world parses");
    let world = resolve.select_world(&[package], Some("fixture")).expect("the world is there");
    let mut module = wat::parse_str(module).expect("the module parses");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the module takes metadata");
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).expect("the module fits the world");
    encoder.encode().expect("the component is encoded")
}
