//! Appends to a run file. A block of records is written at once and synced, so that a kill loses at most the block in flight. A block
//! that does not fit on the disk is removed again, so that the file stays readable.

use super::locked::Locked;
use super::{FILE_NAME, FORMAT_VERSION, Record, sealed};
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A run file that is being written.
#[derive(Debug)]
pub struct RunWriter {
    directory: PathBuf,
    file: Locked,
    /// The size of the complete blocks in bytes.
    len: u64,
}

/// A block that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The error of the system.
    #[source]
    pub source: io::Error,
}

/// A record with the format version.
#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    #[serde(flatten)]
    record: &'a Record,
}

/// The lines of `records`, as they are written to a run file.
pub fn encode(records: &[Record]) -> Vec<u8> {
    let mut lines = Vec::new();
    for record in records {
        let begin = lines.len();
        // Every record is plain data with text keys, which can always be written as JSON.
        serde_json::to_writer(&mut lines, &Line { v: FORMAT_VERSION, record }).expect("records are JSON");
        sealed::seal(&mut lines, begin);
        lines.push(b'\n');
    }
    lines
}

impl RunWriter {
    /// Creates the run directory `directory`, which must not exist yet, and an empty run file in it.
    pub fn create(directory: &Path) -> Result<Self, WriteError> {
        let parent = directory.parent().unwrap_or(Path::new("."));
        let fail = |path: &Path, source| WriteError { path: path.to_owned(), source };
        fs::create_dir_all(parent).map_err(|error| fail(parent, error))?;
        fs::create_dir(directory).map_err(|error| fail(directory, error))?;
        let path = directory.join(FILE_NAME);
        let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(|error| fail(&path, error))?;
        // Only the holder of the lock may write. On a file system without locks, a run can be created but not resumed.
        let _ = file.try_lock();
        // Sync the directory, because otherwise the file may be lost in a crash.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| fail(directory, error))?;
        Ok(Self { directory: directory.to_owned(), file: Locked(file), len: 0 })
    }

    /// Resumes the run in `directory`, and keeps the first `len` bytes of its `file`.
    pub(super) fn behind(directory: &Path, file: Locked, len: u64) -> Result<Self, WriteError> {
        let cut = file.set_len(len).and_then(|()| file.sync_data());
        cut.map_err(|source| WriteError { path: directory.join(FILE_NAME), source })?;
        Ok(Self { directory: directory.to_owned(), file, len })
    }

    /// The run directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Appends `records` as one block and syncs.
    pub fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.append_raw(&encode(records))
    }

    /// Appends complete lines of another run file as one block and syncs.
    pub fn append_raw(&mut self, block: &[u8]) -> Result<(), WriteError> {
        match self.file.write_all(block).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.len += block.len() as u64;
                Ok(())
            }
            Err(source) => {
                // Remove the incomplete block. If this fails too, the reader skips and reports it.
                let _ = self.file.set_len(self.len);
                Err(WriteError { path: self.directory.join(FILE_NAME), source })
            }
        }
    }
}
