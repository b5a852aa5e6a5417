//! Measures a scenario against itself with more work per operation, to see whether a comparison notices.

use super::{CellFailure, bound_cpu, timed_series};
use crate::{Module, Recording};
use bench_engine::{
    Candidate, Clock, MonotonicClock, PairedBudget, Warm, first, measure_interleaved, overhead, warm_up_candidate,
};
use bench_model::{Arguments, Check, ModuleError, Outcome, Scenario, Session};
use bench_sink::Series;
use bench_sink::runfile::Status;

/// The number of sessions per candidate, as in every comparison.
pub const SESSIONS: usize = 2;

/// The additional work of the second candidate, in thousandths.
pub const BURDEN_PERMILLE: u64 = 20;

/// The minimum number of operations per sample: from here on, one additional operation is at most the burden.
const BATCH_MIN: u64 = 1_000 / BURDEN_PERMILLE;

/// The maximum time of an operation for which such a sample is short enough.
const OPERATION_NS_MAX: u64 = 2_000_000;

/// A session that executes more operations than it is asked for, and reports only those.
struct Burdened {
    inner: Box<dyn Recording>,
    /// Thousandths of an operation that are still to be executed.
    owed: u64,
}

impl Session for Burdened {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let owed = self.owed + times.saturating_mul(BURDEN_PERMILLE);
        let extra = owed / 1_000;
        let outcome = self.inner.iterate(times.saturating_add(extra))?;
        self.owed = owed % 1_000;
        // Any other number is an error of the module, which the caller finds.
        let operations = outcome.operations.saturating_sub(extra);
        Ok(Outcome { operations, ..outcome })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        self.inner.verify()
    }
}

/// Measures `scenario` interleaved with itself, where the second side executes [`BURDEN_PERMILLE`] more operations than are counted.
/// Nanoseconds per operation of both sides; values with the same index were measured next to each other, and the sessions of a side
/// alternate.
pub fn burdened(
    module: &mut dyn Module,
    scenario: &Scenario,
    arguments: &Arguments,
    budget: &PairedBudget,
    seed: u64,
) -> Result<[Vec<f64>; 2], CellFailure> {
    if scenario.has_own_clock() {
        return Err(skipped("it times itself, so the host cannot add work to a sample"));
    }
    bound_cpu(scenario);
    let mut plain = Vec::with_capacity(SESSIONS);
    let mut more = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        plain.push(module.open(scenario, arguments)?);
        more.push(Burdened { inner: module.open(scenario, arguments)?, owed: 0 });
    }
    let plain: Vec<&mut dyn Session> = plain.iter_mut().map(|session| session.as_mut() as &mut dyn Session).collect();
    let more: Vec<&mut dyn Session> = more.iter_mut().map(|session| session as &mut dyn Session).collect();
    measure(&mut [plain, more], budget, seed, &[timed_series(scenario), timed_series(scenario)])
}

fn measure(
    sides: &mut [Vec<&mut dyn Session>; 2],
    budget: &PairedBudget,
    seed: u64,
    empty: &[Series; 2],
) -> Result<[Vec<f64>; 2], CellFailure> {
    let clock = MonotonicClock::new();
    let checksum = first(&mut *sides[0][0])?;
    let begin = clock.now_ns();
    sides[0][0].iterate(1)?;
    let operation_ns = clock.now_ns() - begin;
    if operation_ns > OPERATION_NS_MAX {
        let ms = operation_ns as f64 / 1e6;
        return Err(skipped(&format!(
            "an operation takes {ms:.0} ms, and one of {BATCH_MIN} is added; choose less work with -p"
        )));
    }
    let cost = overhead(&mut *sides[0][0], &clock)?;
    let sample_ns = budget.sample_ns(2 * SESSIONS, [&cost]);
    let mut batch = BATCH_MIN;
    for side in sides.iter_mut() {
        batch = batch.max(warm_up_candidate(side, &clock, budget, sample_ns, checksum)?.batch);
    }
    // The same for both sides, and a multiple, so that each sample has as much more work as the others.
    let batch = batch.next_multiple_of(BATCH_MIN);
    let mut candidates: Vec<Candidate<'_>> = sides
        .iter_mut()
        .map(|side| {
            let sessions = side.iter_mut().map(|session| &mut **session as &mut dyn Session).collect();
            Candidate { sessions, warm: Warm { batch, checksum }, own_ns: Vec::new() }
        })
        .collect();
    let mut series = empty.to_vec();
    measure_interleaved(&mut candidates, &clock, budget, seed, &mut series).map_err(|(_, error)| error)?;
    let times = |series: &Series| {
        let raw = series.raw().unwrap_or_default();
        raw.iter().map(|sample| *sample as f64 / batch as f64).collect()
    };
    Ok([times(&series[0]), times(&series[1])])
}

fn skipped(reason: &str) -> CellFailure {
    CellFailure { status: Status::Skipped, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::{Direction, Unit};
    use bench_sink::Sink;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Counts the operations that it executes.
    struct Counted {
        executed: Rc<Cell<u64>>,
        sink: Sink,
    }

    impl Counted {
        fn new() -> (Self, Rc<Cell<u64>>) {
            let executed = Rc::<Cell<u64>>::default();
            (Self { executed: executed.clone(), sink: Sink::new(&[]) }, executed)
        }
    }

    impl Session for Counted {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            self.executed.set(self.executed.get() + times);
            Ok(Outcome { operations: times, bytes: 0, checksum: 7 })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    impl Recording for Counted {
        fn sink(&mut self) -> &mut Sink {
            &mut self.sink
        }
    }

    #[test]
    fn burden_is_a_share_of_the_operations_whatever_the_batches_are() {
        for batch in [1, 7, 50, 1_000] {
            let (session, executed) = Counted::new();
            let mut burdened = Burdened { inner: Box::new(session), owed: 0 };
            for _ in 0..1_000 {
                assert_eq!(burdened.iterate(batch).map(|outcome| outcome.operations), Ok(batch));
            }
            assert_eq!(executed.get(), 1_020 * batch, "{batch}");
        }
    }

    #[test]
    fn both_sides_have_as_many_samples_and_one_executes_more() {
        let ((mut a, plain), (mut b, _)) = (Counted::new(), Counted::new());
        let ((c, more), (d, _)) = (Counted::new(), Counted::new());
        let [mut c, mut d] = [c, d].map(|session| Burdened { inner: Box::new(session), owed: 0 });
        let budget = PairedBudget { warm_up_ns: 0, time_ns: 0, blocks_max: 3 };
        let plain_side: Vec<&mut dyn Session> = vec![&mut a, &mut b];
        let more_side: Vec<&mut dyn Session> = vec![&mut c, &mut d];
        let empty = [(); 2].map(|()| Series::new("s", Unit::Nanoseconds, Direction::LowerIsBetter));
        let times = measure(&mut [plain_side, more_side], &budget, 1, &empty).unwrap();
        assert_eq!((times[0].len(), times[1].len()), (2 * SESSIONS, 2 * SESSIONS), "two blocks");
        assert!(plain.get() > 0 && more.get() > 0);
    }
}
