//! Where modules of a spec are that need not be sent: in the store of this machine's user, or in a registry from which the policy lets them be
//! fetched. Wherever one comes from, it has the digest that the spec says.

use super::policy::AgentPolicy;
use crate::{output, paths};
use anyhow::{Context, ensure};
use bench_fleet::{ModuleDigest, Spec};
use module_store::{Digest, Reference, Store, StoreError};
use std::fs;
use std::path::PathBuf;

/// The places where modules of a spec are looked for before they are asked for.
pub(super) struct Elsewhere<'a> {
    /// The folder of the store, which may not exist.
    store: Option<PathBuf>,
    /// What says which registries may be asked for modules of this spec. Without it, none is.
    #[cfg_attr(not(feature = "registry"), expect(dead_code, reason = "no registry is asked"))]
    policy: Option<(&'a AgentPolicy, &'a Spec)>,
}

impl<'a> Elsewhere<'a> {
    /// The store of the user, and the registries that `policy` allows for `spec`.
    pub(super) fn of_user(policy: Option<&'a AgentPolicy>, spec: &'a Spec) -> Self {
        Self { store: paths::module_store(), policy: policy.map(|policy| (policy, spec)) }
    }

    /// The module with this digest, if it is in one of the places. What stands in the way is said, and is no reason not to measure.
    pub(super) fn find(&self, module: &ModuleDigest, digest: &Digest) -> Option<Vec<u8>> {
        let found = self.in_store(digest);
        #[cfg(feature = "registry")]
        let found = match told(module, found) {
            None => self.in_registry(module, digest),
            found => Ok(found),
        };
        told(module, found)
    }

    fn in_store(&self, digest: &Digest) -> anyhow::Result<Option<Vec<u8>>> {
        match self.store.as_deref().filter(|folder| folder.is_dir()) {
            Some(folder) => read(&Store::open(folder)?, digest),
            None => Ok(None),
        }
    }

    #[cfg(feature = "registry")]
    fn in_registry(&self, module: &ModuleDigest, digest: &Digest) -> anyhow::Result<Option<Vec<u8>>> {
        let (Some(address), Some((policy, spec)), Some(folder)) = (&module.address, self.policy, &self.store) else {
            return Ok(None);
        };
        let address: module_store::RemoteReference = address.parse()?;
        // A tag may mean another module by now.
        if address.digest.is_none() || !policy.permits_source(spec, &address)? {
            return Ok(None);
        }
        let store = Store::open(folder)?;
        crate::commands::registry::remote::fetch(&store, &address)?;
        read(&store, digest)
    }
}

/// What was found; an error is said, and nothing was found.
fn told(module: &ModuleDigest, found: anyhow::Result<Option<Vec<u8>>>) -> Option<Vec<u8>> {
    found.unwrap_or_else(|error| {
        output::line(&format!("bench-host: the module {} is looked for elsewhere: {error:#}", module.name));
        None
    })
}

/// The file of a module with this digest, if the store has it.
fn read(store: &Store, digest: &Digest) -> anyhow::Result<Option<Vec<u8>>> {
    match store.find(&Reference::Digest(*digest)) {
        Ok(module) if module.files().any(|file| file.digest == *digest) => {}
        // It is the digest of a manifest, or none.
        Ok(_) | Err(StoreError::Unknown { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let path = store.blob(digest)?;
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(Digest::of_bytes(&bytes) == *digest, "{}: it was changed while it was read", path.display());
    Ok(Some(bytes))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bench_model::Arm;
    use module_store::{Annotations, ModuleName, NewModule};
    use std::path::Path;

    /// No place but the store in this folder, if one is given.
    pub(in crate::commands::agent) fn only(store: Option<PathBuf>) -> Elsewhere<'static> {
        Elsewhere { store, policy: None }
    }

    /// Adds a component to a store in `folder`. Returns the store's folder, and the bytes of the component.
    pub(in crate::commands::agent) fn with_component(folder: &Path) -> (PathBuf, Vec<u8>) {
        let component = wat::parse_str("(component)").unwrap();
        let file = folder.join("added.wasm");
        fs::write(&file, &component).unwrap();
        let root = folder.join("store");
        let name: ModuleName = "acme:m@1.0.0".parse().unwrap();
        let new = NewModule { name: &name, component: Some(&file), native: None, annotations: Annotations::new() };
        Store::open(&root).unwrap().add(&new).unwrap();
        (root, component)
    }

    fn module(bytes: &[u8]) -> (ModuleDigest, Digest) {
        let digest = Digest::of_bytes(bytes);
        let file = "m.wasm".to_owned();
        let module = ModuleDigest { name: "m".to_owned(), arm: Arm::Wasm, sha256: digest.hex(), file, address: None };
        (module, digest)
    }

    #[test]
    fn module_of_the_store_is_found_by_its_digest_while_it_is_intact() {
        let folder = tempfile::tempdir().unwrap();
        let (module, digest) = module(b"other");
        assert_eq!(only(None).find(&module, &digest), None);
        assert_eq!(only(Some(folder.path().join("store"))).find(&module, &digest), None);
        assert!(!folder.path().join("store").exists(), "no store is made to look into");
        let (root, component) = with_component(folder.path());
        let elsewhere = only(Some(root.clone()));
        assert_eq!(elsewhere.find(&module, &digest), None);
        let (module, digest) = self::module(&component);
        assert_eq!(elsewhere.find(&module, &digest), Some(component));
        let manifest = Store::open(&root).unwrap().find(&Reference::Digest(digest)).unwrap().manifest.digest;
        assert_eq!(elsewhere.find(&module, &manifest), None, "a manifest is no module");
        fs::write(root.join("blobs/sha256").join(digest.hex()), "damaged").unwrap();
        assert_eq!(elsewhere.find(&module, &digest), None, "it is asked for instead");
    }
}
