//! The modules of a store: what an image layout says of them, and how they are added, found, checked and removed.

use crate::digest::Digest;
use crate::error::StoreError;
use crate::layout::{Layout, PutError};
use crate::minisign::Signature;
use crate::module::{Damage, Native, NewModule, Pulled, StoredModule, platform};
use crate::oci::{Descriptor, Index, Manifest, annotation, media_type};
use crate::reference::{ModuleName, Reference};
use crate::statement::Statement;
use crate::wasm;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The modules of a user.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) layout: Layout,
}

impl Store {
    /// Opens the store in `root`, which is created if it does not exist, and refused if other users can write to it.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Ok(Self { layout: Layout::open(root)? })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Adds a module, or a probe to a module that has the same component. Adding the same files again changes nothing.
    pub fn add(&self, new: &NewModule<'_>) -> Result<StoredModule, StoreError> {
        let lock = self.layout.lock()?;
        let mut index = self.layout.index()?;
        let component = new.component.map(|path| self.put_component(path, new)).transpose()?;
        let probe = new.native.map(|path| self.put_probe(path, new, component.as_ref())).transpose()?;
        let (mut named, attached) = match (component, probe) {
            (Some(component), probe) => (component, probe),
            (None, Some(probe)) => (probe, None),
            (None, None) => {
                let reason = "no file was given".to_owned();
                return Err(StoreError::NotAModule { path: PathBuf::from(new.name.to_string()), reason });
            }
        };
        let name = new.name.to_string();
        named = named.annotated(annotation::REF_NAME, &name);
        let has_name = |entry: &&Descriptor| entry.annotation(annotation::REF_NAME) == Some(name.as_str());
        match index.manifests.iter().find(has_name) {
            Some(known) if known.digest != named.digest => {
                return Err(StoreError::NameTaken { name: Box::new(new.name.clone()), digest: known.digest });
            }
            Some(_) => {}
            None => index.manifests.push(named.clone()),
        }
        if let Some(probe) = attached {
            // A probe that was signed or trusted is not replaced, and a second one would never run.
            let module = self.module(&index, &named)?;
            if let Some(known) = module.natives_here().find(|known| known.manifest.digest != probe.digest) {
                return Err(StoreError::NameTaken { name: Box::new(new.name.clone()), digest: known.file.digest });
            }
            insert_all(&mut index, [attached_entry(&probe, &named.digest)]);
        }
        self.layout.write_index(&index, &lock)?;
        drop(lock);
        // The same manifest may have other names.
        self.find(&Reference::Name(new.name.clone()))
    }

    /// Stores the component at `path` and a manifest for it.
    fn put_component(&self, path: &Path, new: &NewModule<'_>) -> Result<Descriptor, StoreError> {
        let bytes = read_module(path)?;
        let config = wasm::config(&bytes).map_err(|reason| StoreError::NotAModule { path: path.to_owned(), reason })?;
        let config = self.layout.put(media_type::WASM_CONFIG, &config)?;
        let layer = self.layout.put(media_type::WASM, &bytes)?;
        let layer = layer.annotated(annotation::TITLE, format!("{}.wasm", new.name.name));
        let mut manifest = Manifest::new(None, config, vec![layer]);
        manifest.annotations.clone_from(&new.annotations);
        manifest.annotations.insert(annotation::VERSION.to_owned(), new.name.version.to_string());
        self.layout.put(media_type::MANIFEST, &manifest.to_bytes())
    }

