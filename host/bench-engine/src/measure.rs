//! Takes samples of one session: warms up, finds the batch size, then times batches. A sample is the time of a whole batch, so that
//! nothing is rounded; the series carries the batch size.

use crate::Clock;
use crate::worker::progress;
use bench_model::{ModuleError, Outcome, Session};
use bench_sink::Series;
use bench_sink::runfile::Overhead;

/// How long to warm up and to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Minimum time of the warm-up, in nanoseconds.
    pub warm_up_ns: u64,
    /// How much is measured.
    pub amount: Amount,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Samples are taken until this much time has passed since the first one began.
    Time {
        /// Nanoseconds.
        ns: u64,
    },
    /// Samples are taken until at least this many operations were timed.
    Operations(u64),
}

impl Amount {
    /// Whether it is reached after `elapsed_ns` since the first sample began, with `operations` timed. In a worker, tells the parent
    /// from time to time how long the remaining operations will take, so that its deadline follows. Called between samples.
    #[must_use]
    pub fn is_done(self, elapsed_ns: u64, operations: u64) -> bool {
        match self {
            Self::Time { ns } => elapsed_ns >= ns,
            Self::Operations(wanted) => {
                progress::operations(elapsed_ns, operations, wanted);
                operations >= wanted
            }
        }
    }
}

/// Raw counts of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The number of timed operations.
    pub operations: u64,
    /// The payload bytes of the timed operations.
    pub bytes: u64,
    /// The digest of one operation's result.
    pub checksum: u64,
    /// The sum of all samples.
    pub elapsed_ns: u64,
}

/// The reason why there is no figure.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MeasureError {
    /// The module returned an error.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// The module executed another number of operations than requested.
    #[error("iterate({asked}) reported {done} operations; it must execute and report exactly {asked}")]
    Count {
        /// The requested number.
        asked: u64,
        /// The number in the outcome.
        done: u64,
    },
    /// No figure can be like this.
    #[error(transparent)]
    Implausible(#[from] crate::Implausible),
    /// The result changed although the arguments did not.
    #[error("the checksum changed from {first:016x} to {now:016x} between two batches of the same arguments")]
    Checksum {
        /// Of the first batch.
        first: u64,
        /// Of a later one.
        now: u64,
    },
}

/// A sample lasts this many times as long as the overhead of taking it, so that clock and call are at most one per cent.
const SAMPLE_TO_OVERHEAD: f64 = 100.0;
pub(crate) const SAMPLE_NS_MIN: f64 = 1_000.0;
/// Upper bound of one sample as a share of the budget, so that there are enough samples.
const SAMPLES_MIN: f64 = 100.0;
pub(crate) const BATCH_MAX: u64 = 1 << 32;

/// A session whose outcome is checked after every batch.
pub(crate) struct Checked<'a> {
    pub(crate) session: &'a mut dyn Session,
    pub(crate) checksum: Option<u64>,
}

impl Checked<'_> {
    pub(crate) fn iterate(&mut self, times: u64) -> Result<Outcome, MeasureError> {
        let outcome = self.session.iterate(times)?;
        if outcome.operations != times {
            return Err(MeasureError::Count { asked: times, done: outcome.operations });
        }
        if times > 0 {
            let first = *self.checksum.get_or_insert(outcome.checksum);
            if first != outcome.checksum {
                return Err(MeasureError::Checksum { first, now: outcome.checksum });
            }
        }
        Ok(outcome)
    }
}

/// Executes one operation and returns the digest of its result, which must be the same in all later batches.
pub fn first(session: &mut dyn Session) -> Result<u64, MeasureError> {
    Ok(Checked { session, checksum: None }.iterate(1)?.checksum)
}

/// Measures the overhead of a sample: one reading of the clock, and one empty batch. Both are the minimum of several estimates, because
/// a disturbed one would make samples far too long.
pub fn overhead(session: &mut dyn Session, clock: &impl Clock) -> Result<Overhead, MeasureError> {
    const ESTIMATES_MIN: u32 = 5;
    const READINGS: u32 = 200;
    const CALLS_MAX: u32 = 1 << 14;
    const TIME_NS: u64 = 300_000;
    let clock_ns = (0..ESTIMATES_MIN).map(|_| reading_ns(clock, READINGS)).fold(f64::INFINITY, f64::min);
    // The first call is cold.
    let mut checked = Checked { session, checksum: None };
    checked.iterate(0)?;
    let mut call_ns = f64::INFINITY;
    let (mut calls, begin) = (1, clock.now_ns());
    for estimates in 1.. {
        let start = clock.now_ns();
        for _ in 0..calls {
            checked.iterate(0)?;
        }
        let now = clock.now_ns();
        call_ns = call_ns.min((now - start) as f64 / f64::from(calls));
        if estimates >= ESTIMATES_MIN && (now - begin > TIME_NS || calls >= CALLS_MAX) {
            break;
        }
        calls = (2 * calls).min(CALLS_MAX);
    }
    Ok(Overhead { clock_ns, call_ns })
}

