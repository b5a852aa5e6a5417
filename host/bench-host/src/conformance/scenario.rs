//! The rules on scenarios: each is tested with its first defaults or the given values, and measured as `load` measures it.

use super::domains::Seen;
use super::evidence::unused;
use super::{Checksums, Extent, Findings, Outcome, sensitivity};
use crate::modules::{Loaded, Loader, Modules};
use crate::output;
use crate::progress::is_watched;
use crate::resolve::Resolved;
use crate::scratch_budget;
use crate::worker::{MeasureRequest, Reply, Request};
use bench_drivers::workload::RECORDED;
use bench_engine::worker::{Captured, WorkerEnd, WorkerError};
use bench_engine::{Cell, Interrupt, LoadedModule, Plan, Report, Selection};
use bench_model::{Arm, Descriptor, Parameter, Scenario, Value};
use bench_sink::runfile::Status;
use pg_connection::redact_text;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The driver whose scenarios are also measured, and tried with further defaults and at the edges of their domains. Others drive much longer.
const MEASURED: &str = "workload";

/// How long a cell is measured.
pub(super) const BRIEF_NS: u64 = 40_000_000;

/// The time between two lines about progress.
const SILENCE: Duration = Duration::from_secs(5);

/// The values of a parameter on the command line.
pub(super) type Values = (String, Vec<String>);

/// Fails if a parameter of the command line concerns no scenario.
pub(super) fn known_parameters(modules: &Modules, parameters: &[Values]) -> anyhow::Result<()> {
    if !parameters.is_empty() && !modules.loaded.is_empty() {
        let all = Selection { pattern: "*".to_owned(), arms: None, axes: parameters.to_vec() };
        Plan::build(modules.offers(), &[all], 1, 0)?;
    }
    Ok(())
}

/// The imported functions that the scenarios of a module call with their first defaults.
pub(crate) fn used(
    loader: &Loader,
    modules: &Modules,
    loaded: &Loaded,
    interrupt: &Interrupt,
) -> anyhow::Result<BTreeSet<String>> {
    let mut used = BTreeSet::new();
    for scenario in runnable(loaded) {
        for cell in cells(loaded, scenario, &[])? {
            let Ok(resolved) = loader.resolve(modules, loaded, &cell) else { continue };
            if let Ok(Reply::Checked { used: called, .. }) = conformance(loader, &resolved, &cell, interrupt).result {
                used.extend(called);
            }
        }
    }
    Ok(used)
}

fn runnable(loaded: &Loaded) -> impl Iterator<Item = &Scenario> {
    loaded.offer.descriptor.scenarios.iter().filter(|scenario| scenario.runs_in(loaded.offer.arm))
}

/// The cells of a scenario with `values`; a parameter without a value has its first default.
pub(super) fn cells(loaded: &Loaded, scenario: &Scenario, values: &[Values]) -> anyhow::Result<Vec<Cell>> {
    let axis = |parameter: &Parameter| {
        let given = values.iter().find(|(name, _)| *name == parameter.name).map(|(_, values)| values.clone());
        let first = || parameter.defaults.iter().take(1).map(Value::to_string).collect();
        (parameter.name.clone(), given.unwrap_or_else(first))
    };
    let pattern = format!("{}/{}", loaded.offer.descriptor.name, scenario.name);
    let axes = scenario.parameters.iter().map(axis).collect();
    // Of this scenario alone: a module may have a thousand.
    let LoadedModule { file, sha256, arm, variant, descriptor } = &loaded.offer;
    let alone = Descriptor::new(&descriptor.name, &descriptor.version, "").scenario(scenario.clone());
    let (file, sha256, variant) = (file.clone(), sha256.clone(), variant.clone());
    let offer = LoadedModule { file, sha256, arm: *arm, variant, descriptor: alone };
    let plan = Plan::build(vec![offer], &[Selection { pattern, arms: None, axes }], 1, 0)?;
    Ok(plan.cells)
}

