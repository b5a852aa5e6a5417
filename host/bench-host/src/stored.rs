//! Modules that are given by name, digest or address instead of a file. They are found in the user's store, and come with those native
//! arms that the user trusts. Files that are given by their paths are the user's own, and need no trust.

use crate::modules::{BUILTIN, Refused};
use crate::{output, paths};
use anyhow::Context;
use bench_drivers::{DirectoryGrant, Grants};
use bench_model::HostInterface;
use module_store::{Digest, Grant, Native, Policy, Reference, ReferenceError, Signer, Store, StoredModule, platform};
#[cfg(feature = "registry")]
use module_store::{Namespaces, RemoteReference, StoreError};
use std::path::{Path, PathBuf};

/// Added where a signature could have helped.
const UNCHECKED: &str = if cfg!(feature = "signatures") {
    ""
} else {
    " (this bench-host was built without the cargo feature `signatures`, so it checks none)"
};

/// The module that `reference` names. One that the store does not have is pulled if its address is given, or if the user has told `wkg` which
/// registry has its namespace.
fn find(store: &Store, reference: &Reference) -> anyhow::Result<StoredModule> {
    let found = store.find(reference);
    #[cfg(feature = "registry")]
    if let Err(StoreError::Unknown { .. }) = &found
        && let Some(address) = address(reference)?
    {
        return crate::commands::registry::remote::fetch(store, &address);
    }
    Ok(found?)
}

/// The address of a module in a registry, if it is known.
#[cfg(feature = "registry")]
fn address(reference: &Reference) -> anyhow::Result<Option<RemoteReference>> {
    let address = match reference {
        Reference::Remote(remote) => Some(remote.clone()),
        Reference::Name(name) => {
            let Some(settings) = paths::wkg_settings() else { return Ok(None) };
            let address = Namespaces::read(&settings)?.address(name).transpose();
            address.with_context(|| format!("{}: the registry of {name}", settings.display()))?
        }
        Reference::Digest(_) => None,
    };
    Ok(address)
}

/// What the user trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    policy: Policy,
}

impl Trust {
    /// Reads the user's policy.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let policy = paths::policy().map(|path| Policy::read(&path)).transpose()?;
        Ok(Self { policy: policy.unwrap_or_default() })
    }

    /// The trust that `policy` says.
    #[cfg(feature = "fleet")]
    pub(crate) fn of(policy: Policy) -> Self {
        Self { policy }
    }

    /// What the policy says.
    #[cfg(feature = "fleet")]
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the file with this digest is trusted, by the digest or by a key that signed it.
    #[cfg(feature = "fleet")]
    pub(crate) fn knows(&self, digest: &Digest) -> bool {
        self.policy.modules.contains_key(digest) || !self.signers(digest).is_empty()
    }

    /// The files that are `given`, in which references are replaced by the files that they are of; and the references that are of none.
    pub(crate) fn files(&self, given: &[PathBuf]) -> (Vec<PathBuf>, Vec<Refused>) {
        let (mut files, mut refused) = (Vec::new(), Vec::new());
        for file in given {
            match self.file(file) {
                Ok(found) => files.push(found),
                Err(error) => {
                    refused.push(Refused { file: file.clone(), sha256: None, reason: error.to_string() });
                }
            }
        }
        (files, refused)
    }

    fn file(&self, given: &Path) -> anyhow::Result<PathBuf> {
        let Some(reference) = reference(given) else { return Ok(given.to_owned()) };
        let reference = reference?;
        let store = open()?;
        let module = find(&store, &reference)?;
        let native = self.trusted_native(&module)?;
        Ok(store.check_out(&module, native)?)
    }

    /// The probe of the module for this machine, if it may run. An error if there is nothing else to run; else a message says why a probe
    /// is left out.
    fn trusted_native<'a>(&self, module: &'a StoredModule) -> anyhow::Result<Option<&'a Native>> {
        let shown = module.shown();
        let signers = self.policy.signers(module);
        // A probe that was added later does not stand in the way of one that is trusted.
        if let Some(native) = module.natives_here().find(|native| self.policy.allows_native(native, &signers)) {
            return Ok(Some(native));
        }
        let reason = match module.native() {
            Some(native) => {
                let digest = native.file.digest;
                format!(
                    "{shown}: its native code does not run, because neither {digest} nor a key that signed it is trusted with that{UNCHECKED}; \
                     trust it: bench-host registry trust {digest} --natives"
                )
            }
            None if module.natives.is_empty() => return Ok(None),
            None => {
                let platforms: Vec<_> = module.natives.iter().map(|native| native.platform.as_str()).collect();
                format!("{shown}: it has no native code for {}; it has some for {}", platform(), platforms.join(", "))
            }
        };
        anyhow::ensure!(module.component.is_some(), reason);
        output::line(&format!("bench-host: {reason}"));
        Ok(None)
    }

    /// What the user has granted the component with this digest, by the digest or by a key that signed it, and what is denied to it.
    pub(crate) fn grants(&self, sha256: &str) -> Grants {
        let digest = Digest::from_hex(sha256);
        let granted = digest.map(|digest| self.policy.grants(&digest, &self.signers(&digest))).unwrap_or_default();
        Grants { denied: self.policy.denied(&granted), ..to_grants(&granted) }
    }

    /// The interfaces of the host that components do not have unless they are granted.
    pub(crate) fn denied(&self) -> Vec<HostInterface> {
        self.policy.denied(&[])
    }

    /// The trusted keys that have signed the file. A store that cannot be read has no signatures.
    fn signers(&self, digest: &Digest) -> Vec<Signer> {
        if self.policy.keys.is_empty() || !paths::module_store().is_some_and(|folder| folder.is_dir()) {
            return Vec::new();
        }
        let modules = open().and_then(|store| Ok(store.modules()?.0)).unwrap_or_default();
        // Of several names of one file, only one may be signed.
        let with_file = modules.iter().filter(|module| module.files().any(|file| file.digest == *digest));
        let signers = with_file.flat_map(|module| self.policy.signers(module));
        // A key that signed the module need not have signed this file of it.
        signers.filter(|signer| signer.statement.has(digest)).collect()
    }
}

