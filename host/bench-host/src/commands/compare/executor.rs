//! Executes comparison groups in worker processes, each of which measures all cells of a group interleaved.

use super::measure::label;
use crate::compiling;
use crate::effort::PairedEffort;
use crate::execute::{Job, account, explain_by_output, note_stop, without_reply};
use crate::kept_output::keep_output;
use crate::resolve::Resolved;
use crate::scratch_budget;
use crate::secret::redact_report;
use crate::worker::{CandidateSpec, CompareRequest, Reply, Request};
use bench_engine::worker::{Doing, WorkerError, draw_layout};
use bench_engine::{ComparisonGroup, Interrupt, PairedExecutor, PairedReport, Plan, Repetition, Report};
use bench_sink::environment::Reading;
use bench_sink::runfile::{AccountRecord, Status};
use pg_connection::redact_text;
use std::path::Path;
use std::time::Duration;

/// Executes comparison groups in worker processes.
pub(super) struct PairedWorkerExecutor<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) paired: PairedEffort,
    pub(super) interrupt: &'a Interrupt,
    pub(super) directory: &'a Path,
}

impl PairedExecutor for PairedWorkerExecutor<'_> {
    fn execute(&mut self, plan: &Plan, compared: &ComparisonGroup, process: u32, seed: u64) -> Option<PairedReport> {
        let repetition = |cell: &u32| Repetition { cell: *cell, process };
        let nothing = |status, reason: &str| {
            let reports = compared.cells.iter().map(|cell| Report::without_figures(repetition(cell), status, reason));
            Some(PairedReport { reports: reports.collect(), sessions: 0, ledgers: Vec::new() })
        };
        let resolved = compared.cells.iter().map(|cell| {
            let cell = plan.cell(*cell);
            self.job.loader.resolve(self.job.modules, &self.job.modules.loaded[cell.offer], cell)
        });
        let resolved = match resolved.collect::<Result<Vec<_>, _>>() {
            Ok(resolved) => resolved,
            Err(reason) => return nothing(Status::Skipped, &reason),
        };
        let request = self.request(plan, compared, process, seed, &resolved);
        // Warming up each session and observing each arm takes time in addition to measuring.
        let sessions = 2 * compared.cells.len() as u64;
        let budget = self.paired.budget;
        let beyond = sessions * (budget.warm_up_ns + self.paired.ledger_ns);
        let deadline = self.deadline(plan, compared) + Duration::from_nanos(budget.time_ns + beyond);
        let before = Reading::now();
        let layout = draw_layout(self.job.seed, compared.cells[0], process);
        let (loader, folders) = (self.job.loader, resolved.iter().flat_map(|resolved| &resolved.scratch));
        let end = scratch_budget::within(folders, loader.limits.scratch, self.interrupt, |interrupt| {
            compiling::notify(self.job.common.shown.quiet, |observe| {
                loader.workers.call_observed(Some(&layout), &request, deadline, interrupt, observe)
            })
        });
        drop(resolved);
        let name = format!("cell-{:04}-process-{process}", compared.cells[0]);
        keep_output(self.directory, &name, &end.stdout, &end.stderr);
        let mut paired = match end.result {
            Ok(Reply::Compared(paired)) => *paired,
            Ok(Reply::Refused(reason)) => return nothing(Status::Failed, &redact_text(&reason)),
            Ok(_) => return nothing(Status::Failed, "unexpected reply of the worker"),
            Err(WorkerError::Interrupted) => return None,
            Err(error) => {
                let labels: Vec<String> = compared.cells.iter().map(|cell| label(plan, *cell)).collect();
                // The arm that the worker was busy with, if it was with one alone.
                let busy =
                    end.doing.as_ref().and_then(Doing::arm).filter(|arm| labels.iter().any(|label| label == arm));
                let report = |(cell, label): (&u32, &String)| {
                    let mut report = without_reply(repetition(cell), &error, &before, end.stopped);
                    let is_failed = report.outcome.status == Status::Failed;
                    if let Some(busy) = busy.filter(|busy| is_failed && busy != label) {
                        let why = report.outcome.reason.take().unwrap_or_default();
                        report.outcome.status = Status::Skipped;
                        report.outcome.reason = Some(format!("not measured, because {busy} has no figure: {why}"));
                    }
                    report
                };
                let reports = compared.cells.iter().zip(&labels).map(report).collect();
                return Some(PairedReport { reports, sessions: 0, ledgers: Vec::new() });
            }
        };
        for report in &mut paired.reports {
            report.outcome.layout = Some(layout);
            note_stop(report, end.stopped);
            explain_by_output(report, &end.stderr);
            redact_report(report);
        }
        Some(paired)
    }

    fn count_usage(&mut self, plan: &Plan, repetition: Repetition) -> Option<AccountRecord> {
        let has_settings = self.job.modules.loaded[plan.cell(repetition.cell).offer].spec.engine.is_some();
        let is_counted = self.paired.counts_engines || !has_settings;
        is_counted.then(|| account(self.job, plan, repetition, self.interrupt))
    }
}

impl PairedWorkerExecutor<'_> {
    /// The deadline without what is measured: each cell may have to be compiled, and has two sessions.
    fn deadline(&self, plan: &Plan, compared: &ComparisonGroup) -> Duration {
        let loader = self.job.loader;
        let beside = |number: &u32| {
            let cell = plan.cell(*number);
            2 * (loader.deadline_for(&self.job.modules.loaded[cell.offer].spec, cell, 0) - loader.deadline())
        };
        loader.deadline() + compared.cells.iter().map(beside).sum::<Duration>()
    }

    fn request(
        &self,
        plan: &Plan,
        compared: &ComparisonGroup,
        process: u32,
        seed: u64,
        resolved: &[Resolved],
    ) -> Request {
        let candidates = compared.cells.iter().zip(resolved).map(|(number, resolved)| {
            let cell = plan.cell(*number);
            CandidateSpec {
                module: resolved.module.clone(),
                label: label(plan, *number),
                cell: *number,
                scenario: self.job.modules.loaded[cell.offer].own_scenario(&cell.scenario.name).to_owned(),
                arguments: resolved.arguments.clone(),
            }
        });
        let budget = self.paired.budget;
        Request::Compare(Box::new(CompareRequest {
            candidates: candidates.collect(),
            process,
            seed,
            warm_up_ns: budget.warm_up_ns,
            time_ns: budget.time_ns,
            blocks_max: budget.blocks_max,
            ledger_ns: self.paired.ledger_ns,
        }))
    }
}
