//! Pulls a module into the store: its manifest, its files, and the probes and signatures that are attached to it.

use crate::error::RegistryError;
use crate::registry::{ReceivedManifest, Registry};
use module_store::{
    Descriptor, Digest, Manifest, Pulled, Reference, RemoteReference, Store, StoreError, StoredModule, media_type,
};

/// How a module is pulled.
#[derive(Clone, Copy, Debug, Default)]
pub struct PullOptions {
    /// Whether the tag may be one that is not a version, or mean another module than before.
    pub allows_moving: bool,
}

/// The largest file of a module.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The largest config, statement or signature.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// The largest number of probes and signatures of a module.
const ATTACHED_MAX: usize = 64;

/// The largest number of files of a manifest.
const LAYERS_MAX: usize = 8;

/// How often files are fetched that another process removes.
const ATTEMPTS_MAX: u32 = 3;

/// The module that the store has for `remote`, if its files are intact. No registry needs to be asked for it, because a digest and a version
/// do not change; any other tag may have moved, so for one there is no answer.
pub fn held(store: &Store, remote: &RemoteReference) -> Option<StoredModule> {
    if remote.digest.is_none() && !is_version(remote) {
        return None;
    }
    let module = store.find(&Reference::Remote(remote.clone())).ok()?;
    store.is_intact(&module).then_some(module)
}

/// Pulls `remote`, and enters it into the store. Files that the store has are not fetched again.
pub fn pull(
    registry: &Registry,
    store: &Store,
    remote: &RemoteReference,
    options: PullOptions,
) -> Result<StoredModule, RegistryError> {
    let name = remote.module_name();
    if remote.digest.is_none() && name.is_none() && !options.allows_moving && !is_version(remote) {
        return Err(RegistryError::Moving(remote.to_string()));
    }
    let received = receive(registry, remote)?;
    if !options.allows_moving {
        ensure_same(store, remote, received.digest)?;
    }
    let manifest = parse(&remote.to_string(), &received.bytes)?;
    let is_module = [media_type::WASM, media_type::PROBE_LAYER].iter().any(|kind| manifest.layer(kind).is_some());
    if !is_module {
        let reason = "its manifest has neither a layer application/wasm nor a probe".to_owned();
        return Err(RegistryError::NotAModule { what: remote.to_string(), reason });
    }
    let enter = || -> Result<StoredModule, RegistryError> {
        let subject = keep(registry, store, &remote.repository, &received, &manifest)?;
        let mut attached = Vec::new();
        for entry in attached_to(registry, &remote.repository, &subject.digest)? {
            attached.extend(keep_attached(registry, store, &remote.repository, &subject, &entry)?);
        }
        Ok(store.enter(&Pulled { manifest: subject, attached, source: remote.source(), name: name.clone() })?)
    };
    for _ in 1..ATTEMPTS_MAX {
        match enter() {
            // Another process has removed a module, and with it what this one had fetched.
            Err(RegistryError::Store(error)) if error.is_missing() => {}
            entered => return entered,
        }
    }
    enter()
}

fn is_version(remote: &RemoteReference) -> bool {
    // A name of two parts is not needed to tell a version.
    let named = RemoteReference { repository: "a/a".to_owned(), ..remote.clone() };
    named.module_name().is_some()
}

fn receive(registry: &Registry, remote: &RemoteReference) -> Result<ReceivedManifest, RegistryError> {
    let reference = match (&remote.digest, &remote.tag) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => tag.clone().unwrap_or_default(),
    };
    registry.manifest(&remote.repository, &reference)?.ok_or_else(|| RegistryError::NotFound {
        reference: remote.to_string(),
        tags: registry.tags(&remote.repository),
    })
}

/// An error if the tag was pulled before and was another module.
fn ensure_same(store: &Store, remote: &RemoteReference, found: Digest) -> Result<(), RegistryError> {
    let tagged = Reference::Remote(RemoteReference { digest: None, ..remote.clone() });
    match store.find(&tagged) {
        Ok(known) if remote.tag.is_some() && known.manifest.digest != found => {
            Err(RegistryError::Moved { reference: remote.source(), known: known.manifest.digest, found })
        }
        _ => Ok(()),
    }
}

fn parse(what: &str, bytes: &[u8]) -> Result<Manifest, RegistryError> {
    let not_a_module = |reason: String| RegistryError::NotAModule { what: what.to_owned(), reason };
    let manifest: Manifest = serde_json::from_slice(bytes)
        .map_err(|error| not_a_module(format!("not the manifest of a module, but another document: {error}")))?;
    if manifest.layers.len() > LAYERS_MAX {
        return Err(not_a_module(format!(
            "its manifest has {} files, and a module at most {LAYERS_MAX}",
            manifest.layers.len()
        )));
    }
    let files = std::iter::once((&manifest.config, DOCUMENT_BYTES_MAX));
    let files = files.chain(manifest.layers.iter().map(|layer| (layer, FILE_BYTES_MAX)));
    for (file, bytes_max) in files {
        if file.size > bytes_max {
            return Err(not_a_module(format!("a file of it has {} bytes, and may have {bytes_max}", file.size)));
        }
    }
    Ok(manifest)
}

/// Fetches the files of a manifest into the store, and then the manifest.
fn keep(
    registry: &Registry,
    store: &Store,
    repository: &str,
    received: &ReceivedManifest,
    manifest: &Manifest,
) -> Result<Descriptor, RegistryError> {
    for blob in manifest.files() {
        let kept = store.put_blob(blob, |writer| registry.blob(repository, blob, writer));
        kept.map_err(|error| match error {
            RegistryError::Store(StoreError::Damaged { wanted, found: Some(found), .. }) => {
                RegistryError::WrongDigest { host: registry.host().to_owned(), wanted, found }
            }
            other => other,
        })?;
    }
    let descriptor = Descriptor::of_bytes(media_type::MANIFEST, &received.bytes);
    store.put_blob(&descriptor, |writer| writer.write_all(&received.bytes).map_err(RegistryError::Write))?;
    Ok(descriptor)
}

/// The probes and signatures that the registry says are attached to `subject`.
fn attached_to(registry: &Registry, repository: &str, subject: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
    let mut listed = registry.referrers(repository, subject)?;
    // The fallback list says the type of the artifact, and so does the API; others' artifacts are not for us.
    listed.retain(|entry| entry.artifact_type.as_deref().is_none_or(is_ours));
    listed.truncate(ATTACHED_MAX);
    Ok(listed)
}

fn is_ours(artifact_type: &str) -> bool {
    [media_type::PROBE, media_type::SIGNATURE].contains(&artifact_type)
}

/// Fetches a manifest that is attached to `subject`; `None` if it is gone, or is something else.
fn keep_attached(
    registry: &Registry,
    store: &Store,
    repository: &str,
    subject: &Descriptor,
    entry: &Descriptor,
) -> Result<Option<Descriptor>, RegistryError> {
    let Some(received) = registry.manifest(repository, &entry.digest.to_string())? else { return Ok(None) };
    let manifest = parse(&format!("what is attached as {}", entry.digest), &received.bytes)?;
    let is_attached = manifest.subject.as_ref().is_some_and(|found| found.digest == subject.digest);
    if !is_attached || !manifest.artifact_type.as_deref().is_some_and(is_ours) {
        return Ok(None);
    }
    let descriptor = keep(registry, store, repository, &received, &manifest)?;
    Ok(Some(Descriptor { artifact_type: manifest.artifact_type.clone(), ..descriptor }))
}
