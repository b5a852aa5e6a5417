//! The machine's limits before and after a run, side by side.

use bench_model::{MachineLimit, Unit};
use bench_sink::runfile::{CalibrationRecord, LimitRecord, Named, When};
use bench_stats::{Interval, LEVEL, median_interval};

/// A limit that was another after the run than before.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Which limit.
    pub limit: Named<MachineLimit>,
    /// The unit of both medians.
    pub unit: Unit,
    /// The median before.
    pub before: f64,
    /// The median after.
    pub after: f64,
    /// How far it went, as a share of what was before: 0.1 is ten per cent more.
    pub share: f64,
}

/// What is not said: a machine is never quite the same.
pub(crate) const DRIFT_SHARE_MIN: f64 = 0.1;

/// A limit that differs by more than this factor between before and after says nothing of the time in between.
pub(crate) const DRIFT_FACTOR_MAX: f64 = 1.5;

/// One limit at both times.
pub(crate) struct LimitPair<'a> {
    pub(crate) before: Option<&'a LimitRecord>,
    pub(crate) after: Option<&'a LimitRecord>,
}

impl<'a> LimitPair<'a> {
    /// The record that describes the limit: there is always at least one.
    pub(crate) fn any(&self) -> Option<&'a LimitRecord> {
        self.before.or(self.after)
    }

    pub(crate) fn before(&self) -> Option<f64> {
        self.before.and_then(|record| record.median)
    }

    pub(crate) fn after(&self) -> Option<f64> {
        self.after.and_then(|record| record.median)
    }

    /// The mean of both medians, or the one there is. None where they differ too much: a ratio to their mean would be one to a speed
    /// that the machine never had.
    pub(crate) fn median(&self) -> Option<f64> {
        match (self.before(), self.after()) {
            (Some(before), Some(after)) if before.max(after) > DRIFT_FACTOR_MAX * before.min(after) => None,
            (Some(before), Some(after)) => Some((before + after) / 2.0),
            (before, after) => before.or(after),
        }
    }

    pub(crate) fn drift(&self) -> Option<Drift> {
        let (record, before, after) = (self.any()?, self.before()?, self.after()?);
        let share = bench_stats::drift(before, after).filter(|share| share.abs() > DRIFT_SHARE_MIN)?;
        Some(Drift { limit: record.limit.clone(), unit: record.unit.clone(), before, after, share })
    }
}

/// The interval of a limit's median, over its samples of one process. `None` if the file has not kept them.
pub(crate) fn interval(record: &LimitRecord) -> Option<Interval> {
    median_interval(&record.samples, LEVEL)
}

/// Every limit, in the order in which they were written: before the first cell of all and after the last, also where
/// the run was stopped between and continued.
pub(crate) fn pairs(records: &[CalibrationRecord]) -> Vec<(&Named<MachineLimit>, LimitPair<'_>)> {
    let mut pairs: Vec<(&Named<MachineLimit>, LimitPair<'_>)> = Vec::new();
    for (when, limit) in records.iter().flat_map(|record| record.limits.iter().map(|limit| (record.when, limit))) {
        let index = pairs.iter().position(|(known, _)| **known == limit.limit).unwrap_or_else(|| {
            pairs.push((&limit.limit, LimitPair { before: None, after: None }));
            pairs.len() - 1
        });
        match when {
            When::Before => _ = pairs[index].1.before.get_or_insert(limit),
            When::After => pairs[index].1.after = Some(limit),
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_that_drifted_is_compared_with_nothing() {
        let record = |median: f64| LimitRecord {
            limit: MachineLimit::Clock.into(),
            unit: Unit::Nanoseconds,
            median: Some(median),
            min: Some(median),
            count: 1,
            samples: Vec::new(),
            detail: String::new(),
        };
        let check = |before: f64, after: f64, expect: Option<f64>| {
            let (before, after) = (record(before), record(after));
            assert_eq!(LimitPair { before: Some(&before), after: Some(&after) }.median(), expect);
        };
        check(10.0, 14.0, Some(12.0));
        check(10.0, 16.0, None);
        check(60.0, 10.0, None);
        let alone = record(3.0);
        assert_eq!(LimitPair { before: Some(&alone), after: None }.median(), Some(3.0));
    }
}
