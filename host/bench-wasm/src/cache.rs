//! The cache of compiled code, so that a component is compiled once and then mapped. Mapped code is trusted, so only this user may be
//! able to write to the folder.

use crate::error::one_line;
use own_files::Exposure;
use std::collections::hash_map::DefaultHasher;
use std::fs::DirBuilder;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

/// A folder of compiled code that only this user can write to.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

/// The reason why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Other users could put code there that would be executed.
    #[error("{exposure}, so code in {} cannot be trusted; run `chmod go-w` on it, or set XDG_CACHE_HOME to a folder of yours", directory.display())]
    Untrusted {
        /// The folder of the cache.
        directory: PathBuf,
        /// What others can write to.
        exposure: Exposure,
    },
    /// It cannot be created or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The engine refuses what it has just written.
    #[error("{}: the engine refuses it: {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

impl Cache {
    /// Opens `directory`, which is created if it does not exist, and refused if other users can write to it or to a folder above it.
    pub fn open(directory: &Path) -> Result<Self, CacheError> {
        let io = |source| CacheError::Io { path: directory.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
        let directory = directory.to_owned();
        match own_files::ensure_private(&directory) {
            Ok(()) => Ok(Self { directory }),
            Err(Exposure::Io { path, source }) => Err(CacheError::Io { path, source }),
            Err(exposure) => Err(CacheError::Untrusted { directory, exposure }),
        }
    }

    /// The cached code of the module `sha256`, if there is any that this engine can run.
    pub(crate) fn map(&self, engine: &Engine, sha256: &str) -> Option<Component> {
        let path = self.path(engine, sha256);
        // The folder may have been open to others before.
        own_files::open_own(&path).ok()?;
        deserialize(engine, &path).ok()
    }

    /// Stores `code` for the module `sha256`, and maps it.
    pub(crate) fn keep(&self, engine: &Engine, sha256: &str, code: &[u8]) -> Result<Component, CacheError> {
        let path = self.path(engine, sha256);
        let io = |source| CacheError::Io { path: path.clone(), source };
        // The file appears complete under its name, because another worker may map it at this moment.
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(io)?;
        file.write_all(code).map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        deserialize(engine, &path).map_err(|error| CacheError::Refused { path, reason: one_line(&error) })
    }

    /// The bytes of the file `name` that [`write`](Self::write) has stored, if it exists.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        own_files::open_own(&self.directory.join(name)).ok()?.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Stores `bytes` as the file `name`, completely or not at all.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CacheError> {
        let path = self.directory.join(name);
        let io = |source| CacheError::Io { path: path.clone(), source };
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(io)?;
        file.write_all(bytes).map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        Ok(())
    }

    /// One file per module and engine: the hash includes the version and settings of the engine.
    fn path(&self, engine: &Engine, sha256: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.directory.join(format!("{sha256}-{:016x}.cwasm", hasher.finish()))
    }
}

#[expect(unsafe_code, reason = "mapping compiled code is the one thing here that the compiler cannot check")]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is code that an engine of this version and these settings has compiled: `Cache::open` refuses a folder that other
    // users can write to, `Cache::map` a file of another user, and only `Cache::keep` writes there.
    unsafe { Component::deserialize_file(engine, path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("code");
        Cache::open(&directory).unwrap();
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
        for mode in [0o770, 0o702, 0o777] {
            fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Cache::open(&directory), Err(CacheError::Untrusted { .. })), "{mode:o}");
        }
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::open(&directory).expect_err("somebody else could rename it").to_string();
        assert!(error.starts_with(&format!("{}: other users can write to it", folder.path().display())), "{error}");
    }

    #[test]
    fn code_that_another_user_could_have_placed_is_not_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("code")).unwrap();
        let engine = Engine::default();
        let code = engine.precompile_component(&wat::parse_str("(component)").unwrap()).unwrap();
        cache.keep(&engine, "digest", &code).unwrap();
        let path = cache.path(&engine, "digest");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(cache.map(&engine, "digest").is_none(), "others can write to the file");
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(cache.map(&engine, "digest").is_none(), "a link");
        fs::remove_file(&path).unwrap();
        fs::hard_link(&elsewhere, &path).unwrap();
        assert!(cache.map(&engine, "digest").is_none(), "a second name of the file");
        cache.keep(&engine, "digest", &code).unwrap();
        assert!(cache.map(&engine, "digest").is_some(), "what is kept replaces it");
    }

    #[test]
    fn reader_finds_the_old_file_or_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("code")).unwrap();
        let contents = [vec![b'a'; 1 << 16], vec![b'b'; 1 << 15]];
        cache.write("name", &contents[0]).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..100).for_each(|turn| cache.write("name", &contents[turn % 2]).unwrap()));
            while !writer.is_finished() {
                let found = cache.read("name").expect("it is there all the time");
                assert!(contents.contains(&found), "{} bytes are neither", found.len());
            }
        });
    }

    #[test]
    fn cached_code_is_mapped_and_damaged_code_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("code")).unwrap();
        let engine = Engine::default();
        assert!(cache.map(&engine, "digest").is_none());
        let code = engine.precompile_component(&wat::parse_str("(component)").unwrap()).unwrap();
        cache.keep(&engine, "digest", &code).unwrap();
        assert!(cache.map(&engine, "digest").is_some());
        let other = Engine::new(wasmtime::Config::new().consume_fuel(true)).unwrap();
        assert!(cache.map(&other, "digest").is_none(), "code for other settings is in another file");
        fs::write(cache.path(&engine, "digest"), b"garbage").unwrap();
        assert!(cache.map(&engine, "digest").is_none());
    }
}
