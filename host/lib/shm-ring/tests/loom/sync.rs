//! The library's `sync` in loom's terms, and a futex without timeout, so that a lost wake-up is a deadlock that loom reports.

pub(crate) use loom::hint::spin_loop;
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use loom::sync::{Condvar, Mutex};
use std::time::Duration;

loom::lazy_static! {
    /// The kernel's queue of sleepers. Both ends share it: a wake-up that was meant for the other is a spurious one.
    static ref SLEEPERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

/// As the kernel does it: compares and falls asleep in one step.
pub(crate) fn futex_wait(word: &AtomicU32, value: u32, _timeout: Duration) {
    let (queue, woken) = &*SLEEPERS;
    let guard = queue.lock().unwrap();
    if word.load(Ordering::Relaxed) == value {
        drop(woken.wait(guard).unwrap());
    }
}

/// Wakes all that sleep.
pub(crate) fn futex_wake(_word: &AtomicU32) {
    let (queue, woken) = &*SLEEPERS;
    let guard = queue.lock().unwrap();
    woken.notify_all();
    drop(guard);
}
