//! The clock of the samples, behind a trait so that tests can use a fake one.

use std::time::Instant;

/// A monotonic clock.
pub trait Clock {
    /// Nanoseconds since a fixed time.
    fn now_ns(&self) -> u64;
}

/// The operating system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    start: Instant,
}

impl MonotonicClock {
    /// A clock that starts at 0 now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    #[inline]
    fn now_ns(&self) -> u64 {
        let elapsed = self.start.elapsed();
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }
}

/// A clock that tests advance.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeClock(std::rc::Rc<std::cell::Cell<u64>>);

#[cfg(test)]
impl FakeClock {
    pub(crate) fn advance(&self, ns: u64) {
        self.0.set(self.0.get() + ns);
    }
}

#[cfg(test)]
impl Clock for FakeClock {
    fn now_ns(&self) -> u64 {
        self.0.get()
    }
}