/// Tests all scenarios of the module of `trial`.
pub(super) fn check(mut trial: ConformanceRun<'_>, checksums: &mut Checksums) -> anyhow::Result<()> {
    let ConformanceRun { loader, loaded, interrupt, extent, .. } = trial;
    let mut used = BTreeSet::new();
    let begun = Instant::now();
    let (all, mut told) = (runnable(loaded).count(), begun);
    for (tested, scenario) in runnable(loaded).enumerate() {
        if tested > 0 && begun.elapsed() > extent.within {
            let within = extent.within.as_secs_f64();
            let detail = format!("{} of {all}: {within} s have passed; allow more with --within", all - tested);
            trial.findings.push(None, "further scenarios", Outcome::Skipped, detail);
            break;
        }
        if told.elapsed() > SILENCE && is_watched(false) {
            output::line(&format!("bench-host: {}: {tested} of {all} scenarios tested", loaded.offer.file.display()));
            told = Instant::now();
        }
        for cell in cells(loaded, scenario, &loader.parameters)? {
            if interrupt.is_raised() {
                return Ok(());
            }
            trial.cell(&cell, &mut used, checksums);
        }
    }
    let measured = || runnable(loaded).filter(|scenario| scenario.driver == MEASURED);
    for scenario in measured() {
        trial.further_defaults(scenario, checksums);
    }
    for scenario in measured() {
        trial.edges(scenario)?;
    }
    trial.metrics_are_recorded();
    trial.findings.used = used.into_iter().collect();
    Ok(())
}

/// The tests of one module.
pub(super) struct ConformanceRun<'a> {
    pub(super) loader: &'a Loader,
    pub(super) modules: &'a Modules,
    pub(super) loaded: &'a Loaded,
    pub(super) interrupt: &'a Interrupt,
    pub(super) extent: Extent,
    pub(super) findings: &'a mut Findings,
    /// What was seen of its cells.
    pub(super) seen: Seen,
}

