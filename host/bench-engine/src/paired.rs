//! Measures several sessions interleaved, so that disturbances of the machine affect all equally. Returns one sample vector per session;
//! samples with the same index form a block.

use crate::Clock;
use crate::Warm;
use crate::measure::{BATCH_MAX, Checked, MeasureError, Measured, SAMPLE_NS_MIN, operation_ns, wanted_ns};
use bench_model::Session;
use bench_sink::Series;
use bench_sink::runfile::Overhead;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use std::cell::Cell;
use std::rc::Rc;

/// The effort of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairedBudget {
    /// Each session runs for at least this long before the first sample.
    pub warm_up_ns: u64,
    /// Blocks are measured until this much time has passed,
    pub time_ns: u64,
    /// or until there are this many.
    pub blocks_max: u64,
}

/// Minimum number of blocks, which a confidence interval needs, however long they take. A block is one sample of every session.
const BLOCKS_MIN: u64 = 2;

/// Where a session with a clock of its own leaves what its last batch took, in nanoseconds.
pub type BatchNs = Rc<Cell<u64>>;

/// One arm of the comparison: sessions that do the same, each with its own state, so that differences between them are noise.
pub struct Candidate<'a> {
    /// The sessions, as many as the other arms have.
    pub sessions: Vec<&'a mut dyn Session>,
    /// What the warm-up found.
    pub warm: Warm,
    /// What the last batch of each session took by its own clock; empty if this host times them.
    pub own_ns: Vec<BatchNs>,
}

impl PairedBudget {
    /// The length of a sample of any of `sessions` sessions: the budget divided by the maximum number of samples, but long
    /// enough that the overhead of measuring is negligible, where the smallest number of blocks then still fits into the budget. It is
    /// the same for all arms, because samples of different lengths catch different shares of the machine's disturbances.
    pub fn sample_ns<'a>(&self, sessions: usize, overheads: impl IntoIterator<Item = &'a Overhead>) -> f64 {
        let of_blocks = |blocks: u64| self.time_ns as f64 / (blocks.max(1) * sessions.max(1) as u64) as f64;
        let wanted_ns = overheads.into_iter().map(wanted_ns).fold(SAMPLE_NS_MIN, f64::max);
        wanted_ns.min(of_blocks(BLOCKS_MIN).max(SAMPLE_NS_MIN)).max(of_blocks(self.blocks_max))
    }
}

/// Warms up the sessions of one arm, and finds their common batch size, at which a sample lasts `sample_ns`.
pub fn warm_up_candidate(
    sessions: &mut [&mut dyn Session],
    clock: &impl Clock,
    budget: &PairedBudget,
    sample_ns: f64,
    checksum: u64,
) -> Result<Warm, MeasureError> {
    let mut least_ns = f64::INFINITY;
    for session in sessions {
        least_ns = least_ns.min(operation_ns(*session, clock, budget.warm_up_ns, sample_ns, checksum)?);
    }
    // Not a power of two: otherwise two arms of nearly the same speed could get batches that differ by a factor of two.
    let batch = (sample_ns / least_ns.max(f64::MIN_POSITIVE)).ceil().clamp(1.0, BATCH_MAX as f64);
    Ok(Warm { batch: batch as u64, checksum })
}

