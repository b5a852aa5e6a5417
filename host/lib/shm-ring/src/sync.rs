//! The atomics that both ends meet in, the pause of a spinning thread, and the futex. The models in `tests/loom` put their
//! own in its place.

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use std::time::Duration;

/// Sleeps while `word` is `value`. Interruption, another value and the timeout all end it: the caller looks again in each
/// case.
#[cfg(target_os = "linux")]
pub(crate) fn futex_wait(word: &AtomicU32, value: u32, timeout: Duration) {
    use rustix::thread::{Timespec, futex};
    let timeout = Timespec::try_from(timeout).ok();
    let _ = futex::wait(word, futex::Flags::empty(), value, timeout.as_ref());
}

/// Wakes one that sleeps on `word`.
#[cfg(target_os = "linux")]
pub(crate) fn futex_wake(word: &AtomicU32) {
    use rustix::thread::futex;
    // It fails for an unmapped word only, and this one is mapped.
    let _ = futex::wake(word, futex::Flags::empty(), 1);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn futex_wait(_: &AtomicU32, _: u32, _: Duration) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn futex_wake(_: &AtomicU32) {}
