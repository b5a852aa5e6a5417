//! Reads a run file as the bytes that were written, so that they can be copied unchanged.

use super::FILE_NAME;
use super::Record;
use super::blocks::Blocks;
use super::reader::{FILE_BYTES_MAX, ReadError, parse};
use crate::regular;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Take};
use std::path::{Path, PathBuf};

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
        RawLines::open(directory)?.collect()
    }

    /// The records of `lines` that are in no file yet, in order; `None` for a kind that a later minor version added.
    pub fn records(lines: &[u8]) -> impl Iterator<Item = Result<Option<Record>, ReadError>> {
        let lines = lines.split_inclusive(|byte| *byte == b'\n').zip(1..);
        lines.map(|(text, line)| parse(Path::new(FILE_NAME), line, text))
    }
}

/// The lines of the complete blocks of a run file, in order: from its beginning, without a gap. It holds one block at a time.
#[derive(Debug)]
pub struct RawLines {
    path: PathBuf,
    file: BufReader<Take<File>>,
    /// How many lines were read.
    read: usize,
    blocks: Blocks,
    /// What was read and not returned yet.
    waiting: VecDeque<RawLine>,
    /// How many of them are of complete blocks.
    whole: usize,
}

impl RawLines {
    /// Those of the run in `directory`.
    pub fn open(directory: &Path) -> Result<Self, ReadError> {
        let path = directory.join(FILE_NAME);
        let file = regular::open_within(&path, FILE_BYTES_MAX);
        let file = file.map_err(|source| ReadError::Io { path: path.clone(), source })?;
        let (file, waiting) = (BufReader::with_capacity(1 << 20, file), VecDeque::new());
        Ok(Self { path, file, read: 0, blocks: Blocks::default(), waiting, whole: 0 })
    }

    /// The next complete line.
    fn line(&mut self) -> Result<Option<RawLine>, ReadError> {
        let mut text = Vec::new();
        let read = self.file.read_until(b'\n', &mut text);
        read.map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
        if text.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.read += 1;
        let record = parse(&self.path, self.read, &text)?;
        Ok(Some(RawLine { record, text }))
    }
}

impl Iterator for RawLines {
    type Item = Result<RawLine, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.whole == 0 {
            let line = match self.line() {
                Ok(line) => line?,
                Err(error) => return Some(Err(error)),
            };
            let ends_block = self.blocks.end_with(line.record.as_ref());
            self.waiting.push_back(line);
            if ends_block {
                self.whole = self.waiting.len();
            }
        }
        self.whole -= 1;
        self.waiting.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runfile::blocks::whole_blocks;
    use crate::runfile::reader::lines;
    use crate::runfile::{CellRecord, EndRecord, ModuleRef, OutcomeRecord, encode};
    use bench_model::{Arguments, Arm};
    use std::fs;

    fn begin(cell: u32) -> Vec<u8> {
        encode(&[Record::Cell(CellRecord {
            cell,
            process: 0,
            scenario: "m/s".to_owned(),
            family: String::new(),
            arm: Arm::Wasm,
            variant: None,
            arguments: Arguments::default(),
            module: ModuleRef { file: "m".to_owned(), sha256: "d".to_owned() },
            limit: None,
            cpu: None,
            conditions: Vec::new(),
        })])
    }

    #[test]
    fn complete_blocks_are_read_wherever_the_file_is_cut() {
        let outcome = |cell| encode(&[Record::Outcome(OutcomeRecord::ok(cell, 0))]);
        let end = encode(&[Record::End(EndRecord { finished: "1".to_owned(), stopped: None })]);
        // A repetition, one that was never finished, a kind of record of a later version, and the end.
        let later = b"{\"v\":1,\"record\":\"later\"}\n".to_vec();
        let bytes = [begin(0), outcome(0), begin(1), begin(2), later, outcome(2), end].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for cut in 0..=bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let expect = whole_blocks(lines(&path, &bytes[..cut]).unwrap().0).last().map_or(0, |line| line.end);
            let found: Vec<u8> =
                RawLine::read_all(folder.path()).unwrap().into_iter().flat_map(|line| line.text).collect();
            assert_eq!(found, bytes[..expect], "cut at {cut}");
        }
    }

    #[test]
    fn lines_that_are_in_no_file_are_read_one_by_one() {
        let later = b"{\"v\":1,\"record\":\"later\"}\n".to_vec();
        let lines = [begin(3), later, b"[\n".to_vec(), begin(4)].concat();
        let found: Vec<_> = RawLine::records(&lines).collect();
        assert_eq!(found.len(), 4);
        assert!(matches!(&found[0], Ok(Some(Record::Cell(cell))) if cell.cell == 3), "{:?}", found[0]);
        assert!(matches!(found[1], Ok(None)), "{:?}", found[1]);
        assert!(matches!(found[2], Err(ReadError::Syntax { line: 3, .. })), "{:?}", found[2]);
        assert_eq!(RawLine::records(b"").count(), 0);
    }

    #[test]
    fn endless_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(FILE_NAME)).unwrap();
        assert!(matches!(RawLine::read_all(folder.path()), Err(ReadError::Io { .. })));
    }

    #[test]
    fn file_above_the_bound_is_refused_and_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, [begin(0), encode(&[Record::Outcome(OutcomeRecord::ok(0, 0))])].concat()).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        match RawLine::read_all(folder.path()) {
            Err(ReadError::Io { source, .. }) => assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge),
            other => panic!("{other:?}"),
        }
    }
}
