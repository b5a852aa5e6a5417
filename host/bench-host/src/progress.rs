//! How far a run is: a bar with the time that is left, on standard error, and only where that is a terminal.

use bench_engine::{Observer, Plan, Unit};
use bench_sink::runfile::{OutcomeRecord, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar of units.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(units: usize) -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(units as u64), target);
        // The template is constant and well-formed.
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {eta} left  {msg}")
            .expect("the template is well-formed");
        bar.set_style(style);
        Self { bar }
    }
}

impl Observer for Progress {
    fn started(&mut self, plan: &Plan, unit: Unit, index: usize) {
        let cell = plan.cell(unit.cell);
        self.bar.set_position(index as u64);
        let message = format!("{} {} {}", plan.full_name(cell), plan.offer(cell).arm, cell.arguments);
        self.bar.set_message(bench_report::escape(&message).into_owned());
        tracing::debug!(scenario = plan.full_name(cell), arm = %plan.offer(cell).arm, arguments = %cell.arguments, process = unit.process, "started");
    }

    fn finished(&mut self, plan: &Plan, outcome: &OutcomeRecord) {
        let cell = plan.cell(outcome.cell);
        let name = plan.full_name(cell);
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
