//! What an observer learns of a finished repetition: its outcome, and the median time of an operation.

use crate::{Plan, Repetition, Report};
use bench_sink::RecordedHistogram;
use bench_sink::runfile::{OutcomeRecord, SeriesRecord, Status};

/// A finished repetition.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The outcome.
    pub outcome: OutcomeRecord,
    /// The median time of an operation and its unit, if there is a figure.
    pub median: Option<(f64, bench_model::Unit)>,
}

impl Finished {
    pub(crate) fn of(plan: &Plan, repetition: Repetition, report: &Report) -> Self {
        let name = &plan.cell(repetition.cell).scenario.name;
        let is_timed = |series: &&SeriesRecord| series.metric == *name && series.labels.is_empty();
        let timed = report.series.iter().find(is_timed).filter(|_| report.outcome.status == Status::Ok);
        let median = timed.and_then(|series| Some((median(series)?, series.unit.clone())));
        Self { outcome: report.outcome.clone(), median }
    }

    /// Whether the cell is executed again in a later round.
    pub fn is_tried_again(&self) -> bool {
        crate::done::is_tried_again(self.outcome.status)
    }
}

/// The median of one operation.
fn median(series: &SeriesRecord) -> Option<f64> {
    let middle = match &series.raw {
        Some(raw) => {
            let mut sorted = raw.clone();
            sorted.sort_unstable();
            *sorted.get(sorted.len().checked_sub(1)? / 2)?
        }
        None => {
            let histogram = RecordedHistogram::decode(&series.histogram).ok()?;
            let mut below = 0;
            let is_past = |(_, count): &(u64, u64)| {
                below += count;
                2 * below >= series.count
            };
            histogram.points().find(is_past)?.0
        }
    };
    Some(middle as f64 / series.batch.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::{Direction, Unit};
    use bench_sink::Series;

    fn check(samples: &[u64], batch: u64, expect: Option<f64>) {
        let mut series = Series::new("s", Unit::Nanoseconds, Direction::LowerIsBetter);
        series.batch = batch;
        samples.iter().for_each(|sample| series.record(*sample));
        let record = SeriesRecord::new(0, 0, &series);
        assert_eq!(median(&record), expect);
        assert_eq!(median(&SeriesRecord { raw: None, ..record }), expect, "computed from the histogram");
    }

    #[test]
    fn median_is_divided_by_the_batch_size() {
        check(&[30, 10, 20], 1, Some(20.0));
        check(&[40, 10, 20, 30], 4, Some(5.0));
        check(&[7], 7, Some(1.0));
        check(&[], 1, None);
    }
}