impl ConformanceRun<'_> {
    /// Tests one cell: the conformance tests of its driver; and, if nothing is broken, it is measured as `load` does.
    fn cell(&mut self, cell: &Cell, used: &mut BTreeSet<String>, checksums: &mut Checksums) {
        let label = self.label(cell);
        let resolved = match self.loader.resolve(self.modules, self.loaded, cell) {
            Ok(resolved) => resolved,
            Err(reason) => return self.findings.push(Some(&label), "is tested", Outcome::Skipped, reason),
        };
        let end = conformance(self.loader, &resolved, cell, self.interrupt);
        let printed = (end.stdout, end.stderr);
        let broken = match end.result {
            Ok(Reply::Checked { checks: Ok(checks), used: called }) => {
                let called = called.into_iter().collect();
                // Another cell may record the metrics that this one does not.
                let (unrecorded, checks): (Vec<_>, Vec<_>) = checks
                    .into_iter()
                    .partition(|(rule, passed, _)| rule == RECORDED && !passed && cell.scenario.driver == MEASURED);
                for (_, _, detail) in unrecorded {
                    self.seen.lacks_samples(&cell.scenario.name, detail);
                }
                let broken = checks.iter().any(|(_, passed, _)| !passed);
                if !broken {
                    self.requirements(&label, cell, &called);
                }
                used.extend(called);
                for (rule, passed, detail) in checks {
                    let rule = rule.strip_prefix(&format!("{}: ", cell.scenario.name)).unwrap_or(&rule).to_owned();
                    let outcome = if passed { Outcome::Held } else { Outcome::Broken };
                    self.findings.push(Some(&label), rule, outcome, detail);
                }
                broken
            }
            Ok(Reply::Checked { checks: Err(reason), .. }) => {
                return self.findings.push(Some(&label), "is tested", Outcome::Skipped, reason);
            }
            Ok(Reply::Refused(reason)) => self.does_not_survive(&label, reason),
            Ok(_) => self.does_not_survive(&label, "unexpected reply of the worker".to_owned()),
            Err(WorkerError::Interrupted) => return,
            Err(error) => self.does_not_survive(&label, error.to_string()),
        };
        if broken {
            self.findings.printed.extend(lines(&printed.0, &printed.1));
        } else if cell.scenario.driver == MEASURED {
            self.measured(&label, cell, &resolved, checksums);
            if self.extent.sensitivity {
                self.notices(&label, cell, &resolved);
            }
        }
    }

    /// Tests whether a component uses what it requires; what native code calls is not seen.
    fn requirements(&mut self, label: &str, cell: &Cell, called: &BTreeSet<String>) {
        const RULE: &str = "uses what it requires";
        if self.loaded.offer.arm != Arm::Wasm || cell.scenario.driver != MEASURED {
            return;
        }
        let unused = unused(&cell.scenario, &cell.arguments, called);
        if !unused.is_empty() {
            let detail = format!("it calls nothing for {}; do not require it, or make it optional", unused.join(", "));
            self.findings.push(Some(label), RULE, Outcome::Broken, detail);
        }
    }

    /// Tests whether errors and more work are noticed.
    fn notices(&mut self, label: &str, cell: &Cell, resolved: &Resolved) {
        for (rule, outcome, detail) in sensitivity::findings(self.loader, resolved, cell, self.interrupt) {
            self.findings.push(Some(label), rule, outcome, detail);
        }
    }

    fn does_not_survive(&mut self, label: &str, reason: String) -> bool {
        self.findings.push(Some(label), "survives", Outcome::Broken, reason);
        true
    }

    /// Measures the cell in two processes, briefly. Whatever fails a cell of `load` is a broken rule.
    fn measured(&mut self, label: &str, cell: &Cell, resolved: &Resolved, checksums: &mut Checksums) {
        let deadline = self.loader.deadline_for(&resolved.module, cell, 1);
        let brief = measure(self.loader, resolved, cell, Some(BRIEF_NS), deadline, self.interrupt);
        let (Some(first), Some(report)) = (self.figure(label, &brief, None), report(&brief)) else { return };
        debug_assert_eq!(report.outcome.status, Status::Ok);
        self.seen.measured(cell, report);
        let once = measure(self.loader, resolved, cell, None, deadline, self.interrupt);
        let Some(second) = self.figure(label, &once, Some(first)) else { return };
        let equal = first == second;
        let outcome = if equal { Outcome::Held } else { Outcome::Broken };
        let detail = if equal {
            first.to_string()
        } else {
            format!("{first}, {second}; use fixed seeds, no time, no addresses")
        };
        self.findings.push(Some(label), "two processes have equal checksums", outcome, detail);
        let printed = |end: &WorkerEnd<Reply>| end.stdout.total + end.stderr.total;
        let (many, few) = (printed(&brief), printed(&once));
        let (outcome, detail) = if many > few {
            let detail = format!(
                "{} bytes more with more operations; what is printed in `iterate` is part of the figure",
                many - few
            );
            (Outcome::Broken, detail)
        } else {
            (Outcome::Held, String::new())
        };
        self.findings.push(Some(label), "operations print nothing", outcome, detail);
        checksums.entry(self.key(cell)).or_default().push((self.loaded.offer.arm, first));
    }

    /// What cells of other arms must have, too, to have the same checksum.
    pub(super) fn key(&self, cell: &Cell) -> (String, String) {
        (format!("{}/{}", self.loaded.offer.descriptor.name, cell.scenario.name), cell.arguments.to_string())
    }

    /// The checksum of a measurement; else its failure is a finding. `earlier` is that of an earlier process.
    fn figure(
        &mut self,
        label: &str,
        end: &WorkerEnd<Reply>,
        earlier: Option<bench_model::Checksum>,
    ) -> Option<bench_model::Checksum> {
        const RULE: &str = "is measured as `load` does";
        let (outcome, reason) = match &end.result {
            Ok(Reply::Measured(report)) => match report.outcome.status {
                Status::Ok if report.outcome.checksum.is_some() => {
                    if earlier.is_none() {
                        let detail =
                            format!("{} operations in {} samples", report.outcome.iterations, report.outcome.recorded);
                        self.findings.push(Some(label), RULE, Outcome::Held, detail);
                    }
                    return report.outcome.checksum;
                }
                Status::Ok => (Outcome::Broken, "it has no checksum".to_owned()),
                Status::Skipped | Status::Void => (Outcome::Skipped, report.outcome.reason.clone().unwrap_or_default()),
                _ => (Outcome::Broken, report.outcome.reason.clone().unwrap_or_default()),
            },
            Ok(Reply::Refused(reason)) => (Outcome::Broken, reason.clone()),
            Ok(_) => (Outcome::Broken, "unexpected reply of the worker".to_owned()),
            Err(WorkerError::Interrupted) => return None,
            Err(error) => (Outcome::Broken, error.to_string()),
        };
        self.findings.push(Some(label), RULE, outcome, reason);
        if outcome == Outcome::Broken {
            self.findings.printed.extend(lines(&end.stdout, &end.stderr));
        }
        None
    }

    /// The scenario, with the arguments that the command line sets.
    fn label(&self, cell: &Cell) -> String {
        let set = |(name, _): &&Values| cell.arguments.get(name).is_some();
        let set = self.loader.parameters.iter().filter(set);
        let shown = set.filter_map(|(name, _)| Some(format!(" {name}={}", cell.arguments.get(name)?)));
        format!("{}{}", cell.scenario.name, shown.collect::<String>())
    }
}