/// The mean time of a reading of the clock.
fn reading_ns(clock: &impl Clock, readings: u32) -> f64 {
    let start = clock.now_ns();
    for _ in 0..readings {
        std::hint::black_box(clock.now_ns());
    }
    (clock.now_ns() - start) as f64 / f64::from(readings)
}

/// What the warm-up of a session has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warm {
    /// The number of operations per sample.
    pub batch: u64,
    /// The digest of one operation's result.
    pub checksum: u64,
}

/// Runs growing batches until the time of the warm-up has passed, and finds the batch size. `checksum` is that of the first operation.
pub fn warm_up(
    session: &mut dyn Session,
    clock: &impl Clock,
    budget: &Budget,
    overhead: &Overhead,
    checksum: u64,
) -> Result<Warm, MeasureError> {
    let sample_ns = sample_ns(budget, overhead);
    let operation_ns = operation_ns(session, clock, budget.warm_up_ns, sample_ns, checksum)?;
    Ok(Warm { batch: batch_size(operation_ns, sample_ns, budget.amount), checksum })
}

/// Like [`warm_up`], for a session that times its operations itself. A batch lasts a fifth of the budget, because such a session
/// restarts its schedule with every batch.
pub fn warm_up_own_clock(
    session: &mut dyn Session,
    clock: &impl Clock,
    budget: &Budget,
    checksum: u64,
) -> Result<Warm, MeasureError> {
    const BATCHES: u64 = 5;
    let batch = match budget.amount {
        Amount::Operations(operations) => {
            let each_ns = operation_ns(session, clock, budget.warm_up_ns, 0.0, checksum)?;
            // Its batches may take longer than any deadline.
            progress::expect_ns((each_ns * operations as f64) as u64);
            operations.div_ceil(BATCHES).max(1)
        }
        Amount::Time { ns } => {
            let batch_ns = (ns / BATCHES) as f64;
            let operation_ns =
                operation_ns(session, clock, budget.warm_up_ns, batch_ns.min(OWN_CLOCK_TRIAL_NS), checksum)?;
            ((batch_ns / operation_ns.max(1.0)) as u64).clamp(1, BATCH_MAX)
        }
    };
    Ok(Warm { batch, checksum })
}

/// Maximum length of a batch in the warm-up of a session that times itself.
const OWN_CLOCK_TRIAL_NS: f64 = 20_000_000.0;

/// Runs batches that grow until they last `sample_ns`, for at least `warm_up_ns`, and estimates the time of an operation.
pub(crate) fn operation_ns(
    session: &mut dyn Session,
    clock: &impl Clock,
    warm_up_ns: u64,
    sample_ns: f64,
    checksum: u64,
) -> Result<f64, MeasureError> {
    let mut checked = Checked { session, checksum: Some(checksum) };
    let start = clock.now_ns();
    let mut times = 1;
    // The minimum of all estimates, because disturbances make an operation look slower, and a batch too small.
    let mut operation_ns = f64::INFINITY;
    loop {
        let before = clock.now_ns();
        checked.iterate(times)?;
        let after = clock.now_ns();
        let spent_ns = (after - before) as f64;
        operation_ns = operation_ns.min(spent_ns / times as f64);
        // By the best estimate: a batch that was only disturbed is no long one.
        let long_enough = operation_ns * times as f64 >= sample_ns || times >= BATCH_MAX;
        if long_enough && after - start >= warm_up_ns {
            return Ok(operation_ns);
        }
        if !long_enough {
            times *= 2;
        }
    }
}

/// Records samples into `series` until the budget is spent.
pub fn measure(
    session: &mut dyn Session,
    clock: &impl Clock,
    budget: &Budget,
    warm: Warm,
    series: &mut Series,
) -> Result<Measured, MeasureError> {
    let Warm { batch, checksum } = warm;
    let mut checked = Checked { session, checksum: Some(checksum) };
    series.batch = batch;
    let mut measured = Measured { operations: 0, bytes: 0, checksum, elapsed_ns: 0 };
    let start = clock.now_ns();
    loop {
        let before = clock.now_ns();
        let outcome = checked.iterate(batch)?;
        let after = clock.now_ns();
        series.record(after - before);
        measured.operations += outcome.operations;
        // What a module reports may be any number.
        measured.bytes = measured.bytes.saturating_add(outcome.bytes);
        measured.elapsed_ns += after - before;
        if budget.amount.is_done(after - start, measured.operations) {
            return Ok(measured);
        }
    }
}

