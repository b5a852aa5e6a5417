//! Baselines of the machine without a log: records written by a raw loop, and raw writes with fdatasync. A log's samples are
//! interleaved with these.

use crate::pattern;
use bench_model::ModuleError;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::ptr::NonNull;

/// Bytes in front of a payload: length and checksum, and a number.
const HEAD_BYTES: usize = 16;

/// From this length on, copying and then checksumming is faster than doing both a word at a time.
const LONG: usize = 768;

/// A mapped file, all of whose pages are in memory and writable, and a loop that appends to it: head, payload, CRC32C.
#[derive(Debug)]
pub struct RawPages {
    base: NonNull<u64>,
    words: usize,
    at: usize,
    number: u64,
}

impl RawPages {
    /// Maps a new file of `bytes` in `folder` and unlinks it.
    pub fn new(folder: &Path, bytes: usize) -> Result<Self, ModuleError> {
        let path = folder.join("raw-pages");
        let file = written_file(&path, bytes)?;
        std::fs::remove_file(&path).map_err(file_error("remove", &path))?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses, of a file that only this function has open.
        let base = unsafe { mmap(std::ptr::null_mut(), bytes, access, MapFlags::SHARED, &file, 0) };
        let base = base.map_err(|errno| file_error("map", &path)(errno.into()))?;
        let Some(base) = NonNull::new(base.cast::<u64>()) else {
            return Err(ModuleError::Other(format!("mapping {} returned a null address", path.display())));
        };
        let mut pages = Self { base, words: bytes / 8, at: 0, number: 0 };
        pages.make_resident()?;
        Ok(pages)
    }

    /// Makes every page present and writable, which lasts until the kernel writes it back.
    pub fn make_resident(&mut self) -> Result<(), ModuleError> {
        // SAFETY: the range is this mapping, and populating keeps the content of its pages.
        let done = unsafe { madvise(self.base.as_ptr().cast(), self.words * 8, Advice::LinuxPopulateWrite) };
        done.map_err(|errno| ModuleError::Unavailable(format!("the kernel cannot populate a mapping: {errno}")))
    }

    /// Appends `payloads` one after the other, each with a header and a checksum; wraps around when the file is full.
    #[inline]
    pub fn append<P: AsRef<[u8]>>(&mut self, payloads: &[P]) {
        let needed: usize = payloads.iter().map(|payload| (HEAD_BYTES + payload.as_ref().len()).div_ceil(8)).sum();
        assert!(needed <= self.words, "a batch fits the file");
        if self.at + needed > self.words {
            self.at = 0;
        }
        // SAFETY: the words from `at` on are within the mapping, to which only this value has a pointer.
        let to = unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr().add(self.at), needed) };
        self.at += needed;
        self.number = append(to, payloads, self.number);
    }

    /// Whether the last record is number `count - 1` and has this payload.
    pub fn ends_with(&self, count: u64, payload: &[u8]) -> bool {
        let needed = (HEAD_BYTES + payload.len()).div_ceil(8);
        let Some(at) = self.at.checked_sub(needed) else { return false };
        // SAFETY: the words from `at` to where the next record goes are within the mapping.
        let record = unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(at), needed) };
        let bytes: Vec<u8> = record[2..].iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.number == count && record[1] + 1 == count && bytes.starts_with(payload)
    }
}

impl Drop for RawPages {
    fn drop(&mut self) {
        // SAFETY: no slice of the mapping outlives a method call.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.words * 8) };
    }
}

fn append<P: AsRef<[u8]>>(to: &mut [u64], payloads: &[P], number: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has the instruction.
        return unsafe { append_sse42(to, payloads, number) };
    }
    append_portable(to, payloads, number)
}

/// Like [`append_portable`], with the processor's CRC32C instruction.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn append_sse42<P: AsRef<[u8]>>(mut to: &mut [u64], payloads: &[P], mut number: u64) -> u64 {
    use std::arch::x86_64::_mm_crc32_u64;
    for payload in payloads {
        let payload = payload.as_ref();
        let (record, rest) = to.split_at_mut((HEAD_BYTES + payload.len()).div_ceil(8));
        to = rest;
        let mut state = _mm_crc32_u64(!0, number);
        let body = &mut record[2..];
        let (whole, tail) = payload.as_chunks::<8>();
        if payload.len() >= LONG {
            for (to, word) in body.iter_mut().zip(whole) {
                *to = u64::from_ne_bytes(*word);
            }
            state = u64::from(!crc32c::crc32c_append(!(state as u32), payload));
        } else {
            for (to, word) in body.iter_mut().zip(whole) {
                let word = u64::from_ne_bytes(*word);
                *to = word;
                state = _mm_crc32_u64(state, word);
            }
        }
        if !tail.is_empty() {
            let word = last_word(tail);
            body[whole.len()] = word;
            if payload.len() < LONG {
                state = _mm_crc32_u64(state, word);
            }
        }
        record[1] = number;
        record[0] = payload.len() as u64 | state << 32;
        number += 1;
    }
    number
}

