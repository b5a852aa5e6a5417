//! The table at the end of a test run: each step with its outcome and duration.

use std::fmt::Write;
use std::time::Duration;

/// One row.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) title: &'static str,
    pub(super) verdict: Verdict,
}

/// The outcome of a step, and its duration.
#[derive(Debug)]
pub(super) enum Verdict {
    Passed(Duration),
    Failed(Duration),
    /// It was skipped.
    Skipped(Duration),
    /// It passed before with the same inputs, and was not repeated.
    Unchanged(Duration),
    /// It was not run, because an earlier step failed.
    NotRun,
}

/// Formats the rows in aligned columns, with the total in the last row.
pub(super) fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.title.len()).max().unwrap_or(0).max("total".len());
    let mut text = String::new();
    let mut total = Duration::ZERO;
    for line in lines {
        let (word, took) = match line.verdict {
            Verdict::Passed(took) => ("passed", Some(took)),
            Verdict::Failed(took) => ("FAILED", Some(took)),
            Verdict::Skipped(took) => ("skipped", Some(took)),
            Verdict::Unchanged(took) => ("unchanged", Some(took)),
            Verdict::NotRun => ("not run", None),
        };
        let took = took.inspect(|&took| total += took).map(seconds).unwrap_or_default();
        let row = format!("  {:<width$}  {word:<9}  {took:>9}", line.title);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", row.trim_end());
    }
    let _ = write!(text, "  {:<width$}  {:<9}  {:>9}", "total", "", seconds(total));
    text
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_totalled() {
        let lines = [
            Line { title: "setup", verdict: Verdict::Passed(Duration::from_millis(1200)) },
            Line { title: "clippy, host", verdict: Verdict::Failed(Duration::from_secs(100)) },
            Line { title: "Miri", verdict: Verdict::Unchanged(Duration::from_millis(100)) },
            Line { title: "tests", verdict: Verdict::NotRun },
        ];
        let expect = "  setup         passed         1.2 s\n\
                      \x20 clippy, host  FAILED       100.0 s\n\
                      \x20 Miri          unchanged      0.1 s\n\
                      \x20 tests         not run\n\
                      \x20 total                      101.3 s";
        assert_eq!(table(&lines), expect);
    }
}
