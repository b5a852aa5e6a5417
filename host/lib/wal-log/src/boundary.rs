//! The system calls by which a log depends on its disk, behind a trait so that tests can make them fail.

use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// The file system calls of a log that can fail because the disk is full or broken.
pub trait FileBoundary: std::fmt::Debug + Send + Sync {
    /// Reserves blocks for the first `bytes` of `file`, so that no later store to a mapping of it can lack them. Without
    /// this, a full disk would be a signal (SIGBUS) instead of an error.
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        OperatingSystem.allocate(file, bytes)
    }

    /// Writes records to the file, in modes in which each append is synced.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        OperatingSystem.write(file, bytes, offset)
    }

    /// Starts the write-back of a range that was just written, so that the disk works while the next records are made. It
    /// guarantees nothing and reports no error: [`FileBoundary::sync_data`] does both.
    fn begin_write_back(&self, file: &File, range: Range<u64>) {
        OperatingSystem.begin_write_back(file, range);
    }

    /// Makes the file's data durable, including stores through a shared mapping. On Linux fdatasync writes
    /// back every dirty page of the file's page cache, and a store to a shared mapping makes its page dirty there
    /// (`filemap_page_mkwrite`), so no msync is needed.
    fn sync_data(&self, file: &File) -> io::Result<()> {
        OperatingSystem.sync_data(file)
    }

    /// Makes names in the directory durable.
    fn sync_directory(&self, directory: &File) -> io::Result<()> {
        OperatingSystem.sync_directory(directory)
    }
}

/// The calls of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperatingSystem;

impl FileBoundary for OperatingSystem {
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
            // The file system cannot reserve without writing.
            Err(Errno::OPNOTSUPP) => write_zeros(file, 0..bytes, 1 << 20),
            done => done.map_err(io::Error::from),
        }
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn begin_write_back(&self, file: &File, range: Range<u64>) {
        let (offset, len) = (range.start as libc::off64_t, (range.end - range.start) as libc::off64_t);
        // SAFETY: the descriptor is open, and the call takes numbers alone. Where a file system cannot do it, the sync that
        // follows has more to do.
        let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_directory(&self, directory: &File) -> io::Result<()> {
        directory.sync_all()
    }
}

/// Writes zeros to a range of a file, in pieces that end at multiples of `unit`. The page cache keeps a file in units of
/// what was written at once, and a store through a mapping makes a whole unit dirty.
pub(crate) fn write_zeros(file: &File, range: Range<u64>, unit: u64) -> io::Result<()> {
    let zeros = vec![0; unit as usize];
    let mut offset = range.start;
    while offset < range.end {
        let end = ((offset / unit + 1) * unit).min(range.end);
        file.write_all_at(&zeros[..(end - offset) as usize], offset)?;
        offset = end;
    }
    Ok(())
}
