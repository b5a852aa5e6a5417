//! What is damaged in a store: files, the documents about them, and signatures. A signature that cannot be read counts for nothing where modules
//! are used, so it is reported here.

use crate::error::StoreError;
use crate::minisign::{MinisignError, Signature};
use crate::module::{Damage, StoredModule, StoredSignature};
use crate::oci::{Descriptor, Index, Manifest, annotation, media_type};
use crate::store::{Store, entry_shown, is_module, plain};

impl Store {
    /// Checks the digest of every file of the modules that `is_asked` selects, and of the documents about them, and whether their signatures
    /// can be read.
    pub fn verify(&self, is_asked: impl Fn(&StoredModule) -> bool) -> Result<Vec<Damage>, StoreError> {
        let index = self.layout.index()?;
        let mut damaged = Vec::new();
        for entry in index.manifests.iter().filter(|entry| is_module(entry)) {
            let module = match self.module(&index, entry) {
                Ok(module) if is_asked(&module) => module,
                Ok(_) => continue,
                // What cannot be read cannot be selected either.
                Err(error) => {
                    damaged.push(Damage { module: entry_shown(entry), error });
                    continue;
                }
            };
            let errors = self.damage_of(&index, &module)?.into_iter();
            damaged.extend(errors.map(|error| Damage { module: module.shown(), error }));
        }
        // Only its manifest says to which module such an entry belongs.
        let is_untold = |entry: &&Descriptor| !is_module(entry) && entry.annotation(annotation::SUBJECT).is_none();
        let unreadable = |entry: &Descriptor| {
            let error = self.manifest(entry).err()?;
            Some(Damage { module: entry_shown(entry), error })
        };
        damaged.extend(index.manifests.iter().filter(is_untold).filter_map(unreadable));
        Ok(damaged)
    }

    /// Whether all files of the module, and the documents about them, have their digests. What they say may still be malformed: getting them
    /// again would change nothing.
    pub fn is_intact(&self, module: &StoredModule) -> bool {
        let damaged = self.layout.index().and_then(|index| self.damage_of(&index, module));
        damaged.is_ok_and(|damaged| damaged.iter().all(|error| matches!(error, StoreError::Malformed { .. })))
    }

    /// What is wrong with the blobs of the module, and with what is attached to it.
    fn damage_of(&self, index: &Index, module: &StoredModule) -> Result<Vec<StoreError>, StoreError> {
        let subject = module.manifest.digest;
        let told = subject.to_string();
        let is_its = |entry: &&Descriptor| entry.annotation(annotation::SUBJECT) == Some(told.as_str());
        let unreadable = index.manifests.iter().filter(is_its).filter_map(|entry| self.manifest(entry).err());
        let mut damaged: Vec<StoreError> = unreadable.collect();
        damaged.extend(self.damaged_files(&self.manifest(&module.manifest)?));
        for (entry, manifest) in self.attached(index, &subject) {
            let files = self.damaged_files(&manifest);
            // What is wrong with its files is what is wrong with a signature.
            let signature = if files.is_empty() { self.signature(entry, &manifest).err() } else { None };
            damaged.extend(files.into_iter().chain(signature));
        }
        Ok(damaged)
    }

    /// The files of a manifest that have another digest, or are missing.
    fn damaged_files(&self, manifest: &Manifest) -> Vec<StoreError> {
        manifest.files().filter_map(|file| self.layout.verify(&file.digest).err()).collect()
    }

    /// The signature that `manifest` holds, if it is of one; an error if that cannot be read.
    pub(crate) fn signature(
        &self,
        descriptor: &Descriptor,
        manifest: &Manifest,
    ) -> Result<Option<StoredSignature>, StoreError> {
        let is_signature = manifest.artifact_type.as_deref() == Some(media_type::SIGNATURE);
        if !is_signature && manifest.layer(media_type::MINISIGN_LAYER).is_none() {
            return Ok(None);
        }
        let malformed = |of: &Descriptor, reason: String| StoreError::Malformed {
            path: self.layout.blob(&of.digest),
            reason: format!("a signature that cannot be read: {reason}"),
        };
        let text = |kind: &str| {
            let layer = manifest.layer(kind);
            let layer = layer.ok_or_else(|| malformed(descriptor, format!("it needs one layer {kind}")))?;
            let bytes = self.layout.document(layer)?;
            String::from_utf8(bytes).map_err(|_| malformed(layer, "it is not a text".to_owned()))
        };
        let statement = text(media_type::STATEMENT_LAYER)?;
        let signature = text(media_type::MINISIGN_LAYER)?.parse::<Signature>();
        let signature = signature.map_err(|error: MinisignError| malformed(descriptor, error.to_string()))?;
        Ok(Some(StoredSignature { manifest: plain(descriptor), statement, signature }))
    }
}