fn append_portable<P: AsRef<[u8]>>(mut to: &mut [u64], payloads: &[P], mut number: u64) -> u64 {
    for payload in payloads {
        let payload = payload.as_ref();
        let (record, rest) = to.split_at_mut((HEAD_BYTES + payload.len()).div_ceil(8));
        to = rest;
        let (whole, tail) = payload.as_chunks::<8>();
        for (to, word) in record[2..].iter_mut().zip(whole) {
            *to = u64::from_ne_bytes(*word);
        }
        if !tail.is_empty() {
            record[2 + whole.len()] = last_word(tail);
        }
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&number.to_ne_bytes()), payload);
        record[1] = number;
        record[0] = payload.len() as u64 | u64::from(checksum) << 32;
        number += 1;
    }
    number
}

fn last_word(tail: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..tail.len()].copy_from_slice(tail);
    u64::from_ne_bytes(bytes)
}

/// A preallocated file and successive writes to it, each followed by fdatasync.
#[derive(Debug)]
pub struct RawCommits {
    file: File,
    bytes: u64,
    at: u64,
    data: Vec<u8>,
}

impl RawCommits {
    /// Creates a file in `folder` for writes of `bytes_each`.
    pub fn new(folder: &Path, bytes_each: usize) -> Result<Self, ModuleError> {
        /// Writes that fit in the file, so that a write does not overwrite the one before.
        const WRITES: usize = 256;
        const BYTES: std::ops::RangeInclusive<usize> = 1 << 20..=64 << 20;
        let bytes = (bytes_each * WRITES).clamp(*BYTES.start(), *BYTES.end()).max(bytes_each).next_multiple_of(4096);
        let path = folder.join("raw-commits");
        let file = written_file(&path, bytes)?;
        file.sync_all().map_err(file_error("sync", &path))?;
        Ok(Self { file, bytes: bytes as u64, at: 0, data: pattern(1, bytes_each) })
    }

    /// Writes once after the previous write, then calls fdatasync.
    pub fn commit(&mut self) -> Result<(), ModuleError> {
        let len = self.data.len() as u64;
        if self.at + len > self.bytes {
            self.at = 0;
        }
        let written = self.file.write_all_at(&self.data, self.at).and_then(|()| self.file.sync_data());
        written.map_err(|error| ModuleError::Other(format!("the raw write or its fdatasync failed: {error}")))?;
        self.at += len;
        Ok(())
    }

    /// Whether the file contains the last write.
    pub fn is_written(&self) -> bool {
        let mut found = vec![0; self.data.len()];
        let start = self.at.checked_sub(found.len() as u64);
        start.is_some_and(|start| self.file.read_exact_at(&mut found, start).is_ok() && found == self.data)
    }
}

/// Creates a file of `bytes` bytes and writes all of them.
fn written_file(path: &Path, bytes: usize) -> Result<File, ModuleError> {
    const UNIT: usize = 2 << 20;
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(file_error("create", path))?;
    fallocate(&file, FallocateFlags::empty(), 0, bytes as u64)
        .map_err(|errno| file_error("reserve", path)(errno.into()))?;
    let zeros = vec![0; UNIT.min(bytes)];
    for offset in (0..bytes).step_by(UNIT) {
        let len = UNIT.min(bytes - offset);
        file.write_all_at(&zeros[..len], offset as u64).map_err(file_error("write", path))?;
    }
    Ok(file)
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ModuleError {
    let path = path.to_owned();
    move |error| {
        let reason =
            format!("cannot {what} {}: {error}; give a folder with enough space: -p directory=PATH", path.display());
        ModuleError::Unavailable(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payloads;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sse42_and_portable_loops_write_the_same_records(lens in proptest::collection::vec(0_usize..2_000, 1..20), number: u32) {
            let payloads: Vec<_> = lens.iter().enumerate().map(|(index, len)| pattern(index as u64, *len)).collect();
            let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
            let words: usize = lens.iter().map(|len| (HEAD_BYTES + len).div_ceil(8)).sum();
            let (mut fast, mut portable) = (vec![0; words], vec![0; words]);
            let number = u64::from(number);
            prop_assert_eq!(append(&mut fast, &payloads, number), number + lens.len() as u64);
            append_portable(&mut portable, &payloads, number);
            // A checksum over padded words differs from one over the bytes, so only whole words agree.
            let mut at = 0;
            for len in lens {
                let words = (HEAD_BYTES + len).div_ceil(8);
                prop_assert_eq!(&fast[at + 1..at + words], &portable[at + 1..at + words]);
                if len % 8 == 0 || len >= LONG {
                    prop_assert_eq!(fast[at] as u32, portable[at] as u32);
                }
                at += words;
            }
        }
    }

    #[test]
    fn full_files_are_written_from_the_start_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut pages = RawPages::new(folder.path(), 4096).unwrap();
        let mut payloads = Payloads::new(64, 10).unwrap();
        (0..20).for_each(|_| pages.append(payloads.advance_batch(10)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(pages.ends_with(200, &payloads.expected(199)));
        assert!(!pages.ends_with(200, &payloads.expected(198)) && !pages.ends_with(199, &payloads.expected(199)));
        let mut commits = RawCommits::new(folder.path(), 100).unwrap();
        assert!(!commits.is_written());
        (0..3).for_each(|_| commits.commit().unwrap());
        assert!(commits.is_written() && commits.at == 300);
    }
}
