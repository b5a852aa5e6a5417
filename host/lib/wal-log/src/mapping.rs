//! A file mapped into memory, shared and writable. It checks that each access is within the mapping.

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MsyncFlags, ProtFlags};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// A mapping of the first `bytes` of a file. The file must keep that length as long as the mapping lives: if another program truncates
/// it, an access to the missing part kills the process.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping belongs to no thread, and every access to its bytes goes through an atomic or an unsafe function whose
// caller knows who else has them.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(crate) fn new(file: &File, bytes: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address the kernel chooses replaces nothing.
        let base = unsafe { rustix::mm::mmap(std::ptr::null_mut(), bytes, access, MapFlags::SHARED, file, 0)? };
        let base = NonNull::new(base.cast::<u8>()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { base, bytes })
    }

    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The address of the byte at `offset`, which is at most the mapping's size.
    #[inline]
    pub(crate) fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= self.bytes, "within the mapping");
        // SAFETY: the offset is within the mapping or one past it.
        unsafe { self.base.as_ptr().add(offset) }
    }

    /// Borrows bytes of the mapping.
    ///
    /// # Safety
    /// Nothing writes to the range as long as the loan lasts, neither through this mapping nor another one.
    #[inline]
    pub(crate) unsafe fn slice(&self, range: Range<usize>) -> &[u8] {
        assert!(range.start <= range.end && range.end <= self.bytes, "within the mapping");
        // SAFETY: the range is within the mapping, which lives as long as `self`; the caller keeps writers away.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(range.start), range.len()) }
    }

    /// Borrows bytes of the mapping for writing.
    ///
    /// # Safety
    /// Nothing else reads or writes the range as long as the loan lasts.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "the caller is the one who knows that the range is not shared")]
    pub(crate) unsafe fn slice_mut(&self, range: Range<usize>) -> &mut [u8] {
        assert!(range.start <= range.end && range.end <= self.bytes, "within the mapping");
        // SAFETY: the range is within the mapping, which lives as long as `self`; the caller has it to itself.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) }
    }

    /// The aligned word at `offset`, a multiple of 8.
    #[inline]
    pub(crate) fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.bytes, "a word of the mapping");
        // SAFETY: the base is page-aligned and the offset a multiple of 8, so the word is aligned, and it is within the
        // mapping. It is shared through atomics alone, or lent by an unsafe function whose caller keeps others away.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(offset).cast()) }
    }

    /// Makes the range's pages present, writable where `is_writable`, without changing a byte. A page for which the disk
    /// has no room, or which cannot be read, is an error here and a signal (SIGBUS) everywhere else.
    pub(crate) fn populate(&self, range: Range<usize>, is_writable: bool) -> io::Result<()> {
        let advice = if is_writable { Advice::LinuxPopulateWrite } else { Advice::LinuxPopulateRead };
        match self.advise(range, advice) {
            // A kernel before 5.14 does not know the advice: then pages are made present when they are touched.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            done => done,
        }
    }

    /// Makes the pages that the range touches durable, and no others.
    pub(crate) fn sync(&self, range: Range<usize>) -> io::Result<()> {
        let Some((start, len)) = self.pages(range) else { return Ok(()) };
        // SAFETY: the pages are within the mapping; a sync changes none of them.
        unsafe { rustix::mm::msync(self.at(start).cast::<c_void>(), len, MsyncFlags::SYNC).map_err(io::Error::from) }
    }

    fn advise(&self, range: Range<usize>, advice: Advice) -> io::Result<()> {
        let Some((start, len)) = self.pages(range) else { return Ok(()) };
        // SAFETY: the pages are within the mapping. None of the advices used here changes a byte of a shared file mapping:
        // what is dropped from memory is faulted in again.
        unsafe { rustix::mm::madvise(self.at(start).cast::<c_void>(), len, advice).map_err(io::Error::from) }
    }

    /// Offset and length of the pages that the range touches, if it touches any.
    fn pages(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let page = rustix::param::page_size();
        let start = range.start / page * page;
        let end = range.end.next_multiple_of(page).min(self.bytes);
        (start < end).then(|| (start, end - start))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: a pointer into the mapping borrows `self` or holds its owner. A failure would leave it mapped, which does no harm.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}
