//! When operations begin: one after the other, or each at its intended time, whether or not the one before has ended.

use bench_model::{Check, ModuleError};
use std::time::{Duration, Instant};

/// The arrival rate of operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// A closed loop: each operation begins when the one before has ended, which hides the waiting of others.
    Closed,
    /// An open loop: operations begin at evenly spaced times.
    Open {
        /// Operations per second.
        rate: f64,
    },
}

impl Pace {
    /// Reads the argument `rate`, where 0 is a closed loop.
    pub fn of_rate(rate: i64) -> Result<Self, ModuleError> {
        match rate {
            0 => Ok(Self::Closed),
            1.. => Ok(Self::Open { rate: rate as f64 }),
            _ => Err(ModuleError::InvalidArgument(format!(
                "`rate` is {rate}; give operations per second, or 0 for a closed loop"
            ))),
        }
    }
}

/// A run that achieves less than this share of the requested rate is void.
const ACHIEVED_MIN: f64 = 0.99;

/// The intended start times of operations, and the achieved rate.
#[derive(Clone, Debug)]
pub struct Schedule {
    period_ns: f64,
    begin: Instant,
    /// Operations since `begin`.
    turn: u64,
    /// The operations of all earlier phases, and how long they took.
    operations: u64,
    spent: Duration,
}

impl Schedule {
    /// A schedule of `rate` operations per second.
    pub fn new(rate: f64) -> Self {
        let period_ns = 1e9 / rate;
        Self { period_ns, begin: Instant::now(), turn: 0, operations: 0, spent: Duration::ZERO }
    }

    /// Starts a phase: the intended start of its first operation is one period from now.
    pub fn begin(&mut self) {
        (self.begin, self.turn) = (Instant::now(), 0);
    }

    /// Waits for the intended start of the next operation and returns it. It is in the past where earlier operations took too
    /// long. The wait spins, because waking up takes longer than an operation.
    #[inline]
    pub fn wait(&mut self) -> Instant {
        self.turn += 1;
        let intended = self.begin + Duration::from_nanos((self.turn as f64 * self.period_ns) as u64);
        while Instant::now() < intended {
            std::hint::spin_loop();
        }
        intended
    }

    /// Ends a phase after its last operation.
    pub fn end(&mut self) {
        self.operations += self.turn;
        self.spent += self.begin.elapsed();
        self.turn = 0;
    }

    /// Checks the achieved rate, and resets it.
    pub fn check(&mut self) -> Check {
        let asked = 1e9 / self.period_ns;
        let achieved = self.operations as f64 / self.spent.as_secs_f64().max(f64::MIN_POSITIVE);
        // The time of a few operations is mostly that of the first one, which is cold.
        let passed = self.operations < 100 || achieved >= ACHIEVED_MIN * asked;
        let detail = format!(
            "asked for {asked:.0}/s, achieved {achieved:.0}/s over {} operations, wanted at least {:.0} %; ask for less",
            self.operations,
            100.0 * ACHIEVED_MIN
        );
        (self.operations, self.spent) = (0, Duration::ZERO);
        Check::that("achieved-rate", passed, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intended_start_does_not_move_after_a_slow_operation() {
        let mut schedule = Schedule::new(1_000_000.0);
        schedule.begin();
        let first = schedule.wait();
        assert!(Instant::now() >= first);
        // The second operation is late; its intended start is unchanged.
        std::thread::sleep(Duration::from_millis(1));
        let second = schedule.wait();
        assert_eq!((second - first).as_nanos(), 1_000);
    }

    #[test]
    fn missed_rate_fails_the_check() {
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
        let check = Schedule { spent: Duration::from_millis(2), operations: 200, turn: 0, ..schedule }.check();
        assert!(check.passed, "{}", check.detail);
        assert!(Pace::of_rate(-1).is_err() && Pace::of_rate(0) == Ok(Pace::Closed));
    }
}