    /// Stores the probe at `path` and a manifest for it, attached to that of the component if there is one.
    fn put_probe(
        &self,
        path: &Path,
        new: &NewModule<'_>,
        component: Option<&Descriptor>,
    ) -> Result<Descriptor, StoreError> {
        let bytes = read_module(path)?;
        let is_library = bytes.starts_with(b"\x7fELF") || bytes.starts_with(&[0xcf, 0xfa, 0xed, 0xfe]);
        if !is_library {
            let reason = "not a dynamic library of this system".to_owned();
            return Err(StoreError::NotAModule { path: path.to_owned(), reason });
        }
        let layer = self.layout.put(media_type::PROBE_LAYER, &bytes)?;
        let title = format!("{}.{}", new.name.name, std::env::consts::DLL_EXTENSION);
        let layer = layer.annotated(annotation::TITLE, title);
        let config = self.layout.put(media_type::EMPTY, b"{}")?;
        let mut manifest = Manifest::new(Some(media_type::PROBE), config, vec![layer]);
        manifest.subject = component.cloned();
        manifest.annotations = BTreeMap::from([
            (annotation::PLATFORM.to_owned(), platform()),
            (annotation::ARM.to_owned(), "native".to_owned()),
        ]);
        let descriptor = self.layout.put(media_type::MANIFEST, &manifest.to_bytes())?;
        Ok(Descriptor { artifact_type: Some(media_type::PROBE.to_owned()), ..descriptor })
    }

    /// Attaches a signature to the module. The caller has verified it.
    pub fn attach_signature(
        &self,
        module: &StoredModule,
        statement: &str,
        signature: &Signature,
    ) -> Result<(), StoreError> {
        let stated: Statement = statement.parse()?;
        let wanted = module.statement()?;
        if stated != wanted {
            return Err(StoreError::OtherStatement(wanted.name));
        }
        let lock = self.layout.lock()?;
        let mut index = self.layout.index()?;
        let statement = self.layout.put(media_type::STATEMENT_LAYER, statement.as_bytes())?;
        let signature = self.layout.put(media_type::MINISIGN_LAYER, signature.to_string().as_bytes())?;
        let config = self.layout.put(media_type::EMPTY, b"{}")?;
        let mut manifest = Manifest::new(Some(media_type::SIGNATURE), config, vec![statement, signature]);
        manifest.subject = Some(plain(&module.manifest));
        let descriptor = self.layout.put(media_type::MANIFEST, &manifest.to_bytes())?;
        let descriptor = Descriptor { artifact_type: Some(media_type::SIGNATURE.to_owned()), ..descriptor };
        insert_all(&mut index, [attached_entry(&descriptor, &module.manifest.digest)]);
        self.layout.write_index(&index, &lock)
    }

    /// All modules, sorted by name, and those whose documents are damaged.
    pub fn modules(&self) -> Result<(Vec<StoredModule>, Vec<Damage>), StoreError> {
        let index = self.layout.index()?;
        let (mut modules, mut damaged) = (Vec::new(), Vec::new());
        for entry in index.manifests.iter().filter(|entry| is_module(entry)) {
            match self.module(&index, entry) {
                Ok(module) => modules.push(module),
                Err(error) => damaged.push(Damage { module: entry_shown(entry), error }),
            }
        }
        modules.sort_by_key(|module| (module.name.clone(), module.shown()));
        Ok((modules, damaged))
    }

    /// The module that `reference` names.
    pub fn find(&self, reference: &Reference) -> Result<StoredModule, StoreError> {
        let index = self.layout.index()?;
        if let Some(entry) = index.manifests.iter().find(|entry| is_module(entry) && is_named(entry, reference)) {
            return self.module(&index, entry);
        }
        let (modules, _) = self.modules()?;
        let is_it = |module: &&StoredModule| match reference {
            Reference::Digest(digest) => module.files().any(|file| file.digest == *digest),
            _ => false,
        };
        modules.iter().find(is_it).cloned().ok_or_else(|| unknown(reference, &modules))
    }

    fn by_manifest(&self, digest: &Digest) -> Result<StoredModule, StoreError> {
        self.find(&Reference::Digest(*digest))
    }

    /// Whether the store has the blob, intact.
    pub fn has(&self, digest: &Digest) -> bool {
        self.layout.verify(digest).is_ok()
    }

