//! Where the task runner speaks: one line at a time on standard output.
//! It must not know what is said.

use std::io::Write;

/// Prints one line. A reader that went away is not an error: the work goes on, as for any tool behind a pipe.
pub(crate) fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
}
