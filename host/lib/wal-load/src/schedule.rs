//! When operations begin: one after the other, or each at its time, whether the one before is done or not. It must not know
//! what an operation is.

use bench_model::{Check, ModuleError};
use std::time::{Duration, Instant};

/// At which rate operations begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each when the one before has ended: a closed loop, which says nothing of what waits meanwhile.
    Closed,
    /// So many a second, evenly: an open loop.
    Open {
        /// Operations a second.
        rate: f64,
    },
}

impl Pace {
    /// Out of the argument `rate`, where 0 is a closed loop.
    pub fn of_rate(rate: i64) -> Result<Self, ModuleError> {
        match rate {
            0 => Ok(Self::Closed),
            1.. => Ok(Self::Open { rate: rate as f64 }),
            _ => Err(ModuleError::InvalidArgument(format!("`rate` is {rate}; give operations a second, or 0"))),
        }
    }
}

/// What a handful of operations take is mostly the first one's, which is cold.
const OPERATIONS_MIN: u64 = 100;

/// The times at which operations are meant to begin, and how well that was kept.
#[derive(Clone, Debug)]
pub struct Schedule {
    period_ns: f64,
    begin: Instant,
    /// Operations since `begin`.
    turn: u64,
    /// Of all earlier turns: operations, and how long they took.
    operations: u64,
    spent: Duration,
}

impl Schedule {
    /// A schedule of `rate` operations a second.
    pub fn new(rate: f64) -> Self {
        let period_ns = 1e9 / rate;
        Self { period_ns, begin: Instant::now(), turn: 0, operations: 0, spent: Duration::ZERO }
    }

    /// Begins anew: the first operation is meant to begin one period from now.
    pub fn begin(&mut self) {
        (self.begin, self.turn) = (Instant::now(), 0);
    }

    /// Waits for the next operation's time, spinning, because to be woken takes longer than the operation; that time, which
    /// is past where the operations before took too long.
    #[inline]
    pub fn wait(&mut self) -> Instant {
        self.turn += 1;
        let intended = self.begin + Duration::from_nanos((self.turn as f64 * self.period_ns) as u64);
        while Instant::now() < intended {
            std::hint::spin_loop();
        }
        intended
    }

    /// Notes that the last operation has ended.
    pub fn end(&mut self) {
        self.operations += self.turn;
        self.spent += self.begin.elapsed();
        self.turn = 0;
    }

    /// Whether the rate was kept, and by how much; forgets what was before.
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
    fn operations_begin_at_their_time_even_behind_a_slow_one() {
        let mut schedule = Schedule::new(1_000_000.0);
        schedule.begin();
        let first = schedule.wait();
        assert!(Instant::now() >= first);
        // The second operation is late, and is still meant for its time.
        std::thread::sleep(Duration::from_millis(1));
        let second = schedule.wait();
        assert_eq!((second - first).as_nanos(), 1_000);
    }

    #[test]
    fn a_rate_that_is_not_kept_is_told() {
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
