//! What all drivers share: the report of a repetition, and the reasons why it has no figure, such as a failed check or a sample
//! that the sink refuses.

use bench_engine::{MeasureError, Repetition, Report};
use bench_model::{Check, ModuleError};
use bench_sink::Sink;
use bench_sink::runfile::{CheckRecord, SeriesRecord, Status};

/// The reason why a repetition has no figure.
#[derive(Debug)]
pub struct CellFailure {
    /// The status: failed, skipped or void.
    pub status: Status,
    /// The reason.
    pub reason: String,
}

impl CellFailure {
    /// The repetition failed.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { status: Status::Failed, reason: reason.into() }
    }
}

impl From<ModuleError> for CellFailure {
    fn from(error: ModuleError) -> Self {
        let status = if error.is_environment() { Status::Skipped } else { Status::Failed };
        Self { status, reason: error.to_string() }
    }
}

impl From<MeasureError> for CellFailure {
    fn from(error: MeasureError) -> Self {
        match error {
            MeasureError::Module(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

/// Maximum number of checks of one `verify`.
pub(crate) const CHECKS_MAX: usize = 1_000;

/// Maximum size of the name and detail of a check, in bytes.
pub(crate) const CHECK_BYTES_MAX: usize = 16 << 10;

/// An error if there are too many checks, or one is too long to be kept and shown.
pub(crate) fn bounded(checks: &[Check]) -> Result<(), ModuleError> {
    if checks.len() > CHECKS_MAX {
        let reason =
            format!("`verify` returned {} checks, and the maximum is {CHECKS_MAX}; combine them", checks.len());
        return Err(ModuleError::Other(reason));
    }
    let bytes = |check: &Check| check.name.len() + check.detail.len();
    match checks.iter().map(bytes).find(|bytes| *bytes > CHECK_BYTES_MAX) {
        Some(bytes) => {
            let reason =
                format!("`verify` returned a check of {bytes} bytes, and the maximum is {CHECK_BYTES_MAX}; shorten it");
            Err(ModuleError::Other(reason))
        }
        None => Ok(()),
    }
}

/// An error if a check failed. If all failed checks are about the machine, the repetition is void; a wrong result is a failure of the
/// module, however slow the machine is.
pub fn passed(checks: &[Check]) -> Result<(), CellFailure> {
    let failed = || checks.iter().filter(|check| !check.passed);
    let reason = |check: &Check| format!("check `{}` failed: {}", check.name, check.detail);
    match (failed().find(|check| !check.is_of_machine()), failed().next()) {
        (Some(wrong), _) => Err(CellFailure::failed(reason(wrong))),
        (None, Some(check)) => Err(CellFailure { status: Status::Void, reason: reason(check) }),
        (None, None) => Ok(()),
    }
}

/// Records samples of the driver.
pub fn record(sink: &mut Sink, metric: &str, labels: &[(&str, &str)], samples: &[u64]) -> Result<(), CellFailure> {
    let labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let opened = sink.open(metric, &labels);
    opened.and_then(|id| sink.append(id, samples)).map_err(|error| CellFailure::failed(error.to_string()))
}

/// The report of one repetition: the one that `attempt` returns, or its failure without figures. It has the checks that `attempt`
/// made in either case.
pub fn report(repetition: Repetition, attempt: impl FnOnce(&mut Vec<Check>) -> Result<Report, CellFailure>) -> Report {
    let mut checks = Vec::new();
    let report = attempt(&mut checks);
    let mut report =
        report.unwrap_or_else(|failure| Report::without_figures(repetition, failure.status, failure.reason));
    report.checks = checks.iter().map(|check| check_record(repetition, check)).collect();
    report
}

/// The records of all series of `sink` that have samples.
pub fn series_records(repetition: Repetition, sink: &Sink) -> Vec<SeriesRecord> {
    let series = sink.series().iter().filter(|series| series.count() > 0);
    series.map(|series| SeriesRecord::new(repetition.cell, repetition.process, series)).collect()
}

/// The record of a check.
pub(crate) fn check_record(repetition: Repetition, check: &Check) -> CheckRecord {
    CheckRecord {
        cell: repetition.cell,
        process: repetition.process,
        name: check.name.clone(),
        passed: check.passed,
        detail: check.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::ACHIEVED_RATE;

    #[test]
    fn checks_are_bounded_in_number_and_size() {
        let check = |number: usize, detail: usize, expect: Option<&str>| {
            let checks = vec![Check::that("c", true, "x".repeat(detail)); number];
            let found = bounded(&checks).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(found.contains(expect.unwrap_or_default()) && found.is_empty() == expect.is_none(), "{found}");
        };
        check(CHECKS_MAX, 10, None);
        check(CHECKS_MAX + 1, 0, Some("returned 1001 checks"));
        check(1, CHECK_BYTES_MAX, Some("a check of 16385 bytes"));
    }

    #[test]
    fn failed_attempt_keeps_its_checks_and_has_no_figures() {
        let repetition = Repetition { cell: 3, process: 1 };
        let attempted = |fails: bool| {
            report(repetition, |checks| {
                checks.push(Check::that("right", !fails, "why"));
                passed(checks)?;
                Ok(Report::ok(Vec::new(), bench_sink::runfile::OutcomeRecord::ok(3, 1)))
            })
        };
        for (fails, status) in [(false, Status::Ok), (true, Status::Failed)] {
            let report = attempted(fails);
            assert_eq!((report.outcome.status, report.checks.len()), (status, 1));
            let check = &report.checks[0];
            assert_eq!((check.cell, check.process, check.passed, check.detail.as_str()), (3, 1, !fails, "why"));
        }
    }

    #[test]
    fn missed_rate_is_void_and_wrong_result_is_failed() {
        let check = |checks: &[(&str, bool)], expect: Option<(Status, &str)>| {
            let checks: Vec<_> = checks.iter().map(|(name, passed)| Check::that(*name, *passed, "")).collect();
            let failure = passed(&checks).err();
            let found = failure.as_ref().map(|failure| (failure.status, failure.reason.as_str()));
            assert_eq!(found, expect);
        };
        check(&[("right", true), (ACHIEVED_RATE, true)], None);
        check(&[("right", true), (ACHIEVED_RATE, false)], Some((Status::Void, "check `achieved-rate` failed: ")));
        check(&[(ACHIEVED_RATE, false), ("right", false)], Some((Status::Failed, "check `right` failed: ")));
    }
}
