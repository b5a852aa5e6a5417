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

/// After so much time, few operations are no longer a handful that is cold.
const LOAD_MIN: Duration = Duration::from_secs(1);

/// An operation that was waited for begins at most this much later than it is due: a hundred readings of the clock. A thread that only
/// reads the clock and is later did not run.
const STANDSTILL: Duration = Duration::from_micros(5);

/// The times at which operations are due, and the rate that was achieved.
#[derive(Clone, Debug)]
pub struct Schedule {
    period_ns: f64,
    begin: Instant,
    /// Operations since `begin`, and when the first and the last of them started.
    since_begin: u64,
    first: Instant,
    last: Instant,
    /// Operations before `begin`.
    operations: u64,
    /// The intervals from each start to the next in one call, how many there were and their sum. What comes before the first start and
    /// after the last is no part of the rate: with few operations a call it would be most of the time.
    intervals: u64,
    spent: Duration,
    /// Whether the machine stood still when an operation was due, and operations have been late since.
    is_behind: bool,
    /// Operations that were late because of that.
    held_up: u64,
}

impl Schedule {
    /// A schedule of `rate` operations a second.
    pub fn new(rate: f64) -> Self {
        let period_ns = 1e9 / rate;
        let begin = Instant::now();
        Self {
            period_ns,
            begin,
            since_begin: 0,
            first: begin,
            last: begin,
            operations: 0,
            intervals: 0,
            spent: Duration::ZERO,
            is_behind: false,
            held_up: 0,
        }
    }

    /// Restarts the schedule: the first operation is due one period from now.
    pub fn begin(&mut self) {
        (self.begin, self.since_begin, self.is_behind) = (Instant::now(), 0, false);
    }

    /// Waits until the next operation is due and returns that time, which is in the past if earlier operations took too long.
    /// Spins, because waking up from a sleep would take longer than the operation.
    #[inline]
    pub fn wait(&mut self) -> Instant {
        self.since_begin += 1;
        let intended = self.begin + Duration::from_nanos((self.since_begin as f64 * self.period_ns) as u64);
        let mut now = Instant::now();
        let waited = now < intended;
        while now < intended {
            std::hint::spin_loop();
            now = Instant::now();
        }
        if self.since_begin == 1 {
            self.first = now;
        }
        self.last = now;
        self.starts(waited, now - intended);
        intended
    }

    /// Counts an operation that starts `late`, and was `waited` for or was due already when the one before had ended.
    #[inline]
    fn starts(&mut self, waited: bool, late: Duration) {
        if waited {
            self.is_behind = late >= STANDSTILL;
        }
        self.held_up += u64::from(self.is_behind);
    }

    /// Records that the last operation has ended.
    pub fn end(&mut self) {
        self.operations += self.since_begin;
        self.intervals += self.since_begin.saturating_sub(1);
        if self.since_begin > 0 {
            self.spent += self.last - self.first;
        }
        self.since_begin = 0;
    }

    /// Checks the achieved rate alone, and resets the counters: for threads that may share a processor, which hold up each other.
    pub fn check(&mut self) -> Check {
        let [rate, _] = self.checks();
        rate
    }

    /// Checks the achieved rate and that the machine did not stand still, and resets the counters.
    pub fn checks(&mut self) -> [Check; 2] {
        let (asked, operations) = (1e9 / self.period_ns, self.operations);
        let achieved = self.intervals as f64 / self.spent.as_secs_f64().max(f64::MIN_POSITIVE);
        let rate = Check::achieved_rate(asked, achieved, format_args!("{operations} operations"));
        let running = Check::was_running(self.held_up, operations);
        let is_few = operations < OPERATIONS_MIN;
        // A slow log has few operations however long it runs.
        let is_cold = is_few && self.spent < LOAD_MIN || self.intervals == 0;
        (self.operations, self.intervals, self.spent, self.held_up) = (0, 0, Duration::ZERO, 0);
        [Check { passed: rate.passed || is_cold, ..rate }, Check { passed: running.passed || is_few, ..running }]
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
        let (spent, operations) = (Duration::from_millis(2), 200);
        let mut schedule = Schedule { spent, operations, intervals: operations, since_begin: 0, ..schedule };
        let check = schedule.check();
        assert!(check.passed, "{}", check.detail);
        assert!(ArrivalRate::parse(-1).is_err() && ArrivalRate::parse(0) == Ok(ArrivalRate::Closed));
    }

    /// Calls of so many operations, at 1,000 a second, that start each so many microseconds after the one before.
    #[track_caller]
    fn check_rate(calls: u64, operations: u64, interval_us: u64, passed: bool) {
        let mut schedule = Schedule::new(1_000.0);
        for _ in 0..calls {
            schedule.begin();
            schedule.since_begin = operations;
            schedule.first = schedule.begin + Duration::from_millis(1);
            schedule.last = schedule.first + Duration::from_micros(interval_us) * (operations as u32 - 1);
            schedule.end();
        }
        let check = schedule.check();
        assert_eq!(check.passed, passed, "{}", check.detail);
    }

    #[test]
    fn rate_is_that_of_starts_however_many_operations_a_call_has() {
        check_rate(100, 2, 1_000, true);
        check_rate(1, 200, 1_000, true);
        check_rate(100, 2, 1_100, false);
        check_rate(1, 200, 1_100, false);
        // Cold, and slow for a second.
        check_rate(1, 50, 1_100, true);
        check_rate(1, 50, 25_000, false);
        // One operation a call has no rate.
        check_rate(200, 1, 0, true);
    }

    /// Runs 1,000 operations, which start so late as `late_us` says, after waiting unless it is `None`.
    #[track_caller]
    fn check_standstill(late_us: impl Fn(u64) -> Option<u64>, held_up: u64, passed: bool) {
        let mut schedule = Schedule::new(100_000.0);
        for number in 0..1_000 {
            let late = late_us(number);
            schedule.starts(late.is_some(), Duration::from_micros(late.unwrap_or(50)));
        }
        assert_eq!(schedule.held_up, held_up);
        schedule.operations = 1_000;
        let [_, check] = schedule.checks();
        assert_eq!((check.passed, check.is_of_machine()), (passed, true), "{}", check.detail);
        assert!(schedule.checks()[1].passed, "the counters begin again");
    }

    #[test]
    fn standstill_counts_only_while_the_thread_had_nothing_to_do() {
        check_standstill(|_| Some(0), 0, true);
        // A log that is slow is always late, and the schedule has never waited.
        check_standstill(|_| None, 0, true);
        check_standstill(|number| if number == 0 { Some(0) } else { None }, 0, true);
        // The machine stands still once, and it takes nine operations to catch up.
        check_standstill(
            |number| if (501..510).contains(&number) { None } else { Some(if number == 500 { 90 } else { 0 }) },
            10,
            false,
        );
        check_standstill(
            |number| if (501..509).contains(&number) { None } else { Some(if number == 500 { 90 } else { 0 }) },
            9,
            true,
        );
        check_standstill(|number| Some(if number % 100 == 0 { 4 } else { 0 }), 0, true);
    }
}
