//! Whether a figure is possible at all: time must grow with the number of operations, and neither operations nor bytes may be faster than
//! any processor. A compiler that removes work, and a module that does less than it reports, both fail here.

use crate::measure::{BATCH_MAX, Checked};
use crate::{Clock, MeasureError, Measured, Warm, calibration};
use bench_model::Session;
use bench_sink::runfile::Overhead;

/// Twice as many operations must take at least this many times as long. A cost per call that does not matter leaves the ratio near 2.
const RATIO_MIN: f64 = 1.5;

/// No core finishes an operation in less time: at 5 GHz this is ten a cycle.
const OPERATION_NS_MIN: f64 = 0.02;

/// Reading its nearest cache with its widest instructions, a core is at most this many times as fast as the roofline `memory-read`, which
/// reads a farther cache with common ones.
const READ_RATIO_MAX: f64 = 16.0;

/// Up to this speed (bytes per nanosecond) the roofline need not be measured.
const BYTES_PER_NS_USUAL: f64 = 50.0;

/// How a figure is impossible.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Implausible {
    /// Time does not grow with the number of operations.
    #[error(
        "time does not grow with the operations: {times} take {single_ns:.0} ns and {} take {double_ns:.0} ns (the best of {pairs} each); \
         either fewer are executed than reported, or the compiler removed the work (pass input and result through `black_box`), or a \
         cost per call belongs into `open`", .times * 2
    )]
    Flat {
        /// The smaller number of operations.
        times: u64,
        /// Its time.
        single_ns: f64,
        /// The time of twice as many.
        double_ns: f64,
        /// How often each was timed.
        pairs: usize,
    },
    /// Operations are faster than any processor.
    #[error(
        "{operations} operations took {elapsed_ns:.0} ns, which no processor can do; execute each of them, and keep the compiler from \
         removing the work with `black_box`"
    )]
    Operations {
        /// The number of operations.
        operations: u64,
        /// Their time.
        elapsed_ns: f64,
    },
    /// Bytes are faster than the memory.
    #[error(
        "{bytes} bytes took {elapsed_ns:.0} ns, {ratio:.0}× as fast as this processor reads its cache; `bytes` is the payload of the \
         operations of one call, not more"
    )]
    Bytes {
        /// The number of bytes.
        bytes: u64,
        /// Their time.
        elapsed_ns: f64,
        /// The speed as a multiple of the roofline `memory-read`.
        ratio: f64,
    },
}

/// Checks the operations and bytes of a measurement against what a processor can do.
pub fn possible(measured: &Measured) -> Result<(), Implausible> {
    let elapsed_ns = measured.elapsed_ns as f64;
    if elapsed_ns < OPERATION_NS_MIN * measured.operations as f64 {
        return Err(Implausible::Operations { operations: measured.operations, elapsed_ns });
    }
    if measured.bytes as f64 > BYTES_PER_NS_USUAL * elapsed_ns {
        let roofline_ns = calibration::memory_read_ns();
        let ratio = measured.bytes as f64 * roofline_ns / elapsed_ns.max(1.0);
        if ratio > READ_RATIO_MAX {
            return Err(Implausible::Bytes { bytes: measured.bytes, elapsed_ns, ratio });
        }
    }
    Ok(())
}

/// Checks that twice as many operations take about twice as long. Costs a few samples; more only if the first ones say no.
pub fn grows(
    session: &mut dyn Session,
    clock: &impl Clock,
    overhead: &Overhead,
    warm: Warm,
) -> Result<(), MeasureError> {
    const FIRST_PAIRS: usize = 3;
    const FURTHER_PAIRS: usize = 9;
    /// A ratio below the minimum that is only a disturbance does not outlast so many attempts.
    const ATTEMPTS: usize = 5;
    let mut checked = Checked { session, checksum: Some(warm.checksum) };
    let times = enough(&mut checked, clock, overhead, warm.batch)?;
    let (mut single_ns, mut double_ns) = pairs(&mut checked, clock, times, FIRST_PAIRS)?;
    for _ in 0..ATTEMPTS {
        if double_ns >= RATIO_MIN * single_ns {
            return Ok(());
        }
        // All attempts count together, because the shortest time of many is closest to that without disturbances.
        let (single, double) = pairs(&mut checked, clock, times, FURTHER_PAIRS)?;
        (single_ns, double_ns) = (single_ns.min(single), double_ns.min(double));
    }
    if double_ns >= RATIO_MIN * single_ns {
        return Ok(());
    }
    let pairs = FIRST_PAIRS + ATTEMPTS * FURTHER_PAIRS;
    Err(Implausible::Flat { times, single_ns, double_ns, pairs }.into())
}

