//! A folder for the files of one session, inside the one that the host made for the process.

use bench_model::ModuleError;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder that is removed with its content on drop. The host removes what a killed process leaves.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates a new folder in `parent`. A process may have several sessions of one cell at a time; each gets its own.
    pub fn new(parent: &str) -> Result<Self, ModuleError> {
        for number in 0..1_000_u32 {
            let path = Path::new(parent).join(format!("log-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let reason =
                        format!("cannot create a folder in `directory` {parent}: {error}; give another directory");
                    return Err(ModuleError::Unavailable(reason));
                }
            }
        }
        Err(ModuleError::Other(format!("`directory` {parent} has 1000 logs already; give an empty directory")))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Fails if the folder is in memory (tmpfs, ramfs), where a sync does nothing and its time would not be that of a disk.
    pub fn require_disk(&self) -> Result<(), ModuleError> {
        const TMPFS: i64 = 0x0102_1994;
        const RAMFS: i64 = 0x8584_58f6;
        let found = rustix::fs::statfs(&self.0).map(|found| found.f_type);
        match found {
            Ok(TMPFS | RAMFS) => Err(ModuleError::Unavailable(format!(
                "{} is in memory, where a sync does nothing; give a folder on a disk: -p directory=PATH",
                self.0.display()
            ))),
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // If this fails, the host removes it with the scratch folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_gets_its_own_folder_and_removes_it() {
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
    fn a_folder_in_memory_is_refused_for_durable_logs() {
        let Ok(folder) = Folder::new("/dev/shm") else { return };
        assert!(folder.require_disk().unwrap_err().is_environment());
    }
}
