//! Tells the parent what a worker does, so that an error can say so, and how long it is likely to need, so that its deadline follows from
//! what was asked for. A worker that makes no progress tells nothing, and is killed.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A line that the worker sends before its reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// The time that it is likely to need from now on.
    ExpectNs(u64),
    /// What it does from now on.
    Doing(Doing),
}

/// What a worker does: `verifying`, `opening wasm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    /// The participle of a verb.
    what: String,
    /// The label of the arm that it does this to, if it has several.
    arm: Option<String>,
}

/// What a worker does that compiles a component, which may take minutes. It is no arm that it does this to, but a file.
pub const COMPILING: &str = "compiling";

impl Doing {
    /// Whether it is what this participle says.
    pub fn is(&self, what: &str) -> bool {
        self.what == what
    }

    /// The label of the arm that it does this to, if it has several.
    pub fn arm(&self) -> Option<&str> {
        self.arm.as_deref()
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Native code in the worker can write such a message too.
        let plain = |text: &str| text.replace(char::is_control, " ");
        f.write_str(&plain(&self.what))?;
        self.arm().map_or(Ok(()), |arm| write!(f, " {}", plain(arm)))
    }
}

/// How the lines begin; a reply begins otherwise.
const BEGINS: [&[u8]; 2] = [b"{\"expect_ns\":", b"{\"doing\":"];

/// Longer than any such line.
const LINE_BYTES_MAX: usize = 4096;

/// Longer than any label of an arm that people choose.
const ARM_CHARS_MAX: usize = 200;

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
    send(|| Progress::ExpectNs(expect_ns));
}

/// Tells the parent what this worker does from now on, as the participle of a verb: `opening`; and to which arm, if it has several. Never
/// called between samples. Does nothing in a process that is not a worker.
pub fn doing(what: &str, arm: Option<&str>) {
    let cut = |arm: &str| arm.chars().take(ARM_CHARS_MAX).collect();
    send(|| Progress::Doing(Doing { what: what.to_owned(), arm: arm.map(cut) }));
}

fn send(progress: impl FnOnce() -> Progress) {
    let Some(parent) = PARENT.get() else { return };
    let mut line = serde_json::to_vec(&progress()).expect("a number and texts are JSON");
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

/// Takes the messages about progress from the beginning of `bytes`, in order.
pub(super) fn take(bytes: &mut Vec<u8>) -> Vec<Progress> {
    let mut taken = Vec::new();
    while BEGINS.iter().any(|begin| bytes.starts_with(begin)) {
        let Some(end) = bytes.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n') else { break };
        // A malformed line is left for the parser of the reply, which refuses it.
        let Ok(progress) = serde_json::from_slice(&bytes[..end]) else { break };
        taken.push(progress);
        bytes.drain(..=end);
    }
    taken
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
        let check = |text: &str, expect: &[Progress], rest: &str| {
            let mut bytes = text.as_bytes().to_vec();
            assert_eq!((&take(&mut bytes)[..], bytes.as_slice()), (expect, rest.as_bytes()), "{text}");
        };
        let expects = Progress::ExpectNs;
        let does = |what: &str, arm: Option<&str>| {
            Progress::Doing(Doing { what: what.to_owned(), arm: arm.map(str::to_owned) })
        };
        check(
            "{\"expect_ns\":5}\n{\"expect_ns\":6}\n{\"Measured\":1}\n",
            &[expects(5), expects(6)],
            "{\"Measured\":1}\n",
        );
        check("{\"expect_ns\":5}\n{\"expe", &[expects(5)], "{\"expe");
        check("{\"expect_ns\":", &[], "{\"expect_ns\":");
        check("{\"expect_ns\":-1}\n", &[], "{\"expect_ns\":-1}\n");
        check("{\"Measured\":1}\n", &[], "{\"Measured\":1}\n");
        for message in [does("opening", None), does("verifying", Some("wasm+a\n\"b\""))] {
            check(&format!("{}\n{{", serde_json::to_string(&message).unwrap()), &[message], "{");
        }
    }

    #[test]
    fn longest_label_is_taken() {
        let arm = Some("\u{1}".repeat(ARM_CHARS_MAX));
        let message = Progress::Doing(Doing { what: "verifying".to_owned(), arm });
        let mut line = serde_json::to_vec(&message).unwrap();
        line.push(b'\n');
        assert_eq!(take(&mut line), [message]);
        let hostile = Doing { what: "opening".to_owned(), arm: Some("wasm\u{1b}[2J".to_owned()) };
        assert_eq!(hostile.to_string(), "opening wasm [2J");
    }
}
