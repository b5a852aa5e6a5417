//! The percentile distribution of a cell as HdrHistogram's tools print and plot it (`.hgrm`).

use super::cells::name;
use crate::{CellView, RunView, SeriesView, escape};
use bench_stats::Distribution;
use std::fmt::Write;

/// Lines between two halvings of the distance to 100 %, as HdrHistogram has by default.
const TICKS: f64 = 5.0;

/// The distribution of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hgrm {
    /// Scenario, arm and arguments of the cell. Not escaped.
    pub cell: String,
    /// A name for a file, different for every cell of a run.
    pub file: String,
    /// The file, in the unit of the series.
    pub text: String,
}

/// The timed series of each cell of `view` that has figures.
pub fn hgrm(view: &RunView) -> Vec<Hgrm> {
    let of_cell = |cell: &CellView| {
        let (name, timed) = (name(view, cell), cell.timed()?);
        let words: String = name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || ".=_".contains(letter) { letter } else { '-' })
            .collect();
        let short: String = words.chars().take(80).collect();
        Some(Hgrm { file: format!("{short}-{}.hgrm", cell.cell), text: text(&name, timed), cell: name })
    };
    view.cells.iter().filter_map(of_cell).collect()
}

fn text(name: &str, timed: &SeriesView) -> String {
    // Thousandths would lose most of values below a tenth.
    let digits = if timed.summary.min < 0.1 { 9 } else { 3 };
    let mut out = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for (value, level, count) in levels(&timed.distribution) {
        let written = match level < 100.0 {
            true => {
                let distance = 100.0 / (100.0 - level);
                writeln!(out, "{value:>12.digits$} {:>2.12} {count:>10} {distance:>14.2}", level / 100.0)
            }
            false => writeln!(out, "{value:>12.digits$} {:>2.12} {count:>10}", level / 100.0),
        };
        written.expect("a string takes all text");
    }
    let summary = &timed.summary;
    let deviation = summary.std_dev.unwrap_or(0.0);
    let (mean, max, count) = (summary.mean, summary.max, summary.count);
    let written = writeln!(
        out,
        "#[Mean    = {mean:>12.digits$}, StdDeviation   = {deviation:>12.digits$}]\n\
         #[Max     = {max:>12.digits$}, Total count    = {count:>12}]\n\
         #[Cell    = {}, Unit = {}]",
        escape(name),
        escape(timed.unit.as_str())
    );
    written.expect("a string takes all text");
    out
}

/// Value, level in per cent, and how many samples do not exceed the value, at levels whose distance to 100 % is halved every few lines.
fn levels(distribution: &Distribution) -> Vec<(f64, f64, u64)> {
    let total = distribution.count() as f64;
    let (mut seen, mut next) = (0u64, 0.0f64);
    let mut levels = Vec::new();
    for (value, count) in distribution.points() {
        seen += count;
        let reached = 100.0 * seen as f64 / total;
        while next < 100.0 && reached >= next {
            levels.push((value, next, seen));
            // Where all samples are seen, the last line follows.
            if seen == distribution.count() {
                break;
            }
            let halvings = (100.0 / (100.0 - next)).log2().floor() + 1.0;
            next += 100.0 / (TICKS * halvings.exp2());
        }
    }
    levels.extend(distribution.max().map(|max| (max, 100.0, seen)));
    levels
}
