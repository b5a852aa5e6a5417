//! Measures a fixed number of rounds, or as many of them as there is time for.

use crate::effort::Effort;
use bench_engine::{FixedRounds, Schedule};
use bench_sink::runfile::Record;
use bench_stats::PROCESSES_MIN;
use std::time::{Duration, Instant};

/// All groups in each round.
pub(super) struct TimedRounds {
    begun: Instant,
    /// The time for all rounds, if it is limited.
    within: Option<Duration>,
    most: FixedRounds,
}

impl TimedRounds {
    pub(super) fn new(effort: &Effort, groups: usize) -> Self {
        let each_ns = |within_ns: u64| within_ns.saturating_mul(groups as u64);
        Self {
            begun: Instant::now(),
            within: effort.within_ns.map(each_ns).map(Duration::from_nanos),
            most: FixedRounds { processes: effort.processes, groups },
        }
    }
}

impl Schedule for TimedRounds {
    fn round(&mut self, process: u32) -> (Vec<usize>, Vec<Record>) {
        let is_spent = self.within.is_some_and(|within| !has_time(self.begun.elapsed(), process, within));
        if is_spent { (Vec::new(), Vec::new()) } else { self.most.round(process) }
    }
}

/// Whether one more round fits, if it takes as long as the `done` ones on average, which took `spent`. Fewer processes than a verdict needs
/// are worth nothing, so those have time.
fn has_time(spent: Duration, done: u32, within: Duration) -> bool {
    done < PROCESSES_MIN || spent + spent / done <= within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_end_when_the_next_one_would_not_fit() {
        let second = Duration::from_secs(1);
        let check = |spent: u32, done: u32, expect: bool| {
            assert_eq!(has_time(spent * second, done, 30 * second), expect, "{done} rounds in {spent} s");
        };
        check(0, 0, true);
        check(300, PROCESSES_MIN - 1, true);
        check(300, PROCESSES_MIN, false);
        check(20, 3, true);
        check(24, 4, true);
        check(25, 4, false);
        check(12, 9, true);
    }

    #[test]
    fn without_a_limit_there_are_as_many_rounds_as_were_asked_for() {
        let most = FixedRounds { processes: 4, groups: 2 };
        let mut rounds = TimedRounds { begun: Instant::now(), within: None, most };
        assert_eq!((rounds.round(3).0, rounds.round(4).0), (vec![0, 1], vec![]));
        let mut spent = TimedRounds { within: Some(Duration::ZERO), ..rounds };
        assert_eq!((spent.round(PROCESSES_MIN - 1).0, spent.round(PROCESSES_MIN).0), (vec![0, 1], vec![]));
    }
}
