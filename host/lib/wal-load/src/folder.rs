//! A folder for the files of one session, inside the one that the host made for the process.

use bench_model::ModuleError;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder that is removed with its content when this is dropped. The host removes what a killed process leaves.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates a folder in `parent`. A process may have several sessions of one cell at once, each with its own folder.
    pub fn new(parent: &str) -> Result<Self, ModuleError> {
        for number in 0..1_000_u32 {
            let path = Path::new(parent).join(format!("log-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let reason = format!("cannot create a folder in `directory` {parent}: {error}; name another one");
                    return Err(ModuleError::Unavailable(reason));
                }
            }
        }
        Err(ModuleError::Other(format!("`directory` {parent} has a thousand logs already; name an empty one")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Refuses a folder in memory, where a sync does nothing and a figure would not be that of a disk.
    pub fn require_disk(&self) -> Result<(), ModuleError> {
        const TMPFS: i64 = 0x0102_1994;
        const RAMFS: i64 = 0x8584_58f6;
        let found = rustix::fs::statfs(&self.0).map(|found| found.f_type);
        match found {
            Ok(TMPFS | RAMFS) => Err(ModuleError::Unavailable(format!(
                "{} is in memory, so a sync does nothing there; name a folder on a disk: -p directory=PATH",
                self.0.display()
            ))),
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the host with its own folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_its_own_folder_and_removes_it() {
        let parent = tempfile::tempdir().unwrap();
        let name = parent.path().to_str().unwrap();
        let (first, second) = (Folder::new(name).unwrap(), Folder::new(name).unwrap());
        assert_ne!(first.path(), second.path());
        fs::write(first.path().join("file"), "x").unwrap();
        drop((first, second));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        let error = Folder::new("/nowhere/at/all").unwrap_err();
        assert!(error.is_environment() && error.to_string().contains("/nowhere/at/all"), "{error}");
    }

    #[test]
    fn folder_in_memory_is_refused_for_a_durable_log() {
        let Ok(folder) = Folder::new("/dev/shm") else { return };
        assert!(folder.require_disk().unwrap_err().is_environment());
    }
}
