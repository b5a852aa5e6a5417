//! One picture of the screen as lines of text: a function of the state and the size, so that it can be tested without a terminal.

use bench_model::Unit;
use bench_report::{escape, scale};
use bench_sink::runfile::Status;
use bench_stats::Distribution;
use std::collections::VecDeque;
use unicode_width::UnicodeWidthChar;

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) cells: Vec<CellState>,
    /// The row of the cell that is measured, or was measured last.
    pub(super) current: Option<usize>,
    /// Repetitions.
    pub(super) done: usize,
    pub(super) all: usize,
    /// The time that is left.
    pub(super) left: String,
    /// The samples of the current row so far.
    pub(super) samples: Distribution,
    pub(super) log: VecDeque<String>,
}

/// One cell.
#[derive(Debug)]
pub(super) struct CellState {
    /// Not escaped.
    pub(super) title: String,
    /// Repetitions that are left.
    pub(super) left: u32,
    /// How its last repetition ended.
    pub(super) status: Option<Status>,
    pub(super) samples: u64,
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) unit: Unit,
}

/// The size of the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Lines of the histogram.
const HISTOGRAM_LINES: usize = 8;

/// Lines of the log.
const LOG_LINES: usize = 4;

/// Columns of the figures to the right of a title.
const FIGURES_WIDTH: usize = 44;

/// The bar of the histogram, in eighths of a character.
const BARS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

impl Frame {
    /// At most as many lines as the screen has, none wider than it.
    pub(super) fn lines(self, state: &State) -> Vec<String> {
        let mut lines = vec![self.head(state), String::new(), self.columns()];
        let below = if self.height >= 24 { HISTOGRAM_LINES + LOG_LINES + 4 } else { 0 };
        let rows = self.height.saturating_sub(lines.len() + below);
        lines.extend(self.rows(state, rows));
        if below > 0 {
            lines.push(String::new());
            lines.extend(self.histogram(state));
            lines.push(String::new());
            lines.extend(state.log.iter().rev().take(LOG_LINES).rev().map(|line| escape(line).into_owned()));
        }
        lines.truncate(self.height);
        lines.iter().map(|line| fitted(line, self.width)).collect()
    }

    fn head(self, state: &State) -> String {
        let width = 24;
        let filled = (width * state.done).checked_div(state.all).unwrap_or_default();
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(width - filled));
        format!("{bar} {}/{}  {} left  Ctrl-C stops and keeps the results", state.done, state.all, state.left)
    }

    fn title_width(self) -> usize {
        self.width.saturating_sub(FIGURES_WIDTH + 2).max(10)
    }

    fn columns(self) -> String {
        format!("  {}{:>10}{:>12}{:>12}{:>10}", padded("cell", self.title_width()), "n", "p50", "p99", "left")
    }

    /// The rows around the current cell.
    fn rows(self, state: &State, rows: usize) -> Vec<String> {
        let current = state.current.unwrap_or_default();
        let last_first = state.cells.len().saturating_sub(rows);
        let first = current.saturating_sub(rows / 2).min(last_first);
        let shown = state.cells.iter().enumerate().skip(first).take(rows);
        shown.map(|(row, cell)| self.row(cell, state.current == Some(row))).collect()
    }

    fn row(self, cell: &CellState, is_current: bool) -> String {
        let mark = if is_current { "▶ " } else { "  " };
        let title = padded(&fitted(&escape(&cell.title), self.title_width()), self.title_width());
        let figure =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| scale::figure(value, &cell.unit));
        let state = match (cell.status, cell.left) {
            (Some(Status::Failed), _) => "FAILED".to_owned(),
            (Some(Status::Skipped), _) => "skipped".to_owned(),
            (Some(Status::Void), 0) => "void".to_owned(),
            (Some(_), 0) => "done".to_owned(),
            (_, left) => left.to_string(),
        };
        let samples = if cell.samples == 0 { "–".to_owned() } else { scale::count(cell.samples as f64) };
        format!("{mark}{title}{samples:>10}{:>12}{:>12}{state:>10}", figure(cell.p50), figure(cell.p99))
    }

    /// The samples of the current row from the smallest to the 99th percentile, in bins of equal width.
    fn histogram(self, state: &State) -> Vec<String> {
        let title = state.current.and_then(|row| state.cells.get(row));
        let (Some(cell), Some(low), Some(high)) = (title, state.samples.min(), state.samples.quantile(0.99)) else {
            return vec!["no samples yet".to_owned()];
        };
        let bins = if high > low { HISTOGRAM_LINES } else { 1 };
        let width = (high - low) / bins as f64;
        let below = |bound: f64| state.samples.count_below(bound);
        // The last bin has the samples that equal the quantile.
        let starts = (0..bins).map(|bin| low + width * bin as f64);
        let bounds: Vec<f64> = starts.chain([high.next_up()]).collect();
        let counts: Vec<u64> = bounds.windows(2).map(|pair| below(pair[1]) - below(pair[0])).collect();
        let most = counts.iter().copied().max().unwrap_or_default().max(1);
        let room = self.width.saturating_sub(32).max(8);
        let heading =
            format!("{}: {} samples, up to p99", escape(&cell.title), scale::count(state.samples.count() as f64));
        let bar = |(bound, count): (&f64, &u64)| {
            let eighths = (*count as f64 / most as f64 * (room * 8) as f64).round() as usize;
            let rest = BARS[eighths % 8];
            let text = format!(
                "{:>12} {}{}",
                scale::figure(*bound, &cell.unit),
                "█".repeat(eighths / 8),
                if rest == ' ' { String::new() } else { rest.to_string() }
            );
            format!("{text} {}", scale::count(*count as f64))
        };
        std::iter::once(heading).chain(bounds.iter().zip(&counts).map(bar)).collect()
    }
}

