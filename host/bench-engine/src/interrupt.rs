//! Ctrl-C handling: an interrupt wakes any blocked wait.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A flag that the thread of a signal handler or a test raises once.
#[derive(Default)]
pub struct Interrupt {
    raised: AtomicBool,
    next: AtomicU64,
    /// Callbacks that wake blocked waits.
    waiting: Mutex<Vec<(u64, Wake)>>,
}

type Wake = Box<dyn Fn() + Send>;

/// Removes its waker on drop.
#[must_use]
#[derive(Debug)]
pub struct Subscription<'a> {
    interrupt: &'a Interrupt,
    id: u64,
}

impl Interrupt {
    /// An interrupt that is not raised.
    pub const fn new() -> Self {
        Self { raised: AtomicBool::new(false), next: AtomicU64::new(0), waiting: Mutex::new(Vec::new()) }
    }

    /// Raises the interrupt. Returns whether it was raised before.
    pub fn raise(&self) -> bool {
        let before = self.raised.swap(true, Ordering::SeqCst);
        for (_, wake) in self.waiting().iter() {
            wake();
        }
        before
    }

    /// Whether the interrupt is raised.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Registers `wake` to be called when the interrupt is raised, or calls it at once if it already is.
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
    fn registered_wakers_are_called_and_dropped_ones_are_not() {
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
