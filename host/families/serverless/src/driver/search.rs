//! The search for the highest rate at which p99 stays below a bound, by bisection. Pure: the results of trials are arguments.

use super::arrival_rate::ArrivalRate;
use super::client::Tally;
use bench_model::{Check, LATENCY_BOUND, ModuleError};
use bench_stats::{Distribution, samples_needed};

/// Trials of a search, which find the rate within a 128th of where it begins.
pub(super) const TRIALS: u64 = 8;

/// The quantile of the response time that is bounded.
const QUANTILE: f64 = 0.99;

/// A trial may last this long, in nanoseconds, if its share of the time is too short for the requests that support the quantile.
const LONG_NS: f64 = 2e9;

/// The number of requests that a trial at `rate` has to send to support the quantile, also if as many are not answered as may be missing;
/// `None` if they take longer than [`LONG_NS`], and longer than twice the `share_ns` of a trial.
pub(super) fn requests_needed(rate: f64, share_ns: u64) -> Option<u64> {
    let needed = samples_needed(QUANTILE);
    let requests = needed + slow_max(needed);
    (requests as f64 * 1e9 / rate <= LONG_NS.max(2.0 * share_ns as f64)).then_some(requests)
}

/// How many of `requests` may be slower than the bound.
fn slow_max(requests: u64) -> u64 {
    (requests as f64 * (1.0 - QUANTILE)).round() as u64
}

/// What the requests of a trial say about its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The bound and the rate were kept.
    Kept,
    /// One of them was not.
    Missed,
    /// There were too few requests to tell their quantile.
    Undecided,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bound {
    /// The p99 of the response time that must not be passed, in nanoseconds.
    p99_ns: f64,
}

impl Bound {
    /// Out of the argument `p99_us_max`, where 0 looks for nothing.
    pub(super) fn of_p99_us(p99_us: i64) -> Result<Option<Self>, ModuleError> {
        match p99_us {
            0 => Ok(None),
            1.. => Ok(Some(Self { p99_ns: p99_us as f64 * 1e3 })),
            _ => Err(ModuleError::InvalidArgument(format!("`p99_us_max` is {p99_us}; give microseconds, or 0"))),
        }
    }

    /// Whether the requests of a trial kept it, and their pace.
    pub(super) fn judge(self, pace: ArrivalRate, tally: &Tally) -> Verdict {
        let (answered, needed) = (tally.response_ns.len() as u64, samples_needed(QUANTILE));
        if answered < needed {
            let slow = tally.response_ns.iter().filter(|ns| **ns as f64 > self.p99_ns).count() as u64;
            // However fast the rest of as many as are needed would be.
            return if slow + tally.shed > slow_max(needed) { Verdict::Missed } else { Verdict::Undecided };
        }
        let p99 = Distribution::of_samples(tally.response_ns.iter().map(|ns| *ns as f64)).quantile(QUANTILE);
        let kept_pace = pace.check(&tally.response_ns, tally.shed, tally.sending_ns).is_none_or(|check| check.passed);
        if kept_pace && p99.is_some_and(|p99| p99 <= self.p99_ns) { Verdict::Kept } else { Verdict::Missed }
    }

    /// Whether a rate was found at all; `pace` is the last that was tried, and `tally` has its requests.
    pub(super) fn check(self, kept: Option<f64>, pace: ArrivalRate, tally: &Tally) -> Check {
        let p99_us = self.p99_ns / 1e3;
        let detail = match kept {
            Some(rate) => format!("p99 stayed under {p99_us} us up to {rate:.0}/s"),
            None if self.judge(pace, tally) == Verdict::Undecided => {
                let at = pace.rate().map_or_else(String::new, |rate| format!(" at {rate:.0}/s"));
                let needed = samples_needed(QUANTILE);
                format!(
                    "the highest rate is not decided: a p99 needs {needed} requests, for which there was no time{at}: give more time (`--time`)"
                )
            }
            None => {
                let down = pace.rate().map_or_else(String::new, |lowest| format!(" down to {lowest:.0}/s"));
                format!(
                    "p99 passed {p99_us} us, or requests were not sent in time, at every rate{down}: give a higher p99_us_max"
                )
            }
        };
        Check::that(LATENCY_BOUND, kept.is_some(), detail)
    }
}

