//! Waiting for the other end: spinning, or spinning and then sleeping on a futex.

use crate::Waking;
use crate::header::Seat;
use crate::sync::{Ordering, fence, futex_wait, futex_wake, spin_loop};
use std::time::Duration;

/// How an end waits for the other. Every wait is bounded, so that the caller can check whether its peer is alive. A wait may also end
/// early; then call it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Checks `rounds` times, without a system call.
    Spin {
        /// The number of checks.
        rounds: u32,
    },
    /// Checks `rounds` times, then sleeps until the peer wakes it or the timeout is over. Needs a ring with [`Waking::Futex`]; on any
    /// other it always sleeps for the whole timeout.
    Park {
        /// The number of checks.
        rounds: u32,
        /// The longest sleep.
        timeout: Duration,
    },
}

/// Checks `ready` until it is true or `wait` times out; returns its last result. `own` is the waiting end's seat.
#[inline]
pub(crate) fn until(wait: Wait, own: &Seat, mut ready: impl FnMut() -> bool) -> bool {
    let (Wait::Spin { rounds } | Wait::Park { rounds, .. }) = wait;
    for _ in 0..rounds {
        if ready() {
            return true;
        }
        spin_loop();
    }
    match wait {
        Wait::Spin { .. } => ready(),
        Wait::Park { timeout, .. } => park(own, timeout, ready),
    }
}

/// Announces the sleep, looks once more, and sleeps.
#[cold]
fn park(own: &Seat, timeout: Duration, mut ready: impl FnMut() -> bool) -> bool {
    own.asleep.store(1, Ordering::Relaxed);
    // The announcement must be visible before the last look; the fence in `wake` stands between the peer's publication
    // and its look at the announcement. So at least one of the two sees what the other wrote.
    fence(Ordering::SeqCst);
    if !ready() {
        futex_wait(&own.asleep, 1, timeout);
    }
    own.asleep.store(0, Ordering::Relaxed);
    ready()
}

/// Wakes the peer where it sleeps; called after each publication.
#[inline]
pub(crate) fn wake(waking: Waking, peer: &Seat) {
    if waking == Waking::Never {
        return;
    }
    fence(Ordering::SeqCst);
    if peer.asleep.load(Ordering::Relaxed) != 0 {
        wake_sleeper(peer);
    }
}

/// Withdraws the announcement, so that only the first of several messages pays the system call.
#[cold]
fn wake_sleeper(peer: &Seat) {
    if peer.asleep.compare_exchange(1, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        futex_wake(&peer.asleep);
    }
}
