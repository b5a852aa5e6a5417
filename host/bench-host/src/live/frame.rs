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
    pub(super) middle: Option<Middle>,
    pub(super) p99: Option<f64>,
    pub(super) unit: Unit,
}

/// The figure in the column of medians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Middle {
    Median(f64),
    /// Of too few samples for a median. It is marked, as in tables.
    Mean(f64),
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

/// The lowest screen that has the histogram and the log below the cells.
const HEIGHT_WITH_PANELS: usize = 24;

/// The narrowest screen that has them: the figures next to a bar would be cut.
const WIDTH_WITH_PANELS: usize = 40;

/// The lowest screen with headings above the columns.
const HEIGHT_WITH_HEADINGS: usize = 8;

/// Characters of a title for which columns are left out.
const TITLE_MIN: usize = 16;

/// A column of figures to the right of the titles.
struct Column {
    heading: &'static str,
    width: usize,
    /// Where there is no room, the column with the highest rank is left out first.
    rank: u8,
    text: fn(&CellState) -> String,
}

static COLUMNS: [Column; 4] = [
    Column { heading: "n", width: 10, rank: 2, text: CellState::count },
    Column { heading: "p50", width: 14, rank: 1, text: CellState::middle },
    Column { heading: "p99", width: 12, rank: 3, text: CellState::p99 },
    Column { heading: "left", width: 10, rank: 0, text: CellState::left },
];

/// The bar of the histogram, in eighths of a character.
const BARS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

impl Frame {
    /// At most as many lines as the screen has, none wider than it. What has no room is left out as a whole, rather than cut.
    pub(super) fn lines(self, state: &State) -> Vec<String> {
        let columns = self.columns();
        let mut lines = vec![self.head(state)];
        if self.height >= HEIGHT_WITH_HEADINGS {
            lines.extend([String::new(), self.headings(&columns)]);
        }
        let has_panels = self.height >= HEIGHT_WITH_PANELS && self.width >= WIDTH_WITH_PANELS;
        let below = if has_panels { HISTOGRAM_LINES + LOG_LINES + 4 } else { 0 };
        let rows = self.height.saturating_sub(lines.len() + below);
        lines.extend(self.rows(state, &columns, rows));
        if has_panels {
            lines.push(String::new());
            lines.extend(self.histogram(state));
            lines.push(String::new());
            lines.extend(state.log.iter().rev().take(LOG_LINES).rev().map(|line| escape(line).into_owned()));
        }
        lines.truncate(self.height);
        lines.iter().map(|line| fitted(line, self.width)).collect()
    }

