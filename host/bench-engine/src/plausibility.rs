//! Whether a figure is possible at all: time must grow with the number of operations, and neither operations nor bytes may be faster than
//! any processor. A compiler that removes work, and a module that does less than it reports, both fail here.

use crate::measure::{BATCH_MAX, Checked};
use crate::{Clock, MeasureError, Measured, Warm, calibration};
use bench_model::{Session, Unit};
use bench_sink::Series;
use bench_sink::runfile::Overhead;

/// Twice as many operations must take at least this many times as long. A cost per call that does not matter leaves the ratio near 2.
const RATIO_MIN: f64 = 1.5;

/// No core finishes an operation in less time: at 5 GHz this is ten a cycle.
const OPERATION_NS_MIN: f64 = 0.02;

/// By how much the clock of a module may be faster than that of the host, and the greatest value of a histogram's slot greater than a sample.
pub(crate) const ALLOWANCE: f64 = 1.01;

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
    /// A module recorded a time that is longer than all of its session.
    #[error(
        "it recorded a time of {recorded_ns} ns in a session of {session_ns} ns; record nanoseconds, from when an operation begins to when \
         it ends"
    )]
    Recorded {
        /// The longest time that it recorded.
        recorded_ns: u64,
        /// How long the session has existed.
        session_ns: u64,
    },
}

/// Checks the operations and bytes of a measurement against what a processor can do.
pub fn possible(measured: &Measured) -> Result<(), Implausible> {
    possible_on(measured, 1)
}

/// Checks the operations and bytes of a measurement against what so many processors can do together.
pub(crate) fn possible_on(measured: &Measured, processors: usize) -> Result<(), Implausible> {
    let (elapsed_ns, at_once) = (measured.elapsed_ns as f64, processors.max(1) as f64);
    if elapsed_ns * at_once < OPERATION_NS_MIN * measured.operations as f64 {
        return Err(Implausible::Operations { operations: measured.operations, elapsed_ns });
    }
    if measured.bytes as f64 > BYTES_PER_NS_USUAL * elapsed_ns * at_once {
        let roofline_ns = calibration::memory_read_ns();
        let ratio = measured.bytes as f64 * roofline_ns / (elapsed_ns.max(1.0) * at_once);
        if ratio > READ_RATIO_MAX {
            return Err(Implausible::Bytes { bytes: measured.bytes, elapsed_ns, ratio });
        }
    }
    Ok(())
}

/// Checks a measurement whose operations the module has timed, as `series` has them. They may have overlapped in any number, so that their
/// sum says nothing, but on no more than so many `processors`, and none has taken longer than its session has existed.
pub fn possible_by_own_clock(
    measured: &Measured,
    series: &Series,
    session_ns: u64,
    processors: usize,
) -> Result<(), Implausible> {
    possible_on(measured, processors)?;
    if series.unit != Unit::Nanoseconds {
        return Ok(());
    }
    let recorded_ns = series.greatest();
    if recorded_ns as f64 > ALLOWANCE * session_ns as f64 {
        return Err(Implausible::Recorded { recorded_ns, session_ns });
    }
    // What a sample spans of a module's own is one operation, or more.
    let total_ns = series.total() as u64;
    possible(&Measured { operations: series.count(), bytes: 0, checksum: measured.checksum, elapsed_ns: total_ns })
}

/// Checks that twice as many operations take about twice as long. Costs a few samples; more only if the first ones say no. Returns
/// `warm`, with a larger batch if time grows only from there on: operations that another process does in bursts have a cost for each
/// burst, which a small batch would take for that of its operations.
pub fn grows(
    session: &mut dyn Session,
    clock: &impl Clock,
    overhead: &Overhead,
    warm: Warm,
) -> Result<Warm, MeasureError> {
    const FACTOR: u64 = 8;
    const BATCHES: usize = 4;
    /// Larger batches than such are not tried.
    const BATCH_NS_MAX: f64 = 50e6;
    let mut checked = Checked { session, checksum: Some(warm.checksum) };
    let mut times = enough(&mut checked, clock, overhead, warm.batch)?;
    let mut batch = warm.batch;
    let mut left = BATCHES;
    loop {
        let found = growth(&mut checked, clock, times)?;
        if found.is_growing() {
            return Ok(Warm { batch, ..warm });
        }
        // So many seemed enough because a timing was disturbed.
        if found.single_ns < enough_ns(overhead) && times < BATCH_MAX / 2 {
            times *= 2;
            continue;
        }
        left -= 1;
        if left == 0 || found.double_ns > BATCH_NS_MAX || times > BATCH_MAX / (2 * FACTOR) {
            return Err(found.refusal(times).into());
        }
        times *= FACTOR;
        batch = times;
    }
}

/// The shortest times of a batch and of one twice as large, of so many pairs. Disturbances only make a time longer.
struct Growth {
    single_ns: f64,
    double_ns: f64,
    pairs: usize,
}

impl Growth {
    fn is_growing(&self) -> bool {
        self.double_ns >= RATIO_MIN * self.single_ns
    }

    fn refusal(&self, times: u64) -> Implausible {
        if self.single_ns < OPERATION_NS_MIN * times as f64 {
            return Implausible::Operations { operations: times, elapsed_ns: self.single_ns };
        }
        Implausible::Flat { times, single_ns: self.single_ns, double_ns: self.double_ns, pairs: self.pairs }
    }

    /// Measures further pairs, interleaved, so that a change of the clock rate meets both of a pair.
    fn extend(
        &mut self,
        checked: &mut Checked<'_>,
        clock: &impl Clock,
        times: u64,
        pairs: usize,
    ) -> Result<(), MeasureError> {
        for _ in 0..pairs {
            self.single_ns = self.single_ns.min(timed(checked, clock, times)?);
            self.double_ns = self.double_ns.min(timed(checked, clock, 2 * times)?);
        }
        self.pairs += pairs;
        Ok(())
    }
}

