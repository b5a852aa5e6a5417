//! A lock for critical sections of some ten nanoseconds that more threads want than there are processors.
//!
//! The standard lock is made for fewer. Once one thread sleeps on it, every arriving one goes to sleep too, and every release
//! wakes one: after a holder was preempted once, all threads queue up, and each transfer of the lock costs the tens of microseconds
//! that waking a thread takes. Here an arriving thread always spins for a while, and may overtake sleepers; and a release wakes no thread
//! as long as the last one that was woken is still on its way. So the threads that run go on, and the sleepers join them one by one.

use rustix::thread::futex;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};

const LOCKED: u32 = 1;
/// A sleeper was woken, and neither got the lock yet nor went back to sleep.
const WAKING: u32 = 2;
/// One sleeper; the bits from here on count them.
const SLEEPER: u32 = 4;

/// How often an arriving thread looks before it sleeps: some microseconds, many times what the lock is held for, and little
/// against what waking a thread takes.
const LOOKS: u32 = 120;

/// The lock and its value.
pub(crate) struct Turn<T> {
    state: AtomicU32,
    /// Sleepers that were woken and did not notice yet; they sleep while it is 0.
    wakes: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by one thread at a time, through a guard, so it need not be `Sync`.
unsafe impl<T: Send> Sync for Turn<T> {}

impl<T> fmt::Debug for Turn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

impl<T> Turn<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { state: AtomicU32::new(0), wakes: AtomicU32::new(0), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        if self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_contended();
        }
        Guard { turn: self, value: PhantomData }
    }

    #[cold]
    fn lock_contended(&self) {
        // Whether `WAKING` was set for this thread.
        let mut was_woken = false;
        let settled = |state: u32, was_woken: bool| if was_woken { state & !WAKING } else { state };
        loop {
            for _ in 0..LOOKS {
                let state = self.state.load(Ordering::Relaxed);
                let wanted = settled(state, was_woken) | LOCKED;
                if state & LOCKED == 0 && self.exchange(state, wanted) {
                    return;
                }
                std::hint::spin_loop();
            }
            let state = self.state.load(Ordering::Relaxed);
            // Only while it is locked is there a thread that will wake this one.
            if state & LOCKED == 0 || !self.exchange(state, settled(state, was_woken) + SLEEPER) {
                continue;
            }
            self.sleep();
            was_woken = true;
        }
    }

    fn exchange(&self, current: u32, new: u32) -> bool {
        self.state.compare_exchange_weak(current, new, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Returns once for each call of [`Turn::wake`], in some thread that sleeps.
    fn sleep(&self) {
        loop {
            let wakes = self.wakes.load(Ordering::Relaxed);
            if wakes == 0 {
                // It ends early where there is a wake already, or by a signal: then it is looked at again.
                let _ = futex::wait(&self.wakes, futex::Flags::PRIVATE, 0, None);
            } else if self.wakes.compare_exchange(wakes, wakes - 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }

    #[inline]
    fn release(&self) {
        let state = self.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED;
        if state >= SLEEPER {
            self.wake(state);
        }
    }

    /// Wakes a sleeper, unless one is being woken, or another thread has the lock and will do it.
    #[cold]
    fn wake(&self, mut state: u32) {
        while state >= SLEEPER && state & (LOCKED | WAKING) == 0 {
            let wanted = (state - SLEEPER) | WAKING;
            match self.state.compare_exchange_weak(state, wanted, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.wakes.fetch_add(1, Ordering::Relaxed);
                    // It fails for an unmapped word only, and this one is mapped.
                    let _ = futex::wake(&self.wakes, futex::Flags::PRIVATE, 1);
                    return;
                }
                Err(now) => state = now,
            }
        }
    }
}

/// The value, as long as the lock is held.
pub(crate) struct Guard<'a, T> {
    turn: &'a Turn<T>,
    /// It may be sent and shared as far as a borrow of the value may.
    value: PhantomData<&'a mut T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard says that this thread has the lock.
        unsafe { &*self.turn.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard says that this thread has the lock, and there is one guard.
        unsafe { &mut *self.turn.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.turn.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn lock_is_exclusive_and_wakes_every_sleeper() {
        const ROUNDS: usize = if cfg!(miri) { 50 } else { 20_000 };
        const THREADS: &[usize] = if cfg!(miri) { &[2, 3] } else { &[2, 3, 16, 64] };
        for &threads in THREADS {
            let turn = Turn::new((0, 0));
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for round in 0..ROUNDS {
                            let mut taken = turn.lock();
                            taken.0 += 1;
                            if round % (ROUNDS / 20) == 0 {
                                // Long enough for others to go to sleep.
                                thread::yield_now();
                            }
                            taken.1 += 1;
                            assert_eq!(taken.0, taken.1);
                        }
                    });
                }
            });
            assert_eq!(*turn.lock(), (threads * ROUNDS, threads * ROUNDS));
            assert_eq!((turn.state.load(Ordering::Relaxed), turn.wakes.load(Ordering::Relaxed)), (0, 0));
        }
    }
}