    /// How much is done, with a bar and a hint where there is room for them.
    fn head(self, state: &State) -> String {
        let width = 24;
        let filled = (width * state.done).checked_div(state.all).unwrap_or_default();
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(width - filled));
        let figures = format!("{}/{}  {} left", state.done, state.all, state.left);
        let with_bar = format!("{bar} {figures}");
        let whole = format!("{with_bar}  Ctrl-C stops and keeps the results");
        [whole, with_bar].into_iter().find(|head| width_of(head) <= self.width).unwrap_or(figures)
    }

    /// The columns for which there is room.
    fn columns(self) -> Vec<&'static Column> {
        let mut columns: Vec<&Column> = COLUMNS.iter().collect();
        while self.width < 2 + TITLE_MIN + figures_width(&columns)
            && let Some(last) = columns.iter().map(|column| column.rank).max()
        {
            columns.retain(|column| column.rank != last);
        }
        columns
    }

    fn title_width(self, columns: &[&Column]) -> usize {
        self.width.saturating_sub(2 + figures_width(columns))
    }

    fn headings(self, columns: &[&Column]) -> String {
        let figures = columns.iter().map(|column| format!("{:>width$}", column.heading, width = column.width));
        format!("  {}{}", padded("cell", self.title_width(columns)), figures.collect::<String>())
    }

    /// The rows around the current cell.
    fn rows(self, state: &State, columns: &[&Column], rows: usize) -> Vec<String> {
        let current = state.current.unwrap_or_default();
        let last_first = state.cells.len().saturating_sub(rows);
        let first = current.saturating_sub(rows / 2).min(last_first);
        let shown = state.cells.iter().enumerate().skip(first).take(rows);
        shown.map(|(row, cell)| self.row(cell, columns, state.current == Some(row))).collect()
    }

    fn row(self, cell: &CellState, columns: &[&Column], is_current: bool) -> String {
        let mark = if is_current { "▶ " } else { "  " };
        let width = self.title_width(columns);
        let title = padded(&fitted(&escape(&cell.title), width), width);
        // A figure that is wider than its column is still apart from the one before.
        let figures =
            columns.iter().map(|column| format!(" {:>width$}", (column.text)(cell), width = column.width - 1));
        format!("{mark}{title}{}", figures.collect::<String>())
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

impl CellState {
    fn count(&self) -> String {
        if self.samples == 0 { "–".to_owned() } else { scale::count(self.samples as f64) }
    }

    fn middle(&self) -> String {
        match self.middle {
            None => "–".to_owned(),
            Some(Middle::Median(value)) => scale::figure(value, &self.unit),
            Some(Middle::Mean(value)) => format!("mean {}", scale::figure(value, &self.unit)),
        }
    }

    fn p99(&self) -> String {
        self.p99.map_or_else(|| "–".to_owned(), |value| scale::figure(value, &self.unit))
    }

    /// How many repetitions are left, or how the cell ended.
    fn left(&self) -> String {
        match (self.status, self.left) {
            (Some(Status::Failed), _) => "FAILED".to_owned(),
            (Some(Status::Skipped), _) => "skipped".to_owned(),
            (Some(Status::Void), 0) => "void".to_owned(),
            (Some(_), 0) => "done".to_owned(),
            (_, left) => left.to_string(),
        }
    }
}

fn figures_width(columns: &[&Column]) -> usize {
    columns.iter().map(|column| column.width).sum()
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
    format!("{text}{}", " ".repeat(width.saturating_sub(width_of(text))))
}

fn width_of(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let cell = |title: &str, left, status, p50: Option<f64>| CellState {
            title: title.to_owned(),
            left,
            status,
            samples: if status.is_some() { 1_500 } else { 0 },
            middle: p50.map(Middle::Median),
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
                assert!(width_of(line) <= width && !line.contains(char::is_control), "{width} × {height}: {line:?}");
            }
        }
    }

    #[test]
    fn figures_histogram_and_log_are_shown() {
        let lines = Frame { width: 100, height: 30 }.lines(&state());
        assert!(lines[0].starts_with("████████░░░░░░░░░░░░░░░░ 3/9  12 s left"), "{}", lines[0]);
        let row =
            |text: &str| lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
        assert!(row("▶ ring/stream  wasm").ends_with("1500        580 ns     1.16 µs         1"));
        assert!(row("ring/stream  native  payload").ends_with("FAILED"));
        assert!(row("samples, up to p99").contains("5050"));
        assert!(lines.iter().filter(|line| line.contains('█')).count() >= 8, "{lines:#?}");
    }

    #[test]
    fn mean_that_stands_for_a_median_is_marked() {
        let mut few = state();
        few.cells[0].middle = Some(Middle::Mean(580.0));
        let lines = Frame { width: 100, height: 30 }.lines(&few);
        let row = lines.iter().find(|line| line.starts_with("▶ ")).unwrap();
        assert!(row.ends_with("1500   mean 580 ns     1.16 µs         1"), "{row}");
    }

    #[test]
    fn what_has_no_room_is_left_out_as_a_whole() {
        let check = |width, height, expect: &[&str]| {
            let lines = Frame { width, height }.lines(&state());
            let shown: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
            assert_eq!(shown, expect, "{width} × {height}");
        };
        let head = "████████░░░░░░░░░░░░░░░░ 3/9  12 s left";
        let narrow = [
            head,
            "",
            "  cell                             n           p50      left",
            "▶ ring/stream  wasm  paylo      1500        580 ns         1",
            "  ring/stream  native  pay      1500             –    FAILED",
            "  \\u{1b}[31mring/bad  wasm         –             –         3",
        ];
        check(60, 8, &narrow);
        check(
            42,
            3,
            &[head, "▶ ring/stream  was        580 ns         1", "  ring/stream  nat             –    FAILED"],
        );
        check(38, 1, &["3/9  12 s left"]);
        check(20, 2, &["3/9  12 s left", "▶ ring/stream  wasm"]);
        check(20, 1, &["3/9  12 s left"]);
        let is_histogram = |line: &String| line.starts_with("ring/stream  wasm");
        assert!(Frame { width: 40, height: 24 }.lines(&state()).iter().any(is_histogram));
        for (width, height) in [(39, 24), (40, 23)] {
            assert!(!Frame { width, height }.lines(&state()).iter().any(is_histogram), "{width} × {height}");
        }
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
                middle: None,
                p99: None,
                unit: Unit::Count,
            })
            .collect();
        many.current = Some(70);
        let lines = Frame { width: 80, height: 24 }.lines(&many);
        assert!(lines.iter().any(|line| line.starts_with("▶ m/s70")), "{lines:#?}");
    }
}
