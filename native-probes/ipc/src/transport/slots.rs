//! A few fixed slots for messages in shared memory, for transports that have a signal but cannot carry a payload.

use super::copy_short;
use bench_model::ModuleError;
use rustix::mm::{MapFlags, ProtFlags};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// Slots per direction: enough for one side to work while the other wakes up, few enough to stay in a cache. A power of
/// two, so that the counters may wrap.
pub(crate) const SLOTS: u32 = 8;

/// A value on cache lines of its own.
#[repr(C, align(128))]
struct Line<T>(T);

/// The header before the slots.
#[repr(C)]
struct Control {
    /// Messages written so far.
    tail: Line<AtomicU32>,
    /// Messages released so far.
    head: Line<AtomicU32>,
    receiver: Line<Sleeper>,
    sender: Line<Sleeper>,
    /// 1 while a raw signal is sent but not received.
    bare: Line<AtomicU32>,
}

/// 1 while a side sleeps or is about to sleep; also the futex word.
#[repr(transparent)]
pub(crate) struct Sleeper(pub(crate) AtomicU32);

impl Sleeper {
    /// Announces that this side is about to sleep. It must check once more before it does.
    #[inline(always)]
    pub(crate) fn announce(&self) {
        self.0.store(1, Ordering::Relaxed);
        // Pairs with the fence in `take`: one of the two sides sees what the other wrote.
        fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement.
    #[inline(always)]
    pub(crate) fn withdraw(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether the other side announced to sleep. Called after each publication; true once per announcement.
    #[inline(always)]
    pub(crate) fn take(&self) -> bool {
        fence(Ordering::SeqCst);
        self.0.load(Ordering::Relaxed) != 0 && self.0.swap(0, Ordering::Relaxed) != 0
    }
}

/// The memory of one direction. A fork shares it.
pub(crate) struct Slots {
    base: NonNull<u8>,
    stride: usize,
}

// SAFETY: the memory belongs to no thread; it is reached through atomics or by the one side that owns a slot.
unsafe impl Send for Slots {}
// SAFETY: as above.
unsafe impl Sync for Slots {}

impl Slots {
    pub(crate) fn new(message_max: usize) -> Result<Arc<Self>, ModuleError> {
        let stride = message_max.next_multiple_of(128);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address the kernel chooses replaces nothing. It is zeroed, which is a `Control`.
        let base = unsafe {
            let flags = MapFlags::SHARED | MapFlags::POPULATE;
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), Self::bytes(stride), access, flags)
        };
        let base = base.ok().and_then(|base| NonNull::new(base.cast()));
        let base = base.ok_or_else(|| ModuleError::Other("cannot map shared memory".to_owned()))?;
        Ok(Arc::new(Self { base, stride }))
    }

    fn bytes(stride: usize) -> usize {
        size_of::<Control>() + SLOTS as usize * stride
    }

    #[inline(always)]
    fn control(&self) -> &Control {
        // SAFETY: the mapping starts with a `Control`, is page-aligned, and lives as long as `self`; all of it is atomic.
        unsafe { self.base.cast().as_ref() }
    }

    /// The address of the slot of message number `index`; the slot has `stride` bytes.
    #[inline(always)]
    fn slot(&self, index: u32) -> *mut u8 {
        // SAFETY: the slot's number is less than `SLOTS`, and the mapping has so many slots behind the `Control`.
        unsafe { self.base.as_ptr().add(size_of::<Control>() + (index % SLOTS) as usize * self.stride) }
    }
}

impl Slots {
    /// The word of a raw signal.
    pub(crate) fn bare(&self) -> &AtomicU32 {
        &self.control().bare.0
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new`, and no side is left. A failure would only leave it mapped.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), Self::bytes(self.stride)) };
    }
}

/// The only writing side of one direction.
pub(crate) struct Sender {
    slots: Arc<Slots>,
    tail: u32,
    head_seen: u32,
}

impl Sender {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        Self { slots, tail: 0, head_seen: 0 }
    }

    /// Whether a slot is free.
    #[inline(always)]
    pub(crate) fn has_room(&mut self) -> bool {
        if self.tail.wrapping_sub(self.head_seen) == SLOTS {
            // Acquire: the receiver has read the slot before it is overwritten.
            self.head_seen = self.slots.control().head.0.load(Ordering::Acquire);
        }
        self.tail.wrapping_sub(self.head_seen) < SLOTS
    }

    /// Writes and publishes a message into a free slot, after [`Sender::has_room`] has returned true.
    #[inline(always)]
    pub(crate) fn push(&mut self, message: &[u8]) {
        assert!(message.len() <= self.slots.stride && self.has_room(), "a message fits a free slot");
        // SAFETY: the slot has room, as asserted, is initialised, and is free: the other side does not touch it until
        // it is published below.
        let room = unsafe { std::slice::from_raw_parts_mut(self.slots.slot(self.tail), message.len()) };
        copy_short(message, room);
        self.tail = self.tail.wrapping_add(1);
        self.slots.control().tail.0.store(self.tail, Ordering::Release);
    }

    pub(crate) fn own(&self) -> &Sleeper {
        &self.slots.control().sender.0
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn receiver(&self) -> &Sleeper {
        &self.slots.control().receiver.0
    }
}

/// The only reading side of one direction.
pub(crate) struct Receiver {
    slots: Arc<Slots>,
    head: u32,
}

impl Receiver {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        Self { slots, head: 0 }
    }

    /// Whether there is a message.
    #[inline(always)]
    pub(crate) fn has_message(&self) -> bool {
        // Acquire: the slot has the content that was published.
        self.slots.control().tail.0.load(Ordering::Acquire) != self.head
    }

    /// Passes the oldest message as `len` bytes to `read`, after [`Receiver::has_message`] has returned true, and frees
    /// its slot.
    #[inline(always)]
    pub(crate) fn pop<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> R {
        assert!(len <= self.slots.stride && self.has_message(), "there is a message, and it fits in a slot");
        // SAFETY: the slot has `len` bytes, as asserted; the sender does not write there until it is released below.
        let result = read(unsafe { std::slice::from_raw_parts(self.slots.slot(self.head), len) });
        self.head = self.head.wrapping_add(1);
        self.slots.control().head.0.store(self.head, Ordering::Release);
        result
    }

    pub(crate) fn own(&self) -> &Sleeper {
        &self.slots.control().receiver.0
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn sender(&self) -> &Sleeper {
        &self.slots.control().sender.0
    }
}
