//! Why a repetition yields no figure, and what every driver says so of: a check that failed, and a sample that the sink refuses.
//! It must not know what is measured.

use bench_engine::{MeasureError, Unit};
use bench_model::{Check, ModuleError};
use bench_sink::Sink;
use bench_sink::runfile::{CheckRecord, Status};

/// Why there is no figure.
#[derive(Debug)]
pub struct Stop {
    /// Whether that is a fault.
    pub status: Status,
    /// Why.
    pub reason: String,
}

impl Stop {
    /// Something went wrong that must not.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { status: Status::Failed, reason: reason.into() }
    }
}

impl From<ModuleError> for Stop {
    fn from(error: ModuleError) -> Self {
        let status = if error.is_environment() { Status::Skipped } else { Status::Failed };
        Self { status, reason: error.to_string() }
    }
}

impl From<MeasureError> for Stop {
    fn from(error: MeasureError) -> Self {
        match error {
            MeasureError::Module(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

/// A check that failed is a reason to stop. Where all that failed were of the machine, the repetition is void; a wrong result is
/// the module's however slow the machine is.
pub fn passed(checks: &[Check]) -> Result<(), Stop> {
    let failed = || checks.iter().filter(|check| !check.passed);
    let reason = |check: &Check| format!("check `{}` failed: {}", check.name, check.detail);
    match (failed().find(|check| !check.is_of_machine()), failed().next()) {
        (Some(wrong), _) => Err(Stop::failed(reason(wrong))),
        (None, Some(check)) => Err(Stop { status: Status::Void, reason: reason(check) }),
        (None, None) => Ok(()),
    }
}

/// Takes samples of the driver's own.
pub fn record(sink: &mut Sink, metric: &str, labels: &[(&str, &str)], samples: &[u64]) -> Result<(), Stop> {
    let labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let opened = sink.open(metric, &labels);
    opened.and_then(|id| sink.append(id, samples)).map_err(|error| Stop::failed(error.to_string()))
}

/// What is written of a check.
pub fn check_record(unit: Unit, check: &Check) -> CheckRecord {
    CheckRecord {
        cell: unit.cell,
        process: unit.process,
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
    fn a_rate_that_was_not_kept_is_void_and_a_wrong_result_a_failure() {
        let check = |checks: &[(&str, bool)], expect: Option<(Status, &str)>| {
            let checks: Vec<_> = checks.iter().map(|(name, passed)| Check::that(*name, *passed, "")).collect();
            let stop = passed(&checks).err();
            let found = stop.as_ref().map(|stop| (stop.status, stop.reason.as_str()));
            assert_eq!(found, expect);
        };
        check(&[("right", true), (ACHIEVED_RATE, true)], None);
        check(&[("right", true), (ACHIEVED_RATE, false)], Some((Status::Void, "check `achieved-rate` failed: ")));
        check(&[(ACHIEVED_RATE, false), ("right", false)], Some((Status::Failed, "check `right` failed: ")));
    }
}
