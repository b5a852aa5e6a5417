//! What a module costs that a command names by its address in a registry, if the store has it.

use super::folder::Folder;
use super::sessions::closure;
use bench_drivers::Recording;
use bench_model::ModuleError;
use bench_sink::Sink;
use module_store::{Annotations, ModuleName, NewModule, RemoteReference, Store, StoreError};
use std::hint::black_box;
use std::path::Path;
use std::str::FromStr;

fn other(error: impl std::fmt::Display) -> ModuleError {
    ModuleError::Other(error.to_string())
}

/// Opens a store that has `component`, and finds the component in it by its address, as `registry pull` does before it asks a registry.
pub(super) fn pull_held(sink: Sink, component: &Path) -> Result<Box<dyn Recording>, ModuleError> {
    if !component.is_file() {
        let absent = format!("{} is not built; run `cargo xtask plugins`", component.display());
        return Err(ModuleError::Unavailable(absent));
    }
    let folder = Folder::new()?;
    let root = folder.0.join("store");
    let from = address(&root, component).map_err(other)?;
    Ok(closure(sink, move |_| {
        // The folder stays as long as this closure.
        let _folder = &folder;
        let store = Store::open(&root).map_err(other)?;
        let held = oci_registry::held(&store, &from).ok_or_else(|| other("the store does not have the module"))?;
        black_box(held);
        Ok(())
    }))
}

/// Adds `component` to the store in `root`, and returns an address of it at which there is no registry.
fn address(root: &Path, component: &Path) -> Result<RemoteReference, StoreError> {
    let name = ModuleName::from_str("bench-host:held@1.0.0").expect("a name with a version");
    let new = NewModule { name: &name, component: Some(component), native: None, annotations: Annotations::new() };
    let module = Store::open(root)?.add(&new)?;
    Ok(RemoteReference {
        host: "127.0.0.1:1".to_owned(),
        repository: "bench-host/held".to_owned(),
        tag: None,
        digest: Some(module.manifest.digest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_is_found_each_time() {
        let files = tempfile::tempdir().unwrap();
        let component = files.path().join("a.wasm");
        std::fs::write(&component, wat::parse_str("(component)").unwrap()).unwrap();
        let mut session = pull_held(Sink::new(&[]), &component).unwrap();
        assert_eq!(session.iterate(3).unwrap().operations, 3);
        assert!(session.verify().unwrap().iter().all(|check| check.passed));
        assert!(pull_held(Sink::new(&[]), &files.path().join("absent.wasm")).is_err());
    }
}
