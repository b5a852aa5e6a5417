//! Files of stored modules under names that loaders understand: hard links to the blobs, whose digests are checked at each use.

use crate::digest::Digest;
use crate::error::StoreError;
use crate::layout::{is_own, verify_file};
use crate::module::{Native, StoredModule};
use crate::oci::annotation;
use crate::store::Store;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the links in a store.
pub(crate) const FOLDER: &str = "files";

impl Store {
    /// The path of the module's component, with the probe `native` next to it if one is given, or of the probe alone if there is no
    /// component. Both digests are checked.
    pub fn check_out(&self, module: &StoredModule, native: Option<&Native>) -> Result<PathBuf, StoreError> {
        // One folder with the probe and one without, because a loader takes a probe that lies next to a component.
        let kind = if native.is_some() { "native" } else { "component" };
        let folder = self.layout.folder(&format!("{FOLDER}/{}/{kind}", module.manifest.digest.hex()))?;
        // A loader opens the file by its name, after it was checked.
        is_own(&folder)?;
        let name = module.file_name();
        let component = module.component.as_ref().map(|file| (file, folder.join(format!("{name}.wasm"))));
        let extension = std::env::consts::DLL_EXTENSION;
        let probe = native.map(|native| (&native.file, folder.join(format!("{name}.{extension}"))));
        for (file, path) in component.iter().chain(&probe) {
            self.link(&file.digest, path)?;
        }
        let paths = component.or(probe).map(|(_, path)| path);
        paths.ok_or(StoreError::NoModule(module.manifest.digest, "it has no component"))
    }

    fn link(&self, digest: &Digest, path: &Path) -> Result<(), StoreError> {
        if verify_file(path, digest).is_ok() {
            return Ok(());
        }
        let blob = self.blob(digest)?;
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        // The link is to a blob that was damaged, and has been stored again since.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        match fs::hard_link(blob, path) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => verify_file(path, digest),
            made => made.map_err(io),
        }
    }
}

impl StoredModule {
    /// A name for its files, which a component that does not describe itself is called by.
    fn file_name(&self) -> String {
        let title = || self.files().next().and_then(|file| file.annotation(annotation::TITLE));
        let name = self.name.as_ref().map(|name| name.name.as_str()).or_else(|| title().map(stem));
        name.filter(|name| is_plain(name)).unwrap_or("module").to_owned()
    }
}

fn stem(title: &str) -> &str {
    title.rsplit_once('.').map_or(title, |(stem, _)| stem)
}

/// Whether `text` can be the name of a file: a title comes from the author of the module.
fn is_plain(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    !text.is_empty() && text.len() <= 100 && text.chars().all(is_letter)
}