/// As many operations, at least `times`, that the cost of the call and the resolution of the clock do not matter.
fn enough(
    checked: &mut Checked<'_>,
    clock: &impl Clock,
    overhead: &Overhead,
    mut times: u64,
) -> Result<u64, MeasureError> {
    const CALLS: f64 = 20.0;
    const NS_MIN: f64 = 2_000.0;
    let wanted_ns = (CALLS * (overhead.call_ns + overhead.clock_ns)).max(NS_MIN);
    loop {
        let ns = timed(checked, clock, times)?;
        if ns >= wanted_ns {
            return Ok(times);
        }
        if times >= BATCH_MAX / 2 {
            return Err(Implausible::Operations { operations: times, elapsed_ns: ns }.into());
        }
        times *= 2;
    }
}

/// The shortest times of `times` operations and of twice as many, interleaved, so that a change of the clock rate meets both.
/// Disturbances only make a time longer.
fn pairs(checked: &mut Checked<'_>, clock: &impl Clock, times: u64, count: usize) -> Result<(f64, f64), MeasureError> {
    let (mut single, mut double) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..count {
        single = single.min(timed(checked, clock, times)?);
        double = double.min(timed(checked, clock, 2 * times)?);
    }
    Ok((single, double))
}

fn timed(checked: &mut Checked<'_>, clock: &impl Clock, times: u64) -> Result<f64, MeasureError> {
    let start = clock.now_ns();
    checked.iterate(times)?;
    Ok((clock.now_ns() - start) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;
    use bench_model::{Check, ModuleError, Outcome};

    /// A session whose time is a function of the number of operations.
    struct Timed(FakeClock, fn(u64) -> u64);

    impl Session for Timed {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            self.0.advance((self.1)(times));
            Ok(Outcome { operations: times, bytes: 0, checksum: 0 })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    fn check(time: fn(u64) -> u64, batch: u64, expect: Result<(), &str>) {
        let clock = FakeClock::default();
        let mut session = Timed(clock.clone(), time);
        let overhead = Overhead { clock_ns: 20.0, call_ns: 80.0 };
        let found = grows(&mut session, &clock, &overhead, Warm { batch, checksum: 0 });
        match (found, expect) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn time_must_grow_with_the_operations() {
        check(|times| 10 * times, 1024, Ok(()));
        check(|times| 300 + 10 * times, 1, Ok(()));
        check(|_| 50_000, 1, Err("1 take 50000 ns and 2 take 50000 ns (the best of 48 each)"));
        check(|times| 50_000 + times, 4, Err("time does not grow"));
        check(|times| 1_000 * times.isqrt(), 1 << 20, Err("time does not grow"));
    }

    #[test]
    fn removed_work_is_found_however_many_operations_are_asked_for() {
        check(|_| 90, 1, Err("2147483648 operations took 90 ns, which no processor can do"));
    }

    #[test]
    fn measurement_is_held_to_what_a_processor_can_do() {
        let measured = |operations, bytes, elapsed_ns| Measured { operations, bytes, checksum: 0, elapsed_ns };
        assert_eq!(possible(&measured(1_000, 64_000, 1_000)), Ok(()));
        assert!(matches!(possible(&measured(1 << 30, 0, 1_000)), Err(Implausible::Operations { .. })));
        assert!(
            matches!(possible(&measured(1, u64::MAX, 1_000_000)), Err(Implausible::Bytes { ratio, .. }) if ratio > 1e6)
        );
    }
}