/// A search, between trials. Rates are requests a second.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// The highest rate that was kept, once there was one.
    kept: Option<f64>,
    /// The lowest that was not, once there was one.
    refused: Option<f64>,
    first: f64,
}

impl Search {
    /// Begins at `rate`.
    pub(super) fn from(rate: f64) -> Self {
        Self { kept: None, refused: None, first: rate }
    }

    /// The rate to try next; `None` where the very first was kept.
    pub(super) fn next(&self) -> Option<f64> {
        match (self.kept, self.refused) {
            (kept, Some(refused)) => Some((kept.unwrap_or(0.0) + refused) / 2.0),
            (None, None) => Some(self.first),
            (Some(_), None) => None,
        }
    }

    /// The highest rate that was kept, if one was.
    pub(super) fn best_rate(&self) -> Option<f64> {
        self.kept
    }

    /// Takes the result of the trial at `rate`.
    pub(super) fn record(&mut self, rate: f64, was_kept: bool) {
        if was_kept {
            self.kept = Some(rate);
        } else {
            self.refused = Some(rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches from `first` where rates up to `capacity` are kept: the highest that was, 0 for none.
    fn check(first: f64, capacity: f64, expect: f64) {
        let mut search = Search::from(first);
        for _ in 0..TRIALS {
            let Some(rate) = search.next() else { break };
            search.record(rate, rate <= capacity);
        }
        assert_eq!(search.best_rate().unwrap_or(0.0), expect, "{first} {capacity}");
    }

    #[test]
    fn the_highest_rate_that_is_kept_is_found() {
        check(128.0, 128.0, 128.0);
        check(128.0, 127.0, 127.0);
        check(128.0, 77.5, 77.0);
        check(128.0, 1.0, 1.0);
        check(128.0, 0.5, 0.0);
    }

    #[test]
    fn a_trial_has_enough_requests_or_takes_too_long() {
        assert_eq!(requests_needed(1_000.0, 0), Some(1_010));
        assert_eq!(requests_needed(500.0, 1_000_000_000), None);
        assert_eq!(requests_needed(500.0, 1_100_000_000), Some(1_010));
        let bound = Bound::of_p99_us(10).unwrap().unwrap();
        let detail = bound.check(None, ArrivalRate::of_rate(100).unwrap(), &Tally::default()).detail;
        assert!(detail.contains("a p99 needs 1000 requests, for which there was no time at 100/s"), "{detail}");
    }

    #[test]
    fn a_trial_is_kept_by_its_p99_and_its_pace() {
        let bound = Bound::of_p99_us(10).unwrap().unwrap();
        let pace = ArrivalRate::of_rate(1_000_000).unwrap();
        let tally = |slow: u64, shed: u64| Tally {
            response_ns: (0..1_000).map(|number| if number < slow { 10_001 } else { 10_000 }).collect(),
            shed,
            sending_ns: 1_000_000,
            ..Tally::default()
        };
        assert_eq!(bound.judge(pace, &tally(10, 0)), Verdict::Kept);
        assert_eq!(bound.judge(pace, &tally(11, 0)), Verdict::Missed);
        assert_eq!(bound.judge(pace, &tally(0, 30)), Verdict::Missed);
        let few = |requests: usize, slow: u64, shed: u64| {
            let mut few = tally(slow, shed);
            few.response_ns.truncate(requests);
            bound.judge(pace, &few)
        };
        assert_eq!([few(0, 0, 0), few(10, 0, 0), few(999, 10, 0)], [Verdict::Undecided; 3]);
        assert_eq!([few(999, 11, 0), few(11, 11, 0), few(10, 5, 6)], [Verdict::Missed; 3]);
        assert_eq!(Bound::of_p99_us(0), Ok(None));
        assert!(Bound::of_p99_us(-1).is_err());
    }
}
