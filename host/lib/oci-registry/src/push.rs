//! Pushes a module of the store: its blobs, its manifest, and the probes and signatures that are attached to it.

use crate::error::RegistryError;
use crate::registry::{Registry, fallback_tag};
use module_store::{
    Descriptor, Digest, Index, Manifest, RemoteReference, Store, StoreError, StoredModule, annotation, media_type,
};
use std::fs;

/// How a module is pushed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushOptions {
    /// Whether a tag that exists may be made to mean this module.
    pub allows_moving: bool,
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The manifest.
    pub digest: Digest,
    /// How many blobs were uploaded; the others were there.
    pub uploaded: usize,
    /// How many probes and signatures are attached.
    pub attached: usize,
}

/// How often the list of what is attached is written again because another push has changed it meanwhile.
const TRIES: usize = 3;

/// Pushes `module` to `remote`, under its tag if it has one. The tag is written last, so that it never names half a module.
pub fn push(
    registry: &Registry,
    store: &Store,
    module: &StoredModule,
    remote: &RemoteReference,
    options: PushOptions,
) -> Result<Pushed, RegistryError> {
    let repository = remote.repository.as_str();
    let digest = module.manifest.digest;
    if let Some(tag) = remote.tag.as_deref().filter(|_| !options.allows_moving) {
        let there = registry.manifest(repository, tag)?.map(|there| there.digest);
        if let Some(found) = there.filter(|found| *found != digest) {
            return Err(RegistryError::TagTaken { reference: remote.source(), found });
        }
    }
    let mut pushed = Pushed { digest, uploaded: 0, attached: 0 };
    let bytes = push_files(registry, store, repository, &module.manifest, &mut pushed)?;
    registry.push_manifest(repository, &digest.to_string(), media_type::MANIFEST, bytes.clone())?;
    let signatures = module.signatures.iter().map(|signature| &signature.manifest);
    let natives = module.natives.iter().map(|native| &native.manifest);
    let mut unlisted = Vec::new();
    for descriptor in natives.chain(signatures).filter(|attached| attached.digest != digest) {
        let manifest = store.manifest(descriptor)?;
        let bytes = push_files(registry, store, repository, descriptor, &mut pushed)?;
        // A tag of its own, because a registry may remove manifests without one.
        let tag = attached_tag(&digest, descriptor, &manifest);
        let is_listed = registry.push_manifest(repository, &tag, media_type::MANIFEST, bytes)?;
        pushed.attached += 1;
        if !is_listed {
            let artifact_type = manifest.artifact_type.clone();
            unlisted.push(Descriptor { artifact_type, annotations: manifest.annotations, ..descriptor.clone() });
        }
    }
    if !unlisted.is_empty() {
        list(registry, repository, &digest, &unlisted)?;
    }
    if let Some(tag) = &remote.tag {
        registry.push_manifest(repository, tag, media_type::MANIFEST, bytes)?;
    }
    Ok(pushed)
}

/// Uploads the config and the layers of a manifest, and returns its bytes.
fn push_files(
    registry: &Registry,
    store: &Store,
    repository: &str,
    descriptor: &Descriptor,
    pushed: &mut Pushed,
) -> Result<Vec<u8>, RegistryError> {
    let Manifest { config, layers, .. } = store.manifest(descriptor)?;
    for blob in std::iter::once(&config).chain(&layers) {
        let path = store.blob(&blob.digest)?;
        let bytes = fs::read(&path).map_err(|source| StoreError::Io { path, source })?;
        pushed.uploaded += usize::from(registry.push_blob(repository, &blob.digest, bytes)?);
    }
    Ok(store.document(descriptor)?)
}

/// The tag of a manifest that is attached to `subject`.
fn attached_tag(subject: &Digest, descriptor: &Descriptor, manifest: &Manifest) -> String {
    let kind = match manifest.annotations.get(annotation::PLATFORM) {
        Some(platform) => platform.replace('/', "-"),
        None => format!("sig-{}", &descriptor.digest.hex()[..12]),
    };
    format!("{}.{kind}", fallback_tag(subject))
}

/// Enters manifests into the list of what is attached to `subject`, and looks whether they are there: another push may write the list
/// at the same time.
fn list(registry: &Registry, repository: &str, subject: &Digest, entries: &[Descriptor]) -> Result<(), RegistryError> {
    for _ in 0..TRIES {
        let mut index = Index { manifests: registry.fallback(repository, subject)?, ..Index::default() };
        let is_known =
            |index: &Index, entry: &Descriptor| index.manifests.iter().any(|known| known.digest == entry.digest);
        let missing: Vec<Descriptor> = entries.iter().filter(|entry| !is_known(&index, entry)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        index.manifests.extend(missing);
        let bytes = serde_json::to_vec(&index).expect("an index is JSON");
        registry.push_manifest(repository, &fallback_tag(subject), media_type::INDEX, bytes)?;
    }
    let listed = registry.fallback(repository, subject)?;
    if entries.iter().all(|entry| listed.iter().any(|known| known.digest == entry.digest)) {
        return Ok(());
    }
    Err(RegistryError::Broken {
        host: registry.host().to_owned(),
        reason: format!("the list {} is changed by others all the time", fallback_tag(subject)),
    })
}
