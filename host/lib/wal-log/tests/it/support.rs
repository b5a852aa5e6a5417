//! Shared by the tests: small logs in directories of their own, and their files' bytes.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wal_log::{Config, Durability, Entry, Log, Policy, StreamId};

/// A directory that goes with its owner, in memory where there is such a place, because most tests are not about the disk.
pub(crate) fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A directory on a disk.
pub(crate) fn directory_on_disk() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Small segments, so that a test sees many.
pub(crate) fn config(directory: &Path) -> Config {
    let mut config = Config::new(directory, Durability::ProcessCrash);
    config.segment_bytes = 8 << 10;
    config
}

pub(crate) fn with_policy(directory: &Path, policy: Policy) -> Config {
    Config { policy, ..config(directory) }
}

pub(crate) fn open(config: Config) -> Log {
    Log::open(config).unwrap()
}

pub(crate) fn entry(payload: &[u8]) -> Entry<'_> {
    Entry { stream: StreamId(1), kind: 2, payload }
}

/// A payload that tells its number, and is as long as `len`, or as the number needs.
pub(crate) fn payload(number: u64, len: usize) -> Vec<u8> {
    let mut payload = number.to_le_bytes().to_vec();
    payload.extend((8..len).map(|index| (index as u64 ^ number.wrapping_mul(31)) as u8));
    payload
}

/// Appends payloads of about 100 bytes with the numbers of the range.
pub(crate) fn fill(log: &Log, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert_eq!(log.append(entry(&payload(number, 90 + number as usize % 20))).unwrap(), number);
    }
}

/// Sequences and payloads of what is in the log.
pub(crate) fn content(log: &Log) -> Vec<(u64, Vec<u8>)> {
    let snapshot = log.snapshot();
    let records = snapshot.iter(snapshot.first_sequence()).unwrap();
    records.map(|record| record.map(|record| (record.sequence, record.payload.to_vec())).unwrap()).collect()
}

/// What [`fill`] appended.
pub(crate) fn filled(numbers: impl IntoIterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
    numbers.into_iter().map(|number| (number, payload(number, 90 + number as usize % 20))).collect()
}

/// The segment files, in order.
pub(crate) fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == "wal")).collect();
    segments.sort();
    segments
}

/// Changes a file's bytes.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Bytes of a segment's header.
pub(crate) const HEADER: usize = 128;

/// Offsets of the records in a segment's bytes, walked by their lengths, and where the last one ends.
pub(crate) fn offsets(bytes: &[u8]) -> (Vec<usize>, usize) {
    let mut offsets = Vec::new();
    let mut at = HEADER;
    while at + 24 <= bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if length == 0 {
            break;
        }
        offsets.push(at);
        at += length.next_multiple_of(8);
    }
    (offsets, at)
}