/// The length of a sample at which the overhead of measuring is negligible.
pub(crate) fn wanted_ns(overhead: &Overhead) -> f64 {
    (SAMPLE_TO_OVERHEAD * (overhead.clock_ns + overhead.call_ns)).max(SAMPLE_NS_MIN)
}

/// The length of a sample.
fn sample_ns(budget: &Budget, overhead: &Overhead) -> f64 {
    let wanted = wanted_ns(overhead);
    match budget.amount {
        Amount::Time { ns } => wanted.min((ns as f64 / SAMPLES_MIN).max(SAMPLE_NS_MIN)),
        Amount::Operations(_) => wanted,
    }
}

/// The smallest power of two whose batch lasts `sample_ns`, at most the requested number of operations.
fn batch_size(operation_ns: f64, sample_ns: f64, amount: Amount) -> u64 {
    let wanted = (sample_ns / operation_ns.max(f64::MIN_POSITIVE)).min(BATCH_MAX as f64).ceil().max(1.0);
    let batch = (wanted as u64).next_power_of_two();
    match amount {
        Amount::Time { .. } => batch,
        Amount::Operations(operations) => batch.min(operations.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;
    use bench_model::{Check, Direction, Unit};
    use proptest::prelude::*;

    /// A session whose operations all take the same time on the fake clock.
    struct Mock {
        clock: FakeClock,
        operation_ns: u64,
        batches: Vec<u64>,
        /// The batch from which on the checksum differs.
        changes_at: usize,
        skips: u64,
    }

    impl Session for Mock {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            self.clock.advance(self.operation_ns * times);
            self.batches.push(times);
            let checksum = u64::from(self.batches.len() > self.changes_at);
            Ok(Outcome { operations: times - self.skips.min(times), bytes: 3 * times, checksum })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    const OVERHEAD: Overhead = Overhead { clock_ns: 20.0, call_ns: 80.0 };

    fn mock(operation_ns: u64) -> Mock {
        Mock { clock: FakeClock::default(), operation_ns, batches: Vec::new(), changes_at: usize::MAX, skips: 0 }
    }

    fn check(mock: &mut Mock, amount: Amount) -> (Result<Measured, MeasureError>, Series, u64) {
        let mut series = Series::new("time", Unit::Nanoseconds, Direction::LowerIsBetter);
        let clock = mock.clock.clone();
        let budget = Budget { warm_up_ns: 50_000, amount };
        let result = first(mock).and_then(|checksum| warm_up(mock, &clock, &budget, &OVERHEAD, checksum));
        let warm_up_ns = clock.now_ns();
        let result = result.and_then(|warm| measure(mock, &clock, &budget, warm, &mut series));
        (result, series, warm_up_ns)
    }

    #[test]
    fn short_operation_is_batched_until_overhead_is_one_per_cent() {
        let mut mock = mock(10);
        let (measured, series, warm_up_ns) = check(&mut mock, Amount::Time { ns: 1_000_000 });
        assert_eq!(series.batch, 1024, "100 × 100 ns of overhead over 10 ns an operation, as a power of two");
        assert!(warm_up_ns >= 50_000);
        assert_eq!(series.count(), 98, "samples of 10.24 µs until 1 ms has passed");
        let elapsed_ns = 98 * 10_240;
        assert_eq!(measured, Ok(Measured { operations: 98 * 1024, bytes: 3 * 98 * 1024, checksum: 0, elapsed_ns }));
        assert!(series.raw().unwrap().iter().all(|sample| *sample == 10_240));
    }

    #[test]
    fn long_operation_is_timed_alone_and_at_least_once() {
        let mut mock = mock(5_000_000);
        let (measured, series, _) = check(&mut mock, Amount::Time { ns: 1_000 });
        assert_eq!((series.batch, series.count()), (1, 1));
        assert_eq!(measured.unwrap().operations, 1);
    }

    #[test]
    fn slow_call_does_not_reduce_the_number_of_samples() {
        let budget = Budget { warm_up_ns: 0, amount: Amount::Time { ns: 10_000_000 } };
        let dear = Overhead { clock_ns: 20.0, call_ns: 500_000.0 };
        assert_eq!(sample_ns(&budget, &dear), 100_000.0, "a hundredth of the time, not a hundred calls");
        assert_eq!(sample_ns(&budget, &OVERHEAD), 10_000.0);
    }

    #[test]
    fn session_with_own_clock_has_about_five_batches() {
        for (operation_ns, batch, calls) in [(10, 200_000, 5), (300_000, 6, 6), (50_000_000, 1, 1)] {
            let mut mock = mock(operation_ns);
            let clock = mock.clock.clone();
            let budget = Budget { warm_up_ns: 50_000, amount: Amount::Time { ns: 10_000_000 } };
            let warm = first(&mut mock).and_then(|checksum| warm_up_own_clock(&mut mock, &clock, &budget, checksum));
            assert_eq!(warm, Ok(Warm { batch, checksum: 0 }));
            let mut series = Series::new("time", Unit::Nanoseconds, Direction::LowerIsBetter);
            measure(&mut mock, &clock, &budget, warm.unwrap(), &mut series).unwrap();
            assert_eq!(series.count(), calls, "{operation_ns} ns an operation");
        }
        let mut mock = mock(1_000);
        let (clock, budget) = (mock.clock.clone(), Budget { warm_up_ns: 0, amount: Amount::Operations(95) });
        assert_eq!(warm_up_own_clock(&mut mock, &clock, &budget, 0), Ok(Warm { batch: 19, checksum: 0 }));
    }

    #[test]
    fn changing_checksum_or_wrong_count_is_an_error() {
        for changes_at in [1, 3] {
            let mut changing = Mock { changes_at, ..mock(10) };
            assert_eq!(check(&mut changing, Amount::Operations(1)).0, Err(MeasureError::Checksum { first: 0, now: 1 }));
        }
        let mut skipping = Mock { skips: 1, ..mock(10) };
        assert_eq!(check(&mut skipping, Amount::Operations(1)).0, Err(MeasureError::Count { asked: 1, done: 0 }));
    }

    /// A session whose calls take `call_ns` and whose operations take `operation_ns`. The call with the number `disturbed` takes
    /// 20 ms more.
    struct Disturbed {
        clock: FakeClock,
        call_ns: u64,
        operation_ns: u64,
        calls: u32,
        disturbed: u32,
    }

    impl Session for Disturbed {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            let disturbance_ns = if self.calls == self.disturbed { 20_000_000 } else { 0 };
            self.calls += 1;
            self.clock.advance(self.call_ns + self.operation_ns * times + disturbance_ns);
            Ok(Outcome { operations: times, bytes: 0, checksum: 0 })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn overhead_is_the_time_of_an_undisturbed_empty_batch() {
        for (call_ns, disturbed) in [(70, u32::MAX), (70, 0), (70, 1), (70, 2), (5_000_000, u32::MAX)] {
            let clock = FakeClock::default();
            let mut session = Disturbed { clock: clock.clone(), call_ns, operation_ns: 0, calls: 0, disturbed };
            let expect = Overhead { clock_ns: 0.0, call_ns: call_ns as f64 };
            assert_eq!(overhead(&mut session, &clock), Ok(expect), "call {disturbed} is disturbed");
        }
    }

    #[test]
    fn disturbed_call_does_not_end_the_search_for_the_batch() {
        for disturbed in [0, 1, 5, u32::MAX] {
            let clock = FakeClock::default();
            let mut session = Disturbed { clock: clock.clone(), call_ns: 300, operation_ns: 1, calls: 0, disturbed };
            let budget = Budget { warm_up_ns: 50_000_000, amount: Amount::Time { ns: 10_000_000 } };
            let overhead = Overhead { clock_ns: 0.0, call_ns: 300.0 };
            let warm = warm_up(&mut session, &clock, &budget, &overhead, 0);
            assert_eq!(warm, Ok(Warm { batch: 32_768, checksum: 0 }), "call {disturbed} is disturbed");
        }
    }

    proptest! {
        #[test]
        fn counts_add_up(operation_ns in 1u64..100_000, operations in 1u64..10_000) {
            let mut mock = mock(operation_ns);
            let (measured, series, _) = check(&mut mock, Amount::Operations(operations));
            let measured = measured.unwrap();
            prop_assert_eq!(measured.operations, series.count() * series.batch);
            prop_assert!(measured.operations >= operations);
            prop_assert!(measured.operations < operations + series.batch);
            prop_assert_eq!(series.raw().unwrap().iter().sum::<u64>(), measured.operations * operation_ns);
        }
    }
}
