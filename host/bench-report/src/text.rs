//! Words and numbers as people read them, shared by tables and notes.

use crate::scale;

/// `400`, or `12.3k × 1024` where a sample spans several operations; `~` marks the mean of batches that differ.
pub(crate) fn samples(samples: u64, operations: u64, batch: Option<u64>) -> String {
    let shown = scale::count(samples as f64);
    match batch {
        Some(1) => shown,
        Some(batch) => format!("{shown} × {}", scale::count(batch as f64)),
        None => format!("{shown} × ~{}", scale::count((operations as f64 / samples as f64).round())),
    }
}

/// `1 comparison`, `3 comparisons`, `2 processes`.
pub(crate) fn number(count: usize, what: &str) -> String {
    let plural = match (count, what.ends_with('s')) {
        (1, _) => "",
        (_, true) if what.ends_with("series") => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {what}{plural}")
}
