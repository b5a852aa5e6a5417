//! Reads a run file as the bytes that were written, so that they can be copied unchanged.

use super::FILE_NAME;
use super::Record;
use super::blocks::whole_blocks;
use super::reader::{ReadError, lines};
use std::fs;
use std::path::Path;

/// One line of a run file.
#[derive(Clone, Debug)]
pub struct RawLine {
    /// The record; `None` for a kind that a later minor version added.
    pub record: Option<Record>,
    /// The line as it was written, with its line break.
    pub text: Vec<u8>,
}

impl RawLine {
    /// The lines of the complete blocks of the run in `directory`, in order.
    pub fn read_all(directory: &Path) -> Result<Vec<Self>, ReadError> {
        let path = directory.join(FILE_NAME);
        let bytes = fs::read(&path).map_err(|source| ReadError::Io { path: path.clone(), source })?;
        let (lines, _torn) = lines(&path, &bytes)?;
        let mut start = 0;
        let raw = whole_blocks(lines).into_iter().map(|line| {
            let text = bytes[start..line.end].to_vec();
            start = line.end;
            Self { record: line.record, text }
        });
        Ok(raw.collect())
    }
}
