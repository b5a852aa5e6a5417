//! Counts what an operation allocates, in programs and modules whose global allocator is [`Counting`]. While nothing is counted, an
//! allocation costs a load and a branch more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

/// The system's allocator, which counts during [`counted`].
#[derive(Clone, Copy, Debug)]
pub struct Counting;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
/// The bytes that are held beyond those at the start; negative where more was freed since.
static HELD: AtomicI64 = AtomicI64::new(0);
static HELD_MAX: AtomicI64 = AtomicI64::new(0);

/// What an operation allocated. All is 0 where [`Counting`] is not the global allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks that were allocated or enlarged.
    pub allocations: u64,
    /// Their bytes, of enlarged ones those that were added, however soon they were freed.
    pub bytes: u64,
    /// The most bytes that were held at a time beyond those at the start.
    pub held_max: u64,
}

/// The metrics of what an operation allocates: the name, whether it is in bytes, and what it is.
pub const METRICS: [(&str, bool, &str); 3] = [
    ("allocated", true, "bytes that an operation allocates, however soon they are freed, once per process"),
    ("allocations", false, "blocks that an operation allocates or enlarges, once per process"),
    (
        "allocated_peak",
        true,
        "the most bytes that the first operation holds at a time beyond its input, once per process",
    ),
];

/// A sample of each of [`METRICS`], by what the first operation and the next one allocated: only before the first there is no earlier
/// result, and only later ones find the buffers that the first has left.
pub fn samples(first: Counts, next: Counts) -> [(&'static str, u64); 3] {
    let [(allocated, ..), (allocations, ..), (peak, ..)] = METRICS;
    [(allocated, next.bytes), (allocations, next.allocations), (peak, first.held_max)]
}

/// Executes `operation`, and counts what all threads of the process allocate meanwhile. One operation is counted at a time.
pub fn counted<T>(operation: impl FnOnce() -> T) -> (T, Counts) {
    ALLOCATIONS.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    HELD.store(0, Relaxed);
    HELD_MAX.store(0, Relaxed);
    IS_COUNTING.store(true, Relaxed);
    let result = operation();
    IS_COUNTING.store(false, Relaxed);
    let held_max = HELD_MAX.load(Relaxed).unsigned_abs();
    (result, Counts { allocations: ALLOCATIONS.load(Relaxed), bytes: bytes(), held_max })
}

/// The bytes that were allocated since counting began. Constant while nothing is counted.
pub fn bytes() -> u64 {
    BYTES.load(Relaxed)
}

impl Counting {
    /// Counts a block that had `before` bytes, none if it is new, and has `after`, none if it is freed.
    #[inline]
    fn count(before: usize, after: usize) {
        if !IS_COUNTING.load(Relaxed) {
            return;
        }
        if after > before {
            ALLOCATIONS.fetch_add(1, Relaxed);
            BYTES.fetch_add((after - before) as u64, Relaxed);
        }
        // Both are at most `isize::MAX`.
        let added = after as i64 - before as i64;
        HELD_MAX.fetch_max(HELD.fetch_add(added, Relaxed) + added, Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator as it came, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(0, layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(layout.size(), size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
