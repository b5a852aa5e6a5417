//! Holds a worker's reply to what was asked, to itself, and to the time that the worker had. A worker in which native code runs can be made
//! to reply anything.

use crate::plausibility::{ALLOWANCE, possible_on};
use crate::{Measured, Plan, Repetition, Report, placement, possible};
use bench_model::{Scenario, Unit};
use bench_sink::RecordedHistogram;
use bench_sink::runfile::{SeriesRecord, Status};
use std::time::Duration;

/// The driver whose samples follow one another, unless the scenario times itself.
const IN_TURN: &str = "workload";

impl Report {
    /// The report itself if it is one of `repetition` by a worker that has replied after `elapsed`; else a failure. A record of another cell
    /// would corrupt the run.
    pub(crate) fn checked(self, plan: &Plan, repetition: Repetition, elapsed: Duration) -> Self {
        match self.contradiction(plan, repetition, elapsed) {
            None => self,
            Some(reason) => {
                let reason =
                    format!("the worker's reply is not one of this program: {reason}; its module may have forged it");
                Self::without_figures(repetition, Status::Failed, reason)
            }
        }
    }

    /// What the report says that cannot be so.
    fn contradiction(&self, plan: &Plan, repetition: Repetition, elapsed: Duration) -> Option<String> {
        let series = self.series.iter().map(|series| (series.cell, series.process));
        let checks = self.checks.iter().map(|check| (check.cell, check.process));
        let account = self.account.iter().map(|account| (account.cell, account.process));
        let outcome = std::iter::once((self.outcome.cell, self.outcome.process));
        let mut named = outcome.chain(series).chain(checks).chain(account);
        let asked = (repetition.cell, repetition.process);
        if let Some((cell, process)) = named.find(|named| *named != asked) {
            return Some(format!("it names cell {cell}, process {process}, instead of {}, {}", asked.0, asked.1));
        }
        let scenario = &plan.cell(repetition.cell).scenario;
        let of_series = self.series.iter().find_map(|series| {
            let is_declared =
                series.metric == scenario.name || scenario.metrics.iter().any(|metric| metric.name == series.metric);
            let metric = &series.metric;
            match is_declared {
                true => series.fault().map(|_| format!("series `{metric}` has other samples than it announces")),
                false => Some(format!("the scenario has no metric `{metric}`")),
            }
        });
        of_series.or_else(|| self.impossibility(scenario, elapsed))
    }

    /// What the report says that no worker does in the time `elapsed`.
    fn impossibility(&self, scenario: &Scenario, elapsed: Duration) -> Option<String> {
        let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let measured = |operations, bytes, elapsed_ns| Measured { operations, bytes, checksum: 0, elapsed_ns };
        let whole = measured(self.outcome.iterations, self.outcome.bytes, elapsed_ns);
        if let Err(implausible) = possible_on(&whole, placement::allowed_cpus().len()) {
            return Some(implausible.to_string());
        }
        let is_in_turn = scenario.driver == IN_TURN && !scenario.has_own_clock();
        let is_timed = |series: &&SeriesRecord| {
            series.metric == scenario.name && series.labels.is_empty() && series.unit == Unit::Nanoseconds
        };
        self.series.iter().filter(is_timed).find_map(|series| {
            let (sum_ns, greatest_ns) = sum_and_greatest(series);
            let least_ns = if is_in_turn { sum_ns } else { greatest_ns };
            if least_ns > ALLOWANCE * elapsed_ns as f64 {
                let [needed, had] = [least_ns, elapsed_ns as f64].map(|ns| ns / 1e9);
                return Some(format!(
                    "the samples of `{}` need {needed:.3} s, and the worker ran for {had:.3} s",
                    series.metric
                ));
            }
            let timed = measured(series.count.saturating_mul(series.batch), 0, sum_ns as u64);
            possible(&timed).err().map(|implausible| implausible.to_string())
        })
    }
}