    /// The bytes of a document: a manifest, a config, a statement or a signature.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        self.layout.document(descriptor)
    }

    /// The path of a blob whose digest was checked.
    pub fn blob(&self, digest: &Digest) -> Result<PathBuf, StoreError> {
        self.layout.verify(digest)?;
        Ok(self.layout.blob(digest))
    }

    /// The manifest that `descriptor` is of.
    pub fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, StoreError> {
        let bytes = self.layout.document(descriptor)?;
        serde_json::from_slice(&bytes).map_err(|error| StoreError::Malformed {
            path: self.layout.blob(&descriptor.digest),
            reason: error.to_string(),
        })
    }

    /// Stores what `write` writes, if it has the digest and the size of `descriptor`. Nothing is written if the blob is there.
    pub fn put_blob<E: From<StoreError>>(
        &self,
        descriptor: &Descriptor,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        self.layout.put_with(descriptor, write).map_err(|error| match error {
            PutError::Store(error) => error.into(),
            PutError::Source(error) => error,
        })
    }

    /// Enters a module whose blobs are stored. If another module has its name, it gets none. An error if a blob is missing: as long as no
    /// module names it, another process may remove it ([`StoreError::is_missing`]).
    pub fn enter(&self, pulled: &Pulled) -> Result<StoredModule, StoreError> {
        let lock = self.layout.lock()?;
        for manifest in std::iter::once(&pulled.manifest).chain(&pulled.attached) {
            self.layout.is_there(&manifest.digest)?;
            for file in self.manifest(manifest)?.files() {
                self.layout.is_there(&file.digest)?;
            }
        }
        let mut index = self.layout.index()?;
        let name = pulled.name.as_ref().map(ToString::to_string);
        let is_free = |name: &String| {
            let mut entries = index.manifests.iter();
            entries.all(|entry| {
                entry.annotation(annotation::REF_NAME) != Some(name.as_str()) || entry.digest == pulled.manifest.digest
            })
        };
        let mut entry = plain(&pulled.manifest).annotated(annotation::PULLED_FROM, &pulled.source);
        if let Some(name) = name.filter(is_free) {
            entry = entry.annotated(annotation::REF_NAME, name);
        }
        if let Some(kind) = &self.manifest(&pulled.manifest)?.artifact_type {
            entry.artifact_type = Some(kind.clone());
        }
        // The source has moved if it was of another module.
        for known in &mut index.manifests {
            if known.annotation(annotation::PULLED_FROM) == Some(pulled.source.as_str()) {
                known.annotations.remove(annotation::PULLED_FROM);
            }
        }
        // A name that the module has stays, and it gets another one beside it.
        let name = entry.annotation(annotation::REF_NAME).map(str::to_owned);
        let may_be = |known: Option<&str>| known.is_none() || name.is_none() || known == name.as_deref();
        let is_it = |known: &Descriptor| known.digest == entry.digest && may_be(known.annotation(annotation::REF_NAME));
        match index.manifests.iter().position(is_it) {
            Some(place) => {
                let known = &mut index.manifests[place];
                // An address with a tag is worth more than one without.
                if !has_tag(&pulled.source) && known.annotation(annotation::PULLED_FROM).is_some() {
                    entry.annotations.remove(annotation::PULLED_FROM);
                }
                known.annotations.append(&mut entry.annotations);
            }
            None => index.manifests.push(entry),
        }
        let subject = pulled.manifest.digest;
        insert_all(&mut index, pulled.attached.iter().map(|attached| attached_entry(attached, &subject)));
        self.layout.write_index(&index, &lock)?;
        drop(lock);
        match &pulled.name {
            Some(wanted) if name.is_some() => self.find(&Reference::Name(wanted.clone())),
            _ => self.by_manifest(&pulled.manifest.digest),
        }
    }

    /// Removes the module that `reference` names, and the blobs that no other module has. Under other names that it has, it stays. Returns how
    /// it was shown.
    pub fn remove(&self, reference: &Reference) -> Result<String, StoreError> {
        let lock = self.layout.lock()?;
        let mut index = self.layout.index()?;
        // A damaged module must be removable, so only the index is read if possible.
        let named = index.manifests.iter().find(|entry| is_module(entry) && is_named(entry, reference));
        let entry = match named {
            Some(entry) => entry.clone(),
            None => self.find(reference)?.manifest,
        };
        let is_digest = match reference {
            Reference::Name(_) => false,
            Reference::Digest(_) => true,
            Reference::Remote(remote) => remote.digest.is_some(),
        };
        let has_name =
            |other: &Descriptor| other.annotation(annotation::REF_NAME) == entry.annotation(annotation::REF_NAME);
        let is_also = |other: &Descriptor| other.digest == entry.digest && !has_name(other);
        if !is_digest && index.manifests.iter().any(is_also) {
            index.manifests.retain(|other| other.digest != entry.digest || is_also(other));
            self.layout.write_index(&index, &lock)?;
            return Ok(entry_shown(&entry));
        }
        let attached: BTreeSet<Digest> = self.attached(&index, &entry.digest).map(|(found, _)| found.digest).collect();
        // Also those that cannot be read any more.
        let subject = entry.digest.to_string();
        let is_its = |other: &Descriptor| {
            attached.contains(&other.digest) || other.annotation(annotation::SUBJECT) == Some(subject.as_str())
        };
        index.manifests.retain(|other| other.digest != entry.digest && !is_its(other));
        self.layout.write_index(&index, &lock)?;
        self.remove_unused(&index)?;
        let files = self.root().join(crate::check_out::FOLDER).join(entry.digest.hex());
        match fs::remove_dir_all(&files) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Io { path: files, source }),
            _ => Ok(entry_shown(&entry)),
        }
    }

    /// Removes the blobs that no manifest of `index` names. If a manifest cannot be read, all are kept, because its blobs are unknown.
    fn remove_unused(&self, index: &Index) -> Result<(), StoreError> {
        let mut used = BTreeSet::new();
        for entry in &index.manifests {
            let Ok(manifest) = self.manifest(entry) else { return Ok(()) };
            used.insert(entry.digest.hex());
            used.extend(manifest.files().map(|file| file.digest.hex()));
        }
        let folder = self.layout.folder("blobs/sha256")?;
        let io = |source| StoreError::Io { path: folder.clone(), source };
        for blob in fs::read_dir(&folder).map_err(io)? {
            let path = blob.map_err(io)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Others are being written at the moment, or were when a process was killed.
            let is_left = || name.starts_with(".tmp") && is_abandoned(&path);
            if (Digest::from_hex(&name).is_some() && !used.contains(&name)) || is_left() {
                fs::remove_file(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
            }
        }
        Ok(())
    }

    /// The entries of `index` that are attached to the manifest `subject`, and their manifests. Those that cannot be read are left out.
    pub(crate) fn attached<'a>(
        &self,
        index: &'a Index,
        subject: &Digest,
    ) -> impl Iterator<Item = (&'a Descriptor, Manifest)> {
        let subject = *subject;
        // Entries of other tools do not tell their subject, so their manifests are read.
        let is_attached = move |entry: &&Descriptor| {
            let told = entry.annotation(annotation::SUBJECT).and_then(|told| told.parse::<Digest>().ok());
            entry.artifact_type.is_some() && told.is_none_or(|told| told == subject)
        };
        let read = move |entry: &'a Descriptor| Some((entry, self.manifest(entry).ok()?));
        let is_its = move |(_, manifest): &(&Descriptor, Manifest)| {
            manifest.subject.as_ref().is_some_and(|found| found.digest == subject)
        };
        index.manifests.iter().filter(is_attached).filter_map(read).filter(is_its)
    }

    /// The module whose manifest is `entry`.
    pub(crate) fn module(&self, index: &Index, entry: &Descriptor) -> Result<StoredModule, StoreError> {
        let manifest = self.manifest(entry)?;
        let component = manifest.layer(media_type::WASM).cloned();
        let mut natives: Vec<Native> = native(entry, &manifest).into_iter().collect();
        let mut signatures = Vec::new();
        for (descriptor, attached) in self.attached(index, &entry.digest) {
            natives.extend(native(descriptor, &attached));
            // One that cannot be read counts for nothing; `verify` reports it.
            signatures.extend(self.signature(descriptor, &attached).ok().flatten());
        }
        if component.is_none() && natives.is_empty() {
            return Err(StoreError::NoModule(entry.digest, "it has neither a layer application/wasm nor a probe"));
        }
        natives.sort_by(|a, b| (&a.platform, a.file.digest).cmp(&(&b.platform, b.file.digest)));
        Ok(StoredModule {
            name: entry.annotation(annotation::REF_NAME).and_then(|name| name.parse().ok()),
            pulled_from: entry.annotation(annotation::PULLED_FROM).map(str::to_owned),
            manifest: plain(entry),
            component,
            natives,
            signatures,
        })
    }
}

