//! Shows the progress of a run on standard error: a line per finished cell, and in a terminal below them a bar with the remaining time.
//! Nothing is drawn while a repetition is measured.

use crate::cost::duration;
use crate::output;
use bench_engine::{Expected, Finished, Forecast, Observer, Plan, Repetition};
use bench_sink::runfile::Status;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A progress bar that counts repetitions, and the lines above it.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether there is no bar, because standard error is a file or a pipe, and the lines are written to it as they are.
    is_piped: bool,
    forecast: Forecast,
    begun: Instant,
    cells: HashMap<u32, CellProgress>,
}

/// The repetitions of one cell.
#[derive(Clone, Debug, Default)]
struct CellProgress {
    left: u32,
    /// The medians of the repetitions that have one.
    medians: Vec<f64>,
    unit: Option<bench_model::Unit>,
}

/// Whether a bar is drawn: standard error is a terminal, and `--quiet` was not given.
pub(crate) fn is_watched(is_quiet: bool) -> bool {
    !is_quiet && std::io::stderr().is_terminal()
}

impl Progress {
    /// A bar for `repetitions`, each of which is one repetition of the cells that `cells_of` returns.
    pub(crate) fn new(
        repetitions: &[Repetition],
        cells_of: impl Fn(Repetition) -> Vec<u32>,
        expected: Expected,
        is_quiet: bool,
    ) -> Self {
        let is_watched = is_watched(is_quiet);
        let target = if is_watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(repetitions.len() as u64), target);
        // The template is a valid constant.
        let style =
            ProgressStyle::with_template("{bar:24} {pos}/{len}  {prefix}  {msg}").expect("the template is valid");
        bar.set_style(style);
        let mut cells: HashMap<u32, CellProgress> = HashMap::new();
        for cell in repetitions.iter().flat_map(|repetition| cells_of(*repetition)) {
            cells.entry(cell).or_default().left += 1;
        }
        let forecast = Forecast::new(repetitions.iter().copied(), expected);
        Self { bar, is_piped: !is_quiet && !is_watched, forecast, begun: Instant::now(), cells }
    }

    /// Prints the line of a cell that has ended.
    fn print(&self, line: &str) {
        if self.is_piped {
            output::line(line);
        } else {
            self.bar.println(bench_report::escape(line));
        }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn show_left(&self) {
        let left = self.forecast.left_ns(self.now_ns());
        let left = left.map_or_else(|| "–".to_owned(), |ns| duration(Duration::from_nanos(ns)));
        self.bar.set_prefix(format!("{left} left"));
    }
}

impl CellProgress {
    /// Adds a repetition; returns whether it was the last of its cell.
    fn take(&mut self, finished: &Finished) -> bool {
        if let Some((median, unit)) = &finished.median {
            self.medians.push(*median);
            self.unit = Some(unit.clone());
        }
        self.left = if finished.is_tried_again() { self.left.saturating_sub(1) } else { 0 };
        self.left == 0
    }

    /// The figure, or how the cell ended without one. The figure is the median of the processes' medians; the table has the median
    /// of all samples.
    fn text(&mut self, finished: &Finished) -> String {
        self.medians.sort_by(f64::total_cmp);
        let middle = self.medians.get(self.medians.len().saturating_sub(1) / 2);
        let outcome = &finished.outcome;
        match (outcome.status, middle.zip(self.unit.as_ref())) {
            (Status::Ok | Status::Void, Some((median, unit))) => {
                format!("p50 {}", bench_report::scale::figure(*median, unit))
            }
            (Status::Ok, None) => "ok".to_owned(),
            (status, _) => {
                let word = match status {
                    Status::Failed => "FAILED",
                    Status::Skipped => "skipped",
                    Status::Void | Status::Ok => "void",
                };
                format!("{word}: {}", outcome.reason.as_deref().unwrap_or("no reason was given"))
            }
        }
    }
}

/// `module/scenario  arm  arguments`.
pub(crate) fn cell_title(plan: &Plan, cell: u32) -> String {
    let cell = plan.cell(cell);
    let offer = plan.offer(cell);
    let variant = offer.variant.as_ref().map_or_else(String::new, |variant| format!("+{variant}"));
    format!("{}  {}{variant}  {}", plan.full_name(cell), offer.arm, cell.arguments).trim_end().to_owned()
}

impl Observer for Progress {
    fn started(&mut self, plan: &Plan, repetition: Repetition, _: usize) {
        let now_ns = self.now_ns();
        self.forecast.start(repetition, now_ns);
        let done = self.bar.length().unwrap_or_default().saturating_sub(self.forecast.repetitions_left() as u64);
        self.bar.set_position(done);
        self.show_left();
        self.bar.set_message(bench_report::escape(&cell_title(plan, repetition.cell)).into_owned());
        let cell = plan.cell(repetition.cell);
        tracing::debug!(scenario = plan.full_name(cell), arm = %plan.offer(cell).arm, arguments = %cell.arguments, process = repetition.process, left_ns = self.forecast.left_ns(now_ns), "started");
    }

    fn finished(&mut self, plan: &Plan, finished: &Finished) {
        let now_ns = self.now_ns();
        self.forecast.finish(now_ns, finished.is_tried_again());
        let outcome = &finished.outcome;
        if let Some(cell) = self.cells.get_mut(&outcome.cell)
            && cell.take(finished)
        {
            let line = format!("{}  {}", cell_title(plan, outcome.cell), cell.text(finished));
            self.print(&line);
        }
        let name = plan.full_name(plan.cell(outcome.cell));
        match (outcome.status, &outcome.reason) {
            (Status::Failed, Some(reason)) => tracing::info!(scenario = name, %reason, "failed"),
            (Status::Skipped, Some(reason)) => tracing::info!(scenario = name, %reason, "skipped"),
            (Status::Void, Some(reason)) => tracing::info!(scenario = name, %reason, "void"),
            _ => tracing::debug!(scenario = name, iterations = outcome.iterations, "finished"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::runfile::OutcomeRecord;

    fn finished(status: Status, median: Option<f64>) -> Finished {
        let outcome = OutcomeRecord { reason: Some("why".to_owned()), ..OutcomeRecord::without_figures(0, 0, status) };
        Finished { outcome, median: median.map(|median| (median, bench_model::Unit::Nanoseconds)) }
    }

    /// Checks after how many of three repetitions a cell has ended, and its line.
    fn check(repetitions: &[(Status, Option<f64>)], expect: Option<(usize, &str)>) {
        let mut cell = CellProgress { left: 3, ..CellProgress::default() };
        let ended = repetitions.iter().enumerate().find_map(|(index, (status, median))| {
            let finished = finished(*status, *median);
            cell.take(&finished).then(|| (index + 1, cell.text(&finished)))
        });
        assert_eq!(ended.as_ref().map(|(count, text)| (*count, text.as_str())), expect);
    }

    #[test]
    fn cell_ends_early_only_if_failed_or_skipped() {
        let ok = |median| (Status::Ok, Some(median));
        check(&[ok(30.0), ok(10.0)], None);
        check(&[ok(30.0), ok(10.0), ok(20.0)], Some((3, "p50 20 ns")));
        check(&[ok(30.0), (Status::Failed, None)], Some((2, "FAILED: why")));
        check(&[(Status::Skipped, None)], Some((1, "skipped: why")));
        check(&[(Status::Void, None); 3], Some((3, "void: why")));
        check(&[ok(30.0), (Status::Void, None), (Status::Void, None)], Some((3, "p50 30 ns")));
    }
}
