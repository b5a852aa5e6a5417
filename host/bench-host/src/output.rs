//! Writing for people and programs: results to standard output, everything else to standard error. A reader that closes the
//! pipe early is not an error.

use std::io::{self, Write};

/// Writes `text` and a line end to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Writes one line that says what went wrong, with its causes, to standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Some errors repeat their source in their own text.
        if !parts.last().is_some_and(|last| last.ends_with(&text)) {
            parts.push(text);
        }
    }
    line(&format!("bench-host: {}", parts.join(": ")));
}

/// Writes one line to standard error; what a module has said cannot reach the terminal as anything but text.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{}", bench_report::escape(text));
}
