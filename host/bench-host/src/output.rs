//! Writes results to standard output, and messages to standard error. A pipe that its reader closes early is not an error.

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

/// Writes an error and its causes as one line to standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Some errors already contain the text of their source.
        if !parts.last().is_some_and(|last| last.ends_with(&text)) {
            parts.push(text);
        }
    }
    line(&format!("bench-host: {}", parts.join(": ")));
}

/// Writes one line to standard error. Control characters are escaped, because the line may contain text of a module.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{}", bench_report::escape(text));
}
