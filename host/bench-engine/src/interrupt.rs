//! A user's wish to stop, told to whoever is waiting at the moment. The run so far is kept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Set once, by a signal handler's thread or a test.
#[derive(Default)]
pub struct Interrupt {
    raised: AtomicBool,
    next: AtomicU64,
    /// How to wake those who wait for something else.
    waiting: Mutex<Vec<(u64, Wake)>>,
}

type Wake = Box<dyn Fn() + Send>;

/// Keeps a waker until it is dropped.
#[must_use]
#[derive(Debug)]
pub struct Subscription<'a> {
    interrupt: &'a Interrupt,
    id: u64,
}

impl Interrupt {
    /// Nobody wants to stop yet.
    pub const fn new() -> Self {
        Self { raised: AtomicBool::new(false), next: AtomicU64::new(0), waiting: Mutex::new(Vec::new()) }
    }

    /// Asks to stop. Returns whether that had been asked for before.
    pub fn raise(&self) -> bool {
        let before = self.raised.swap(true, Ordering::SeqCst);
        for (_, wake) in self.waiting().iter() {
            wake();
        }
        before
    }

    /// Whether somebody wants to stop.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Has `wake` called when somebody wants to stop, or at once where somebody does already.
    pub fn subscribe(&self, wake: impl Fn() + Send + 'static) -> Subscription<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut waiting = self.waiting();
        if self.is_raised() {
            wake();
        }
        waiting.push((id, Box::new(wake)));
        Subscription { interrupt: self, id }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(u64, Wake)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.interrupt.waiting().retain(|(id, _)| *id != self.id);
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupt").field("raised", &self.is_raised()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn who_waits_is_woken_and_who_has_left_is_not() {
        let interrupt = Interrupt::new();
        let (sender, receiver) = mpsc::channel();
        let (left, stayed) = (sender.clone(), sender.clone());
        drop(interrupt.subscribe(move || left.send("left").unwrap()));
        let _subscription = interrupt.subscribe(move || stayed.send("stayed").unwrap());
        assert!(!interrupt.raise());
        let _late = interrupt.subscribe(move || sender.send("late").unwrap());
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), ["stayed", "late"]);
        assert!(interrupt.raise(), "it had been raised before");
    }
}
