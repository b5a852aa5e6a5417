//! Reads only the first and last record of a run file, to find one run among many. The rest of the file may be unreadable.

use super::reader::{FILE_BYTES_MAX, ReadError, kind, parse};
use super::{EndRecord, FILE_NAME, Record, RunRecord};
use crate::regular;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The first and last record of a run file.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The record in the first line.
    pub run: RunRecord,
    /// The record in the last complete line, if it is the end of the run or of a part of it.
    pub end: Option<EndRecord>,
}

/// Number of bytes that are read at the end; an end record is much shorter.
const END_BYTES_MAX: u64 = 4096;

/// Number of bytes that are read at the beginning; the head of a run is shorter, whatever its command line.
const FIRST_BYTES_MAX: u64 = 16 << 20;

impl RunSummary {
    /// The summary of the run in `directory`; `None` if it was interrupted before its first line was complete.
    pub fn of(directory: &Path) -> Result<Option<Self>, ReadError> {
        let path = directory.join(FILE_NAME);
        let (first, tail) = first_and_tail(&path).map_err(|source| ReadError::Io { path: path.clone(), source })?;
        if !first.ends_with(b"\n") {
            return Ok(None);
        }
        let Some(Record::Run(run)) = parse(&path, 1, &first)? else { return Ok(None) };
        // The first part may be the rest of a longer line.
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let last = tail[..whole].split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default();
        let end = match parse(&path, 0, last) {
            Ok(Some(Record::End(end))) => Some(end),
            _ => None,
        };
        Ok(Some(Self { run, end }))
    }

    /// Whether the run in `directory` was resumed. Of each line, only the kind of its record is read, because a run file may be large.
    pub fn was_resumed(directory: &Path) -> Result<bool, ReadError> {
        let path = directory.join(FILE_NAME);
        let io = |source| ReadError::Io { path: path.clone(), source };
        let mut file = BufReader::new(regular::open_within(&path, FILE_BYTES_MAX).map_err(io)?);
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            file.read_until(b'\n', &mut text).map_err(io)?;
            if !text.ends_with(b"\n") {
                break;
            }
            if kind(&path, line, &text)? == "resumed" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the run was finished.
    pub fn is_finished(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.stopped.is_none())
    }
}

fn first_and_tail(path: &Path) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = BufReader::new(regular::open(path, File::options().read(true))?);
    let (mut first, mut tail) = (Vec::new(), Vec::new());
    file.by_ref().take(FIRST_BYTES_MAX).read_until(b'\n', &mut first)?;
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(len.saturating_sub(END_BYTES_MAX)))?;
    file.take(END_BYTES_MAX).read_to_end(&mut tail)?;
    Ok((first, tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn resumed_part_is_found_by_the_kind_of_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let check = |lines: &str, expect: Option<bool>| {
            fs::write(folder.path().join(FILE_NAME), lines).unwrap();
            assert_eq!(RunSummary::was_resumed(folder.path()).ok(), expect, "{lines}");
        };
        let first = "{\"v\":1,\"record\":\"run\",\"id\":\"a\"}\n";
        check(first, Some(false));
        check(&format!("{first}{{\"v\":1,\"record\":\"resumed\"}}\n"), Some(true));
        // As other programs order and space fields.
        let long = "2026 ".repeat(99);
        check(&format!("{first}{{ \"started\": \"{long}\", \"v\": 1, \"record\": \"resumed\" }}\n"), Some(true));
        check(&format!("{first}{{\"v\":1,\"of\":{{\"record\":\"resumed\"}},\"record\":\"check\"}}\n"), Some(false));
        check(&format!("{first}{{\"v\":1,\"record\":\"resumed\"}}"), Some(false));
        check(&format!("{first}garbage\n"), None);
    }
}