/// The sum of the samples, and the greatest one.
fn sum_and_greatest(series: &SeriesRecord) -> (f64, f64) {
    let add = |(sum, greatest): (f64, f64), (value, count): (u64, u64)| {
        (sum + value as f64 * count as f64, greatest.max(value as f64))
    };
    match &series.raw {
        Some(raw) => raw.iter().map(|sample| (*sample, 1)).fold((0.0, 0.0), add),
        None => {
            let recorded = RecordedHistogram::decode(&series.histogram);
            recorded.map(|recorded| recorded.points().fold((0.0, 0.0), add)).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{loaded, plan_of};
    use bench_model::{Arm, Descriptor, Direction, Metric};
    use bench_sink::Series;
    use bench_sink::runfile::OutcomeRecord;

    /// What a reply says: the samples of the series `s`, with so many operations each, and the operations and bytes of all.
    struct Reply {
        samples: Vec<u64>,
        batch: u64,
        iterations: u64,
        bytes: u64,
    }

    const SECOND: u64 = 1_000_000_000;

    fn scenario() -> Scenario {
        Scenario::new("s", "f", "").metric(Metric::new("lag", Unit::Nanoseconds, ""))
    }

    #[track_caller]
    fn check(scenario: Scenario, reply: &Reply, change: fn(&mut SeriesRecord), expect: Option<&str>) {
        let plan = plan_of(vec![loaded(Arm::Native, &Descriptor::new("m", "1", "").scenario(scenario))], 1, 7);
        let mut series = Series::new("s", Unit::Nanoseconds, Direction::LowerIsBetter);
        series.batch = reply.batch;
        reply.samples.iter().for_each(|sample| series.record(*sample));
        let mut record = SeriesRecord::new(0, 0, &series);
        change(&mut record);
        let (iterations, bytes) = (reply.iterations, reply.bytes);
        let outcome = OutcomeRecord { iterations, bytes, ..OutcomeRecord::ok(0, 0) };
        let report = Report::ok(vec![record], outcome);
        let found = report.contradiction(&plan, Repetition { cell: 0, process: 0 }, Duration::from_secs(1));
        assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
        let expect = expect.unwrap_or_default();
        assert!(found.as_deref().unwrap_or_default().contains(expect), "{found:?}");
        let checked = report.checked(&plan, Repetition { cell: 0, process: 0 }, Duration::from_secs(1));
        let status = if found.is_some() { Status::Failed } else { Status::Ok };
        assert_eq!((checked.outcome.status, checked.series.is_empty()), (status, found.is_some()));
    }

    fn reply(samples: &[u64]) -> Reply {
        Reply { samples: samples.to_vec(), batch: 1, iterations: samples.len() as u64, bytes: 0 }
    }

    #[test]
    fn series_that_is_not_what_it_announces_is_refused() {
        let check =
            |change: fn(&mut SeriesRecord), expect: Option<&str>| check(scenario(), &reply(&[5]), change, expect);
        check(|_| (), None);
        check(|record| record.process = 2, Some("process 2"));
        check(|record| record.metric = "lag".to_owned(), None);
        check(|record| record.metric = "other".to_owned(), Some("no metric `other`"));
        check(|record| record.count = 2, Some("than it announces"));
        check(|record| record.batch = 0, Some("than it announces"));
        check(|record| record.raw = None, None);
        check(|record| record.raw = Some(vec![6]), Some("than it announces"));
        check(|record| record.histogram = "x".to_owned(), Some("than it announces"));
    }

    #[test]
    fn samples_have_room_in_the_time_of_the_worker() {
        let check = |scenario: Scenario, samples: &[u64], expect: Option<&str>| {
            check(scenario.clone(), &reply(samples), |_| (), expect);
            // Those of which only the histogram is kept.
            check(scenario, &reply(samples), |record| record.raw = None, expect);
        };
        let half = SECOND / 2;
        check(scenario(), &[half, half], None);
        check(scenario(), &[half, half, half], Some("the worker ran for 1.000 s"));
        // By their own clock, and with other drivers, operations overlap.
        let own = scenario().times_itself(Unit::Nanoseconds, "");
        let driven = scenario().driven_by("function");
        for scenario in [own, driven] {
            check(scenario.clone(), &[half, half, half], None);
            check(scenario, &[half, 2 * SECOND], Some("need 2.0"));
        }
    }

    #[test]
    fn operations_are_held_to_what_processors_do_in_that_time() {
        let check = |reply: Reply, expect: &str| check(scenario(), &reply, |_| (), Some(expect));
        let usual = || reply(&[5_000; 3]);
        check(Reply { iterations: u64::MAX, ..usual() }, "which no processor can do");
        check(Reply { batch: 1 << 40, ..usual() }, "which no processor can do");
        check(Reply { bytes: u64::MAX, ..usual() }, "as fast as this processor reads its cache");
    }
}