/// All attempts count together, because the shortest time of many is closest to that without disturbances.
fn growth(checked: &mut Checked<'_>, clock: &impl Clock, times: u64) -> Result<Growth, MeasureError> {
    const FIRST_PAIRS: usize = 3;
    const FURTHER_PAIRS: usize = 9;
    /// A ratio below the minimum that is only a disturbance does not outlast so many attempts.
    const ATTEMPTS: usize = 3;
    let mut found = Growth { single_ns: f64::INFINITY, double_ns: f64::INFINITY, pairs: 0 };
    found.extend(checked, clock, times, FIRST_PAIRS)?;
    for _ in 0..ATTEMPTS {
        if found.is_growing() {
            break;
        }
        found.extend(checked, clock, times, FURTHER_PAIRS)?;
    }
    Ok(found)
}

/// So long must a batch take that the cost of the call and the resolution of the clock do not matter.
fn enough_ns(overhead: &Overhead) -> f64 {
    const CALLS: f64 = 20.0;
    const NS_MIN: f64 = 2_000.0;
    (CALLS * (overhead.call_ns + overhead.clock_ns)).max(NS_MIN)
}

/// As many operations, at least `times`, that the cost of the call and the resolution of the clock do not matter.
fn enough(
    checked: &mut Checked<'_>,
    clock: &impl Clock,
    overhead: &Overhead,
    mut times: u64,
) -> Result<u64, MeasureError> {
    loop {
        let ns = timed(checked, clock, times)?;
        if ns >= enough_ns(overhead) {
            return Ok(times);
        }
        if times >= BATCH_MAX / 2 {
            return Err(Implausible::Operations { operations: times, elapsed_ns: ns }.into());
        }
        times *= 2;
    }
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
    use bench_model::{Check, Direction, ModuleError, Outcome};

    /// A session whose time is a function of the number of operations.
    struct Timed<F>(FakeClock, F);

    impl<F: FnMut(u64) -> u64> Session for Timed<F> {
        fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
            self.0.advance((self.1)(times));
            Ok(Outcome { operations: times, bytes: 0, checksum: 0 })
        }

        fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    fn check(time: fn(u64) -> u64, batch: u64, expect: Result<u64, &str>) {
        let clock = FakeClock::default();
        let mut session = Timed(clock.clone(), time);
        let overhead = Overhead { clock_ns: 20.0, call_ns: 80.0 };
        let found = grows(&mut session, &clock, &overhead, Warm { batch, checksum: 0 });
        match (found, expect) {
            (Ok(warm), Ok(batch)) => assert_eq!(warm, Warm { batch, checksum: 0 }),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn time_must_grow_with_the_operations() {
        check(|times| 10 * times, 1024, Ok(1024));
        check(|times| 300 + 10 * times, 1, Ok(1));
        // What a burst costs is small only in a batch of several bursts.
        check(|times| 9_000 + 100 * times, 8, Ok(512));
        check(|_| 50_000, 1, Err("512 take 50000 ns and 1024 take 50000 ns (the best of 30 each)"));
        check(|times| 50_000 + times, 4, Err("time does not grow"));
        check(|times| 1_000 * times.isqrt(), 1 << 20, Err("time does not grow"));
    }

    #[test]
    fn disturbed_timing_does_not_make_operations_look_free() {
        let clock = FakeClock::default();
        let mut disturbed_ns = Some(50_000);
        let mut session = Timed(clock.clone(), |times: u64| disturbed_ns.take().unwrap_or(600 + times / 10));
        let overhead = Overhead { clock_ns: 20.0, call_ns: 80.0 };
        let found = grows(&mut session, &clock, &overhead, Warm { batch: 1, checksum: 0 });
        assert_eq!(found.map(|warm| warm.batch), Ok(1));
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
        // Several processors together can do more, and not anything.
        assert!(matches!(possible(&measured(100_000, 0, 1_000)), Err(Implausible::Operations { .. })));
        assert_eq!(possible_on(&measured(100_000, 0, 1_000), 2), Ok(()));
        assert!(matches!(possible_on(&measured(1, u64::MAX, 1_000_000), 64), Err(Implausible::Bytes { .. })));
    }

    #[test]
    fn module_with_a_clock_of_its_own_is_held_to_the_time_of_its_session() {
        let check = |unit: Unit, samples: &[u64], bytes: u64, expect: Option<&str>| {
            let mut series = Series::new("s", unit, Direction::LowerIsBetter);
            samples.iter().for_each(|sample| series.record(*sample));
            let measured = Measured { operations: 10, bytes, checksum: 0, elapsed_ns: 1_000_000 };
            let found = possible_by_own_clock(&measured, &series, 2_000_000, 2).err().map(|error| error.to_string());
            assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expect.unwrap_or_default()));
        };
        check(Unit::Nanoseconds, &[7, 2_000_000], 0, None);
        // A hundred that have waited for each other all the time.
        check(Unit::Nanoseconds, &[1_900_000; 100], 0, None);
        check(Unit::Nanoseconds, &[7, 2_100_000], 0, Some("a time of 2100000 ns in a session of 2000000 ns"));
        check(Unit::Count, &[2_100_000], 0, None);
        check(Unit::Nanoseconds, &[0, 0], 0, Some("2 operations took 0 ns, which no processor can do"));
        check(Unit::Nanoseconds, &[7], u64::MAX, Some("× as fast as this processor reads its cache"));
    }
}