/// Measures blocks until the budget is spent, and appends the samples to the `series` of their arm. Within a block, the sessions with
/// the same number are measured next to each other, with the arms and the numbers in random order. One untimed empty call comes
/// before each sample, to re-warm caches that the other arms evicted. An error carries the number of its arm.
pub fn measure_interleaved(
    candidates: &mut [Candidate<'_>],
    clock: &impl Clock,
    budget: &PairedBudget,
    seed: u64,
    series: &mut [Series],
) -> Result<Vec<Measured>, (usize, MeasureError)> {
    let sessions = candidates.iter().map(|side| side.sessions.len()).min().unwrap_or_default();
    let mut measured = Vec::with_capacity(candidates.len());
    for (side, series) in candidates.iter().zip(series.iter_mut()) {
        series.batch = side.warm.batch;
        measured.push(Measured { operations: 0, bytes: 0, checksum: side.warm.checksum, elapsed_ns: 0 });
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut numbers: Vec<usize> = (0..sessions).collect();
    let mut sides: Vec<usize> = (0..candidates.len()).collect();
    let mut block = vec![0; sessions * candidates.len()];
    let start = clock.now_ns();
    for blocks in 1.. {
        numbers.shuffle(&mut random);
        for &number in &numbers {
            sides.shuffle(&mut random);
            for &side in &sides {
                let Candidate { sessions: of_side, warm, own_ns } = &mut candidates[side];
                let mut checked = Checked { session: &mut *of_side[number], checksum: Some(warm.checksum) };
                checked.iterate(0).map_err(|error| (side, error))?;
                let before = clock.now_ns();
                let outcome = checked.iterate(warm.batch);
                let after = clock.now_ns();
                let outcome = outcome.map_err(|error| (side, error))?;
                let sample = own_ns.get(number).map_or(after - before, |own_ns| own_ns.get());
                block[side * sessions + number] = sample;
                measured[side].operations += outcome.operations;
                measured[side].bytes = measured[side].bytes.saturating_add(outcome.bytes);
                measured[side].elapsed_ns = measured[side].elapsed_ns.saturating_add(sample);
            }
        }
        for (samples, series) in block.chunks(sessions.max(1)).zip(series.iter_mut()) {
            samples.iter().for_each(|sample| series.record(*sample));
        }
        let spent = clock.now_ns() - start;
        if blocks >= BLOCKS_MIN && (spent >= budget.time_ns || blocks >= budget.blocks_max) {
            break;
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;
    use bench_model::{Check, Direction, ModuleError, Outcome, Unit};
    use std::cell::RefCell;

    type Order = Rc<RefCell<Vec<char>>>;

    /// A session whose operations take `ns` each, and that notes its calls.
    struct Mock {
        name: char,
        ns: u64,
        clock: FakeClock,
        order: Order,
        fails_after: usize,
    }

    impl Session for Mock {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            self.clock.advance(self.ns * times);
            if times > 0 {
                self.order.borrow_mut().push(self.name);
            }
            let calls = self.order.borrow().len();
            Ok(Outcome { operations: times, bytes: times, checksum: u64::from(calls > self.fails_after) })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    struct Found {
        result: Result<Vec<Measured>, (usize, MeasureError)>,
        series: Vec<Series>,
        order: String,
    }

    /// Two sessions `a` and `A` of one arm, `b` and `B` of the other, in batches of 3 and 2.
    fn check(budget: PairedBudget, seed: u64, fails_after: usize) -> Found {
        let (clock, order) = (FakeClock::default(), Order::default());
        let mock = |name, ns| Mock { name, ns, clock: clock.clone(), order: order.clone(), fails_after };
        let (mut a, mut a_too, mut b, mut b_too) = (mock('a', 10), mock('A', 20), mock('b', 100), mock('B', 200));
        let warm = |batch| Warm { batch, checksum: 0 };
        let mut sides = [
            Candidate { sessions: vec![&mut a, &mut a_too], warm: warm(3), own_ns: Vec::new() },
            Candidate { sessions: vec![&mut b, &mut b_too], warm: warm(2), own_ns: Vec::new() },
        ];
        let series = || Series::new("time", Unit::Nanoseconds, Direction::LowerIsBetter);
        let mut series = vec![series(), series()];
        let result = measure_interleaved(&mut sides, &clock, &budget, seed, &mut series);
        let order = order.borrow().iter().collect();
        Found { result, series, order }
    }

    const BUDGET: PairedBudget = PairedBudget { warm_up_ns: 0, time_ns: u64::MAX, blocks_max: 50 };

    #[test]
    fn samples_of_a_block_have_the_same_index_in_every_series() {
        let found = check(BUDGET, 1, usize::MAX);
        assert_eq!(found.series[0].raw().unwrap(), [30, 60].repeat(50));
        assert_eq!(found.series[1].raw().unwrap(), [200, 400].repeat(50));
        assert_eq!((found.series[0].batch, found.series[1].batch), (3, 2));
        let measured =
            |batch: u64, elapsed_ns| Measured { operations: 100 * batch, bytes: 100 * batch, checksum: 0, elapsed_ns };
        assert_eq!(found.result, Ok(vec![measured(3, 4_500), measured(2, 30_000)]));
    }

    /// A session that times a tenth of what it does.
    struct Own {
        mock: Mock,
        own_ns: BatchNs,
    }

    impl Session for Own {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            self.own_ns.set(self.mock.ns * times / 10);
            self.mock.iterate(times)
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn sample_of_a_session_with_its_own_clock_is_what_that_says() {
        let (clock, order) = (FakeClock::default(), Order::default());
        let own = |name, ns| {
            let mock = Mock { name, ns, clock: clock.clone(), order: order.clone(), fails_after: usize::MAX };
            Own { mock, own_ns: BatchNs::default() }
        };
        let (mut a, mut b) = (own('a', 1_000), own('b', 3_000));
        let warm = Warm { batch: 1, checksum: 0 };
        let own_ns = |own: &Own| vec![own.own_ns.clone()];
        let (a_ns, b_ns) = (own_ns(&a), own_ns(&b));
        let mut sides = [
            Candidate { sessions: vec![&mut a], warm, own_ns: a_ns },
            Candidate { sessions: vec![&mut b], warm, own_ns: b_ns },
        ];
        let series = || Series::new("time", Unit::Nanoseconds, Direction::LowerIsBetter);
        let mut series = [series(), series()];
        let budget = PairedBudget { time_ns: 5 * 4_000, ..BUDGET };
        let measured = measure_interleaved(&mut sides, &clock, &budget, 1, &mut series).unwrap();
        assert_eq!(series[0].raw().unwrap(), [100; 5], "the budget is of the host's time");
        assert_eq!(series[1].raw().unwrap(), [300; 5]);
        assert_eq!(measured.iter().map(|side| side.elapsed_ns).collect::<Vec<_>>(), [500, 1_500]);
    }

    #[test]
    fn order_of_a_block_is_random_and_determined_by_the_seed() {
        let found = check(BUDGET, 1, usize::MAX);
        let blocks: Vec<_> = found.order.as_bytes().chunks(4).map(|block| str::from_utf8(block).unwrap()).collect();
        assert_eq!(blocks.len(), 50);
        for block in &blocks {
            let is_pair = |pair: &str| ["ab", "ba", "AB", "BA"].contains(&pair);
            assert!(is_pair(&block[..2]) && is_pair(&block[2..]), "the sessions of a pair are adjacent: {block}");
        }
        let mut kinds = blocks.clone();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), 8, "two orders of numbers, times two of arms for each number");
        assert_eq!(found.order, check(BUDGET, 1, usize::MAX).order);
        assert_ne!(found.order, check(BUDGET, 2, usize::MAX).order);
    }

    #[test]
    fn measuring_ends_with_the_budget_after_at_least_two_blocks() {
        let timed = PairedBudget { time_ns: 690 * 5, ..BUDGET };
        assert_eq!(check(timed, 1, usize::MAX).series[0].count(), 2 * 5);
        assert_eq!(check(PairedBudget { time_ns: 0, ..BUDGET }, 1, usize::MAX).series[0].count(), 2 * 2);
    }

    #[test]
    fn error_has_the_number_of_its_arm() {
        let found = check(BUDGET, 1, 9);
        let side = usize::from(found.order.to_lowercase().ends_with('b'));
        assert_eq!(found.result, Err((side, MeasureError::Checksum { first: 0, now: 1 })));
    }

    #[test]
    fn sample_length_is_a_share_of_the_budget() {
        let budget = PairedBudget { warm_up_ns: 0, time_ns: 8_000_000, blocks_max: 10 };
        let overhead = |call_ns| Overhead { clock_ns: 20.0, call_ns };
        assert_eq!(budget.sample_ns(4, &[overhead(80.0), overhead(8.0)]), 200_000.0);
        let dear = [overhead(80.0), overhead(9_980.0)];
        assert_eq!(budget.sample_ns(4, &dear), 1_000_000.0, "a hundred times the largest overhead");
        assert_eq!(
            budget.sample_ns(4, &[overhead(1e9)]),
            1_000_000.0,
            "two blocks of four samples take the whole budget"
        );
        for (ns, batch) in [(1_000, 200), (1_001, 200), (999_999, 1)] {
            let (clock, order) = (FakeClock::default(), Order::default());
            let mut mock = Mock { name: 'a', ns, clock: clock.clone(), order, fails_after: usize::MAX };
            let warm = warm_up_candidate(&mut [&mut mock], &clock, &budget, 200_000.0, 0);
            assert_eq!(warm, Ok(Warm { batch, checksum: 0 }), "{ns}");
        }
    }
}