/// The probe that `manifest` holds, if it is one.
fn native(descriptor: &Descriptor, manifest: &Manifest) -> Option<Native> {
    let file = manifest.layer(media_type::PROBE_LAYER)?.clone();
    let platform = manifest.annotations.get(annotation::PLATFORM).filter(|text| crate::statement::is_platform(text))?;
    Some(Native { platform: platform.clone(), manifest: plain(descriptor), file })
}

/// Whether an entry of the index is a module: a component, or a probe that has a name of its own.
pub(crate) fn is_module(entry: &Descriptor) -> bool {
    let has_name = [annotation::REF_NAME, annotation::PULLED_FROM].iter().any(|key| entry.annotation(key).is_some());
    entry.artifact_type.is_none() || has_name
}

/// Whether the index says that `reference` is this entry.
fn is_named(entry: &Descriptor, reference: &Reference) -> bool {
    match reference {
        Reference::Name(name) => entry.annotation(annotation::REF_NAME) == Some(name.to_string().as_str()),
        Reference::Digest(digest) => entry.digest == *digest,
        Reference::Remote(remote) => match remote.digest {
            Some(digest) => entry.digest == digest,
            None => entry.annotation(annotation::PULLED_FROM) == Some(remote.source().as_str()),
        },
    }
}

/// The entry of the index for a manifest that is attached to `subject`.
fn attached_entry(descriptor: &Descriptor, subject: &Digest) -> Descriptor {
    let artifact_type = descriptor.artifact_type.clone();
    Descriptor { artifact_type, ..plain(descriptor) }.annotated(annotation::SUBJECT, subject.to_string())
}

