//! Judges whether an open loop kept its rate. It is not enough that operations were sent in time: they may have waited behind each other,
//! and have been worked off after the last one was sent. Pure: the times are arguments.

use bench_model::Check;
use bench_stats::Distribution;
use std::fmt::Display;

/// What an open loop did.
#[derive(Clone, Copy, Debug)]
pub struct OpenLoop<'a> {
    /// The rate that was asked for, in operations per second.
    pub asked: f64,
    /// The nanoseconds from when each operation was due until it was done, in the order in which they were done.
    pub response_ns: &'a [u64],
    /// The number of operations that were due and were not done.
    pub missing: u64,
    /// The nanoseconds from the begin until the last operation was sent.
    pub sending_ns: u64,
}

/// The response times at the end are compared with those of other parts of the loop, of which there are this many.
const PARTS: usize = 10;

/// The fewest operations of such a part, so that a single slow one is no backlog.
const PART_MIN: usize = 10;

impl OpenLoop<'_> {
    /// The check that the rate was achieved, over the time in which the operations were due and their backlog was worked off. `over` says what
    /// was counted (`1000 requests`).
    pub fn check(&self, over: impl Display) -> Check {
        let done = self.response_ns.len() as f64;
        let due_ns = (done + self.missing as f64) * 1e9 / self.asked;
        let needed_ns = (due_ns + self.backlog_ns()).max(self.sending_ns as f64).max(1.0);
        Check::achieved_rate(self.asked, done * 1e9 / needed_ns, over)
    }

    /// The time for which the last operations waited behind others: how much longer they took than those of the fastest part of the loop.
    /// Response times that are long but do not grow are no backlog. 0 for too few operations.
    fn backlog_ns(&self) -> f64 {
        let length = self.response_ns.len().div_ceil(PARTS).max(PART_MIN);
        let median = |part: &[u64]| Distribution::of_samples(part.iter().map(|ns| *ns as f64)).quantile(0.5);
        let medians: Vec<f64> = self.response_ns.rchunks_exact(length).filter_map(median).collect();
        let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
        medians.first().map_or(0.0, |last| last - least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD_NS: u64 = 1_000_000;

    /// Checks a loop at 1,000 a second that was sent in time, of operations with these response times.
    #[track_caller]
    fn check(response_ns: &[u64], missing: u64, passed: bool) {
        let sending_ns = (response_ns.len() as u64 + missing) * PERIOD_NS;
        let check = OpenLoop { asked: 1_000.0, response_ns, missing, sending_ns }.check("operations");
        assert_eq!(check.passed, passed, "{}", check.detail);
    }

    /// The response times of so many operations, which are done one after the other, each in `service_ns`.
    fn queued(operations: u64, service_ns: u64) -> Vec<u64> {
        let mut free_ns = 0;
        let response_ns = |number: u64| {
            let due_ns = number * PERIOD_NS;
            free_ns = due_ns.max(free_ns) + service_ns;
            free_ns - due_ns
        };
        (0..operations).map(response_ns).collect()
    }

    #[test]
    fn rate_is_not_kept_if_a_backlog_is_worked_off_after_the_last_was_sent() {
        check(&queued(1_000, PERIOD_NS / 2), 0, true);
        check(&queued(1_000, PERIOD_NS), 0, true);
        check(&queued(1_000, PERIOD_NS + PERIOD_NS / 200), 0, true);
        check(&queued(1_000, PERIOD_NS + PERIOD_NS / 50), 0, false);
        check(&queued(100, 2 * PERIOD_NS), 0, false);
    }

    #[test]
    fn backlog_that_was_worked_off_before_the_end_is_none() {
        let mut response_ns = queued(500, 2 * PERIOD_NS);
        response_ns.extend(queued(500, PERIOD_NS / 2));
        check(&response_ns, 0, true);
    }

    #[test]
    fn response_times_that_are_long_or_of_which_a_few_are_longer_are_no_backlog() {
        check(&[500 * PERIOD_NS; 1_000], 0, true);
        let mut response_ns = [PERIOD_NS; 1_000];
        response_ns[990..].fill(900 * PERIOD_NS);
        check(&response_ns, 0, true);
        // Too few to tell.
        check(&queued(19, PERIOD_NS * 2), 0, true);
    }

    #[test]
    fn missing_operations_and_late_sends_are_less_of_a_rate() {
        check(&[1; 1_000], 10, true);
        check(&[1; 1_000], 11, false);
        check(&[], 0, false);
        let late = |sending_ns| OpenLoop { asked: 1_000.0, response_ns: &[1; 1_000], missing: 0, sending_ns };
        assert!(late(1_010_000_000).check("operations").passed);
        assert!(!late(1_020_000_000).check("operations").passed);
    }
}
