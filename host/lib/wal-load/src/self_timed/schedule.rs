//! When operations begin: in a closed loop one after the other, in an open loop each at its scheduled time.

use bench_model::{Check, ModuleError};
use std::time::{Duration, Instant};

/// At which rate operations arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArrivalRate {
    /// A closed loop: each operation begins when the one before has returned, so queueing is not measured.
    Closed,
    /// An open loop: evenly spaced arrivals, whether or not the operation before has returned.
    Open {
        /// Operations a second.
        rate: f64,
    },
}

impl ArrivalRate {
    /// Reads the value of the parameter `rate`, where 0 is a closed loop.
    pub fn parse(rate: i64) -> Result<Self, ModuleError> {
        match rate {
            0 => Ok(Self::Closed),
            1.. => Ok(Self::Open { rate: rate as f64 }),
            _ => Err(ModuleError::InvalidArgument(format!(
                "`rate` is {rate}; give operations per second, or 0 for a closed loop"
            ))),
        }
    }
}

/// What a handful of operations take is mostly the first one's, which is cold.
const OPERATIONS_MIN: u64 = 100;

/// The times at which operations are due, and the rate that was achieved.
#[derive(Clone, Debug)]
pub struct Schedule {
    period_ns: f64,
    begin: Instant,
    /// Operations since `begin`.
    since_begin: u64,
    /// Operations before `begin`, and how long they took.
    operations: u64,
    spent: Duration,
}

impl Schedule {
    /// A schedule of `rate` operations a second.
    pub fn new(rate: f64) -> Self {
        let period_ns = 1e9 / rate;
        Self { period_ns, begin: Instant::now(), since_begin: 0, operations: 0, spent: Duration::ZERO }
    }

    /// Restarts the schedule: the first operation is due one period from now.
    pub fn begin(&mut self) {
        (self.begin, self.since_begin) = (Instant::now(), 0);
    }

    /// Waits until the next operation is due and returns that time, which is in the past if earlier operations took too long.
    /// Spins, because waking up from a sleep would take longer than the operation.
    #[inline]
    pub fn wait(&mut self) -> Instant {
        self.since_begin += 1;
        let intended = self.begin + Duration::from_nanos((self.since_begin as f64 * self.period_ns) as u64);
        while Instant::now() < intended {
            std::hint::spin_loop();
        }
        intended
    }

    /// Records that the last operation has ended.
    pub fn end(&mut self) {
        self.operations += self.since_begin;
        self.spent += self.begin.elapsed();
        self.since_begin = 0;
    }

    /// Checks the achieved rate, and resets the counters.
    pub fn check(&mut self) -> Check {
        let asked = 1e9 / self.period_ns;
        let achieved = self.operations as f64 / self.spent.as_secs_f64().max(f64::MIN_POSITIVE);
        let check = Check::achieved_rate(asked, achieved, format_args!("{} operations", self.operations));
        let check = Check { passed: check.passed || self.operations < OPERATIONS_MIN, ..check };
        (self.operations, self.spent) = (0, Duration::ZERO);
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the operation is to be late")]
    fn a_late_operation_keeps_its_due_time() {
        let mut schedule = Schedule::new(1_000_000.0);
        schedule.begin();
        let first = schedule.wait();
        assert!(Instant::now() >= first);
        // The second operation is late, but still due at its time.
        std::thread::sleep(Duration::from_millis(1));
        let second = schedule.wait();
        assert_eq!((second - first).as_nanos(), 1_000);
    }

    #[test]
    fn an_unachieved_rate_fails_the_check() {
        let mut schedule = Schedule::new(1e12);
        schedule.begin();
        (0..1_000).for_each(|_| {
            schedule.wait();
        });
        schedule.end();
        assert!(!schedule.check().passed);
        let mut schedule = Schedule::new(100_000.0);
        schedule.begin();
        (0..200).for_each(|_| {
            schedule.wait();
        });
        let check = Schedule { spent: Duration::from_millis(2), operations: 200, since_begin: 0, ..schedule }.check();
        assert!(check.passed, "{}", check.detail);
        assert!(ArrivalRate::parse(-1).is_err() && ArrivalRate::parse(0) == Ok(ArrivalRate::Closed));
    }
}
