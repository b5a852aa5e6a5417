//! One cache line in shared memory, passed back and forth with spinning waits: the lower bound of a message between two
//! cores.

use super::Fault;
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::mm::{MapFlags, ProtFlags};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The mapping, the start of which is the line.
const BYTES: usize = 4096;

/// Spins between two checks of the other process: some tens of milliseconds.
const ROUNDS: u32 = 1 << 20;

/// The line. A fork shares it.
pub(crate) struct Line {
    base: NonNull<AtomicU64>,
}

// SAFETY: the memory belongs to no thread and is reached through an atomic.
unsafe impl Send for Line {}
// SAFETY: as above.
unsafe impl Sync for Line {}

impl Line {
    pub(crate) fn new() -> Result<Arc<Self>, ModuleError> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::POPULATE);
        // SAFETY: a new mapping at an address the kernel chooses replaces nothing. It is zeroed.
        let base = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), BYTES, access, flags) };
        let base = base.ok().and_then(|base| NonNull::new(base.cast()));
        let base = base.ok_or_else(|| ModuleError::Other("cannot map shared memory".to_owned()))?;
        Ok(Arc::new(Self { base }))
    }

    /// Passes the line back and forth `rounds` times; the side that `leads` begins.
    pub(crate) fn exchange(&self, rounds: u64, leads: bool, watch: &Watch) -> Result<(), Fault> {
        // SAFETY: the mapping starts with the atomic, is page-aligned, and lives as long as `self`.
        let line = unsafe { self.base.as_ref() };
        // The side that leads writes odd numbers, the other even ones. Both start at an even number.
        let from = if leads { line.load(Ordering::Acquire) } else { line.load(Ordering::Acquire) & !1 };
        for round in 0..rounds {
            let number = from + 2 * round + 1;
            if leads {
                line.store(number, Ordering::Release);
                wait_for(line, number + 1, watch)?;
            } else {
                wait_for(line, number, watch)?;
                line.store(number + 1, Ordering::Release);
            }
        }
        Ok(())
    }
}

#[inline]
fn wait_for(line: &AtomicU64, number: u64, watch: &Watch) -> Result<(), Fault> {
    loop {
        for _ in 0..ROUNDS {
            if line.load(Ordering::Acquire) == number {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        if watch.is_gone() {
            return Err(Fault::Closed);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new`, and no reference is left. A failure would only leave it mapped.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), BYTES) };
    }
}
