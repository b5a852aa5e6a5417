//! Decides which repetitions are void because the machine was disturbed, and gives the reason.

use crate::{Repetition, Report};
use bench_sink::runfile::Status;

/// Makes `report` void if the machine stood still during the repetition, and appends the disturbance to the reason of a void one. A
/// failure stays a failure, because a wrong result is wrong on a slow machine too.
pub(crate) fn apply_witness(report: &mut Report) {
    let Some(witness) = report.outcome.witness else { return };
    let explanation = witness.explanation();
    match (report.outcome.status, explanation) {
        (Status::Ok, Some(explanation)) if witness.stood_still() => {
            let repetition = Repetition { cell: report.outcome.cell, process: report.outcome.process };
            let mut void =
                Report::without_figures(repetition, Status::Void, format!("the machine stood still: {explanation}"));
            void.outcome.witness = Some(witness);
            void.checks = std::mem::take(&mut report.checks);
            (void.cpu, void.conditions) = (report.cpu, std::mem::take(&mut report.conditions));
            *report = void;
        }
        (Status::Void, Some(explanation)) => {
            let reason = report.outcome.reason.get_or_insert_default();
            if !reason.contains(&explanation) {
                reason.push_str(&format!(" (meanwhile {explanation})"));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::environment::Witness;
    use bench_sink::runfile::CheckRecord;

    const SECOND: u64 = 1_000_000_000;

    fn check(status: Status, stolen_ns: u64, expect: (Status, Option<&str>)) {
        let repetition = Repetition { cell: 3, process: 1 };
        let mut report = Report::without_figures(repetition, status, "why");
        report.outcome.reason = report.outcome.reason.filter(|_| status != Status::Ok);
        report.outcome.witness = Some(Witness { wall_ns: SECOND, stolen_ns: Some(stolen_ns), ..Witness::default() });
        report.checks =
            vec![CheckRecord { cell: 3, process: 1, name: "c".to_owned(), passed: true, detail: String::new() }];
        apply_witness(&mut report);
        let outcome = &report.outcome;
        assert_eq!((outcome.status, outcome.reason.as_deref()), expect);
        assert_eq!((outcome.cell, outcome.process, report.checks.len()), (3, 1, 1));
        assert!(outcome.witness.is_some());
    }

    #[test]
    fn standstill_voids_an_ok_report_and_explains_a_void_one() {
        let most = "the machine stood still: the hypervisor gave 60 % of the processors' time to others";
        check(Status::Ok, SECOND * 6 / 10, (Status::Void, Some(most)));
        check(Status::Ok, SECOND / 10, (Status::Ok, None));
        let meanwhile = "why (meanwhile the hypervisor gave 10 % of the processors' time to others)";
        check(Status::Void, SECOND / 10, (Status::Void, Some(meanwhile)));
        check(Status::Void, 0, (Status::Void, Some("why")));
        check(Status::Failed, SECOND, (Status::Failed, Some("why")));
        check(Status::Skipped, SECOND, (Status::Skipped, Some("why")));
    }
}
