//! The modules of the tests: a component from its text, and a probe from its source in C.

use bench_drivers::Grants;
use bench_family::Family;
use bench_wasm::{Cache, Component, Limits, Runtime, Settings};
use family_operators::OperatorFamily;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use test_modules::{Library, component};

/// A folder with a component and a cache for its code. The component is read again while it is used.
pub(crate) struct Folder {
    folder: TempDir,
    sha256: String,
}

impl Folder {
    /// A folder with the component of this text, for the world `fixture` of a WIT text over these packages of the project.
    pub(crate) fn new(module: &str, world: &str, packages: &[&str]) -> Self {
        let component = component(module, world, packages);
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("fixture.wasm"), &component).expect("the component is written");
        Self { folder, sha256: bench_sink::digest::of_bytes(&component) }
    }

    /// The component, which can import what the family offers.
    pub(crate) fn load(&self) -> Component {
        let cache = Cache::open(&self.folder.path().join("code")).expect("a folder of our own is trusted");
        let runtime = Runtime::new(Limits::default(), Some(cache), &Settings::default()).expect("the engine starts");
        let runtime = runtime.with_capabilities(OperatorFamily.capabilities());
        let path = self.folder.path().join("fixture.wasm");
        Component::load(&runtime, &path, &self.sha256, Grants::default()).expect("the component is loaded")
    }
}

/// Compiles `tests/it/probes/operator.c` with the fault of this number, if there is a compiler.
pub(crate) fn library(fault: u32) -> Option<Library> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probes/operator.c");
    test_modules::probe(&source, &[&format!("FAULT={fault}")])
}
