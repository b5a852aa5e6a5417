//! The shared memory of a ring: a sealed memfd whose data area is mapped twice back to back.

use crate::header::{Form, Header};
use crate::sync::AtomicU64;
use crate::{Integrity, Ring, RingError, Waking, record};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};
use std::ffi::c_void;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

/// Header, data, and the data again.
#[derive(Debug)]
pub(crate) struct Memory {
    fd: OwnedFd,
    base: NonNull<u8>,
    /// The first byte behind the header.
    data: NonNull<u8>,
    page: usize,
    capacity: usize,
    /// Masks a position to the offset of its word.
    word_mask: usize,
}

// SAFETY: the mapping belongs to no thread; what is shared in it is reached through atomics, or through the one
// producer and the one consumer.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) fn create(capacity: usize, form: Form, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let page = page_allowing(capacity)?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = rustix::fs::memfd_create("bench-host-ring", flags).map_err(system("memfd_create"))?;
        rustix::fs::ftruncate(&fd, (page + capacity) as u64).map_err(system("ftruncate"))?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&fd, seals).map_err(system("fcntl(F_ADD_SEALS)"))?;
        let memory = Self::map(fd, page, capacity)?;
        // SAFETY: the first page is mapped, aligned and as large as a header at least, and no other process has it yet.
        unsafe { memory.base.cast::<Header>().write(Header::new(capacity, form, integrity, waking)) };
        Ok(memory)
    }

    pub(crate) fn attach(fd: OwnedFd, form: Form) -> Result<(Self, Integrity, Waking), RingError> {
        let page = rustix::param::page_size();
        let bytes = rustix::fs::fstat(&fd).map_err(system("fstat"))?.st_size;
        let capacity = usize::try_from(bytes).ok().and_then(|bytes| bytes.checked_sub(page)).unwrap_or(0);
        if page_allowing(capacity).is_err() {
            return Err(RingError::NotARing(format!("its {bytes} bytes are not one page and a ring's capacity")));
        }
        // A peer that can shrink the memory can kill the process that touches it; a ring is sealed when it is made.
        let seals = rustix::fs::fcntl_get_seals(&fd)
            .map_err(|_| RingError::NotARing("it is not a memfd, and only those can be sealed".to_owned()))?;
        if !seals.contains(SealFlags::SHRINK) {
            return Err(RingError::NotARing("it is not sealed against shrinking".to_owned()));
        }
        let memory = Self::map(fd, page, capacity)?;
        let (integrity, waking) = memory.header().validate(capacity, form)?;
        Ok((memory, integrity, waking))
    }

    /// Maps `page + capacity` bytes of `fd`, and the last `capacity` bytes again right behind. Every page is touched
    /// here, so that no message pays for it.
    fn map(fd: OwnedFd, page: usize, capacity: usize) -> Result<Self, RingError> {
        let bytes = page + 2 * capacity;
        // SAFETY: a new mapping at an address the kernel chooses replaces nothing.
        let base = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), bytes, ProtFlags::empty(), MapFlags::PRIVATE)
                .map_err(system("mmap"))?
        };
        let Some(base) = NonNull::new(base.cast::<u8>()) else {
            return Err(RingError::System { call: "mmap", source: std::io::ErrorKind::InvalidData.into() });
        };
        // SAFETY: the page lies within the `bytes` reserved above.
        let data = unsafe { base.add(page) };
        // From here on the reserved addresses are unmapped on any return.
        let memory = Self { fd, base, data, page, capacity, word_mask: capacity - 8 };
        for (offset, len, from) in [(0, page + capacity, 0), (page + capacity, capacity, page as u64)] {
            let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::FIXED);
            // SAFETY: `offset` and `len` lie within the `bytes` reserved above, which hold nothing.
            unsafe {
                let at = base.as_ptr().add(offset).cast::<c_void>();
                rustix::mm::mmap(at, len, access, flags | MapFlags::POPULATE, &memory.fd, from)
                    .map_err(system("mmap"))?;
            }
        }
        Ok(memory)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the first page is mapped as long as `self` lives, aligned, and large enough; every bit pattern is a
        // header; what changes after creation is atomic.
        unsafe { self.base.cast::<Header>().as_ref() }
    }

    /// The address of the byte at `position`, counted since the ring was created. The `capacity` bytes from there are mapped.
    #[inline]
    fn at(&self, position: u64) -> *mut u8 {
        let offset = position as usize & (self.capacity - 1);
        // SAFETY: `offset` is less than `capacity`, and `2 * capacity` bytes are mapped from `data` on.
        unsafe { self.data.as_ptr().add(offset) }
    }

    /// The payload of `len` bytes behind the word at `position`. It is mapped where `len` is at most `capacity - 8`.
    #[inline(always)]
    pub(crate) fn payload_to_read(&self, position: u64, len: usize) -> *const [u8] {
        self.payload_to_write(position, len)
    }

    /// As [`Memory::payload_to_read`], for who may write there.
    #[inline(always)]
    pub(crate) fn payload_to_write(&self, position: u64, len: usize) -> *mut [u8] {
        // SAFETY: `capacity` bytes are mapped from `position` on, and a capacity is more than a word.
        let start = unsafe { self.at(position).add(record::WORD_BYTES) };
        std::ptr::slice_from_raw_parts_mut(start, len)
    }

    /// Asks for the cache line at `position`, to be read soon.
    #[inline]
    pub(crate) fn prefetch_to_read(&self, position: u64) {
        let line = self.at(position);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch changes nothing but caches and never faults.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }

    /// Asks for the cache line at `position`, to be written soon.
    #[inline]
    pub(crate) fn prefetch_to_write(&self, position: u64) {
        let line = self.at(position);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch changes nothing but caches and never faults; a processor without it does nothing.
        unsafe {
            std::arch::asm!("prefetchw [{line}]", line = in(reg) line, options(nostack, preserves_flags, readonly));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }

    /// The word at `position`, which is a multiple of 8.
    #[inline]
    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        debug_assert_eq!(position % 8, 0, "a word is aligned");
        let offset = position as usize & self.word_mask;
        // SAFETY: `data` is page-aligned and the mask leaves a multiple of 8 that is at most `capacity - 8`, so 8 aligned
        // bytes from there are mapped as long as `self` lives. Both ends reach a word through an atomic, or through the
        // payload that only one of them holds at a time.
        unsafe { AtomicU64::from_ptr(self.data.as_ptr().add(offset).cast()) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the addresses were reserved by `map`, and what points into them holds an `Arc` of `self`. A failure would leave them
        // mapped, which does no harm.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.page + 2 * self.capacity) };
    }
}

/// The page size, where a ring may have this capacity.
fn page_allowing(capacity: usize) -> Result<usize, RingError> {
    let page = rustix::param::page_size();
    let least = page.max(Ring::CAPACITY_MIN);
    if !capacity.is_power_of_two() || !(least..=Ring::CAPACITY_MAX).contains(&capacity) {
        return Err(RingError::Capacity { capacity, least });
    }
    Ok(page)
}

fn system(call: &'static str) -> impl Fn(rustix::io::Errno) -> RingError {
    move |errno| RingError::System { call, source: errno.into() }
}