/// The descriptor without what only this store says of it.
pub(crate) fn plain(descriptor: &Descriptor) -> Descriptor {
    Descriptor::new(&descriptor.media_type, descriptor.digest, descriptor.size)
}

pub(crate) fn entry_shown(entry: &Descriptor) -> String {
    let name = [annotation::REF_NAME, annotation::PULLED_FROM].iter().find_map(|key| entry.annotation(key));
    name.map_or_else(|| entry.digest.to_string(), str::to_owned)
}

/// Whether an address ends with a tag; the port of a host is before the first slash.
fn has_tag(source: &str) -> bool {
    source.rsplit('/').next().is_some_and(|end| end.contains(':'))
}

/// Adds the entries that `index` does not have.
fn insert_all(index: &mut Index, entries: impl IntoIterator<Item = Descriptor>) {
    for entry in entries {
        if index.manifests.iter().all(|known| known.digest != entry.digest) {
            index.manifests.push(entry);
        }
    }
}

/// The bytes of a regular file: reading from a pipe may block forever.
fn read_module(path: &Path) -> Result<Vec<u8>, StoreError> {
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(StoreError::NotAModule { path: path.to_owned(), reason: "not a file".to_owned() });
    }
    fs::read(path).map_err(io)
}

/// Says that `reference` is not there, and what is.
fn unknown(reference: &Reference, modules: &[StoredModule]) -> StoreError {
    let next = match reference {
        Reference::Name(name) => {
            let is_other = |other: &&ModuleName| (&other.namespace, &other.name) == (&name.namespace, &name.name);
            let names = modules.iter().filter_map(|module| module.name.as_ref()).filter(is_other);
            let versions: Vec<_> = names.map(|other| other.version.to_string()).collect();
            if versions.is_empty() {
                format!(
                    "add it with `bench-host registry add {name} FILE`, or pull it with `bench-host registry pull oci://…`"
                )
            } else {
                format!("its versions there are {}", versions.join(", "))
            }
        }
        Reference::Digest(_) => "`bench-host registry list` shows what is".to_owned(),
        Reference::Remote(remote) => format!("fetch it with `bench-host registry pull {remote}`"),
    };
    StoreError::Unknown { reference: reference.to_string(), next }
}

/// After this time, a file that is being written is taken for one that a killed process has left.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

fn is_abandoned(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|since| since > ABANDONED)
}