/// `text`, cut where it is wider than `width`.
fn fitted(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|letter| {
            used += letter.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

fn padded(text: &str, width: usize) -> String {
    let used: usize = text.chars().map(|letter| letter.width().unwrap_or(0)).sum();
    format!("{text}{}", " ".repeat(width.saturating_sub(used)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let cell = |title: &str, left, status, p50| CellState {
            title: title.to_owned(),
            left,
            status,
            samples: if status.is_some() { 1_500 } else { 0 },
            p50,
            p99: p50.map(|value| value * 2.0),
            unit: Unit::Nanoseconds,
        };
        State {
            cells: vec![
                cell("ring/stream  wasm  payload_bytes=64", 1, Some(Status::Ok), Some(580.0)),
                cell("ring/stream  native  payload_bytes=64", 0, Some(Status::Failed), None),
                cell("\u{1b}[31mring/bad  wasm", 3, None, None),
            ],
            current: Some(0),
            done: 3,
            all: 9,
            left: "12 s".to_owned(),
            samples: Distribution::new((0..100).map(|at| (500.0 + f64::from(at), u64::from(100 - at as u32)))),
            log: VecDeque::from(["ring/stream  native  FAILED: \u{1b}[2J".to_owned()]),
        }
    }

    #[test]
    fn every_line_fits_the_screen_and_no_control_character_reaches_it() {
        for (width, height) in [(100, 30), (80, 24), (40, 12), (20, 5), (1, 1)] {
            let lines = Frame { width, height }.lines(&state());
            assert!(lines.len() <= height, "{width} × {height}: {}", lines.len());
            for line in &lines {
                let used: usize = line.chars().map(|letter| letter.width().unwrap_or(0)).sum();
                assert!(used <= width && !line.contains(char::is_control), "{width} × {height}: {line:?}");
            }
        }
    }

    #[test]
    fn figures_histogram_and_log_are_shown() {
        let lines = Frame { width: 100, height: 30 }.lines(&state());
        assert!(lines[0].starts_with("████████░░░░░░░░░░░░░░░░ 3/9  12 s left"), "{}", lines[0]);
        let row =
            |text: &str| lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
        assert!(row("▶ ring/stream  wasm").ends_with("1500      580 ns     1.16 µs         1"));
        assert!(row("ring/stream  native  payload").ends_with("FAILED"));
        assert!(row("samples, up to p99").contains("5050"));
        assert!(lines.iter().filter(|line| line.contains('█')).count() >= 8, "{lines:#?}");
    }

    #[test]
    fn rows_scroll_to_the_current_cell() {
        let mut many = state();
        many.cells = (0..100)
            .map(|at| CellState {
                title: format!("m/s{at}"),
                left: 1,
                status: None,
                samples: 0,
                p50: None,
                p99: None,
                unit: Unit::Count,
            })
            .collect();
        many.current = Some(70);
        let lines = Frame { width: 80, height: 24 }.lines(&many);
        assert!(lines.iter().any(|line| line.starts_with("▶ m/s70")), "{lines:#?}");
    }
}
