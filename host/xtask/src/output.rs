//! Prints messages, one line at a time, to standard output.

use std::io::Write;

/// Prints one line. A closed pipe is not an error: the task continues.
pub(crate) fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
}