/// The same as a loader takes them.
pub(crate) fn to_grants(given: &[Grant]) -> Grants {
    let mut grants = Grants::default();
    given.iter().for_each(|grant| add(&mut grants, grant));
    grants
}

/// Adds `grant` to `grants`. A variable that is not set is granted in vain.
fn add(grants: &mut Grants, grant: &Grant) {
    match grant {
        Grant::Net(address) => grants.connections.push(address.clone()),
        Grant::Dir { host, guest, read_only } => grants.directories.push(DirectoryGrant {
            host: PathBuf::from(host),
            guest: guest.clone(),
            read_only: *read_only,
        }),
        Grant::Env(name) => {
            grants.environment.extend(std::env::var(name).ok().map(|value| (name.clone(), value)));
        }
        // It is there unless it is denied.
        Grant::Host(_) => {}
    }
}

/// Adds those of `more` that `grants` does not have.
pub(crate) fn merge(grants: &mut Grants, more: Grants) {
    fn extend<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
        for one in more {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    extend(&mut grants.directories, more.directories);
    extend(&mut grants.connections, more.connections);
    extend(&mut grants.environment, more.environment);
    extend(&mut grants.denied, more.denied);
}

/// The reference that a path is, if it is one and not the path of a file.
fn reference(path: &Path) -> Option<Result<Reference, ReferenceError>> {
    path.to_str().filter(|text| *text != BUILTIN).and_then(Reference::parse)
}

/// Whether a path is a reference and not the path of a file.
pub(crate) fn is_reference(path: &Path) -> bool {
    reference(path).is_some()
}

/// The user's store.
pub(crate) fn open() -> anyhow::Result<Store> {
    let folder = paths::module_store().context("the user's data folder is unknown; set HOME or XDG_DATA_HOME")?;
    Ok(Store::open(&folder)?)
}

/// Notes where modules can be fetched from, as far as the user's store knows that. One that cannot be read knows nothing.
#[cfg(feature = "fleet")]
pub(crate) fn add_addresses(modules: &mut [bench_fleet::ModuleDigest]) {
    let Some(folder) = paths::module_store().filter(|folder| folder.is_dir()) else { return };
    let known = Store::open(&folder).and_then(|store| Ok(store.modules()?.0)).unwrap_or_default();
    for module in modules {
        let Some(digest) = Digest::from_hex(&module.sha256) else { continue };
        let mut with_file = known.iter().filter(|known| known.files().any(|file| file.digest == digest));
        // The digest of the manifest is a part of the address, because a tag may move.
        let address = |known: &StoredModule| Some(format!("{}@{}", known.pulled_from.as_ref()?, known.manifest.digest));
        module.address = with_file.find_map(address);
    }
}

/// The file of the user's policy.
pub(crate) fn policy_path() -> anyhow::Result<PathBuf> {
    paths::policy().context("the user's folder of settings is unknown; set HOME or XDG_CONFIG_HOME")
}