fn conformance(loader: &Loader, resolved: &Resolved, cell: &Cell, interrupt: &Interrupt) -> WorkerEnd<Reply> {
    let request = Request::Check {
        module: resolved.module.clone(),
        companion: resolved.companion.clone(),
        scenario: cell.scenario.name.clone(),
        driver: cell.scenario.driver.clone(),
        arguments: resolved.arguments.clone(),
    };
    scratch_budget::within(&resolved.scratch, loader.limits.scratch, interrupt, |interrupt| {
        loader.workers.call(&request, loader.deadline_for(&resolved.module, cell, 1), interrupt)
    })
}

/// Measures the cell for a time, or else one operation.
pub(super) fn measure(
    loader: &Loader,
    resolved: &Resolved,
    cell: &Cell,
    time_ns: Option<u64>,
    deadline: Duration,
    interrupt: &Interrupt,
) -> WorkerEnd<Reply> {
    let request = Request::Measure(Box::new(MeasureRequest {
        module: resolved.module.clone(),
        companion: resolved.companion.clone(),
        cell: 0,
        process: 0,
        scenario: cell.scenario.name.clone(),
        driver: cell.scenario.driver.clone(),
        arguments: resolved.arguments.clone(),
        warm_up_ns: time_ns.map_or(0, |_| 10_000_000),
        time_ns,
        iterations: time_ns.is_none().then_some(1),
    }));
    scratch_budget::within(&resolved.scratch, loader.limits.scratch, interrupt, |interrupt| {
        loader.workers.call(&request, deadline, interrupt)
    })
}

fn report(end: &WorkerEnd<Reply>) -> Option<&Report> {
    match &end.result {
        Ok(Reply::Measured(report)) => Some(report),
        _ => None,
    }
}

/// The last lines that a worker printed, without the notes of Rust's panics.
pub(super) fn lines(stdout: &Captured, stderr: &Captured) -> Vec<String> {
    const LINES_MAX: usize = 4;
    let last = |captured: &Captured| {
        let log = captured.to_log();
        let text = redact_text(&String::from_utf8_lossy(&log));
        let lines: Vec<_> =
            text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("note: ")).collect();
        let from = lines.len().saturating_sub(LINES_MAX);
        lines[from..].iter().map(|line| line.chars().take(200).collect::<String>()).collect::<Vec<_>>()
    };
    let mut lines = last(stdout);
    lines.extend(last(stderr));
    lines
}
