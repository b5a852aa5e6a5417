//! Tells the parent how long a worker is likely to need, so that its deadline follows from what was asked for. A worker that makes
//! no progress tells nothing, and is killed.

use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A line that the worker sends before its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The time that it is likely to need from now on.
    expect_ns: u64,
}

/// How the line begins; a reply begins otherwise.
pub(super) const BEGIN: &[u8] = b"{\"expect_ns\":";

/// Longer than any such line.
const LINE_BYTES_MAX: usize = 64;

/// The channel to the parent, in a worker.
static PARENT: OnceLock<Mutex<UnixStream>> = OnceLock::new();

/// The time of the last message about counted operations.
static LAST_NS: AtomicU64 = AtomicU64::new(0);

/// The time between two messages.
const EVERY_NS: u64 = 1_000_000_000;

/// Sets the channel of this worker.
pub(super) fn connect(channel: &UnixStream) -> std::io::Result<()> {
    // A second request in one process does not occur.
    let _ = PARENT.set(Mutex::new(channel.try_clone()?));
    Ok(())
}

/// Tells the parent that this worker is likely to need so much time from now on. Does nothing in a process that is not a worker.
pub fn expect_ns(expect_ns: u64) {
    let Some(parent) = PARENT.get() else { return };
    let mut line = serde_json::to_vec(&Progress { expect_ns }).expect("a number is JSON");
    line.push(b'\n');
    // A parent that is gone ends this worker.
    let _ = parent.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
}

/// Tells it at most once a second, from `elapsed_ns` in which `done` of `wanted` operations were done. Called between samples.
pub(crate) fn operations(elapsed_ns: u64, done: u64, wanted: u64) {
    if PARENT.get().is_none() || elapsed_ns.abs_diff(LAST_NS.load(Ordering::Relaxed)) < EVERY_NS {
        return;
    }
    LAST_NS.store(elapsed_ns, Ordering::Relaxed);
    expect_ns(remaining_ns(elapsed_ns, done, wanted));
}

fn remaining_ns(elapsed_ns: u64, done: u64, wanted: u64) -> u64 {
    let each_ns = elapsed_ns as f64 / done.max(1) as f64;
    (each_ns * wanted.saturating_sub(done) as f64) as u64
}

/// Takes the messages about progress from the beginning of `bytes`; returns the last one.
pub(super) fn take(bytes: &mut Vec<u8>) -> Option<u64> {
    let mut last = None;
    while bytes.starts_with(BEGIN) {
        let Some(end) = bytes.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n') else { break };
        // A malformed line is left for the parser of the reply, which refuses it.
        let Ok(progress) = serde_json::from_slice::<Progress>(&bytes[..end]) else { break };
        last = Some(progress.expect_ns);
        bytes.drain(..=end);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_time_follows_from_the_speed_so_far() {
        assert_eq!(remaining_ns(2_000, 10, 15), 1_000);
        assert_eq!(remaining_ns(2_000, 15, 15), 0);
        assert_eq!(remaining_ns(7, 0, 3), 21, "nothing is done yet");
    }

    #[test]
    fn messages_are_taken_from_before_the_reply() {
        let check = |text: &str, expect: Option<u64>, rest: &str| {
            let mut bytes = text.as_bytes().to_vec();
            assert_eq!((take(&mut bytes), bytes.as_slice()), (expect, rest.as_bytes()), "{text}");
        };
        check("{\"expect_ns\":5}\n{\"expect_ns\":6}\n{\"Measured\":1}\n", Some(6), "{\"Measured\":1}\n");
        check("{\"expect_ns\":5}\n{\"expe", Some(5), "{\"expe");
        check("{\"expect_ns\":", None, "{\"expect_ns\":");
        check("{\"expect_ns\":-1}\n", None, "{\"expect_ns\":-1}\n");
        check("{\"Measured\":1}\n", None, "{\"Measured\":1}\n");
    }
}
