//! Folders for the sessions of the module `self`.

use bench_model::ModuleError;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of this user alone, which is removed on drop.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self, ModuleError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bench-host-self-{}-{number}", std::process::id()));
        let unavailable = |error: io::Error| ModuleError::Unavailable(format!("{}: {error}", path.display()));
        DirBuilder::new().mode(0o700).create(&path).map_err(unavailable)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
