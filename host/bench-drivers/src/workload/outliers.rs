//! Looks into the slowest samples of a scenario: what happened to the thread while each of them was taken. The samples are taken apart from
//! those of the figures, because reading the counts between them costs time and displaces caches.

use bench_engine::thread_counts::{ThreadCounts, ThreadWatch};
use bench_engine::{Clock, MonotonicClock};
use bench_model::{ModuleError, Session};
use bench_sink::runfile::{OutlierCause, OutlierCounts, OutlierRecord};

/// Samples are taken for this long.
const TIME_NS: u64 = 150_000_000;

/// With fewer samples, the slowest 1 % are too few to look into.
const SAMPLES_MIN: usize = 1_000;

/// More samples than this say nothing more.
const SAMPLES_MAX: usize = 20_000;

/// A sample lasts at least this long, so that a disturbance of the thread is larger than the noise of the clock.
const SAMPLE_NS_MIN: u64 = 2_000;

/// A disturbance only makes a sample longer, so the shortest of this many tells how long one takes.
const TRIALS: usize = 3;

/// The share of samples that are looked into.
const SLOW_SHARE: f64 = 0.01;

/// One sample: its time, and which disturbances happened meanwhile.
struct Watched {
    ns: u64,
    /// In the order of [`CAUSES`].
    happened: [bool; CAUSES.len()],
}

/// Whether something happened between two readings.
type HasHappened = fn(&ThreadCounts, &ThreadCounts) -> bool;

/// What can disturb a thread, and how two readings tell it.
const CAUSES: [(&str, HasHappened); 5] = [
    ("involuntary switch", |before, after| after.switches_involuntary > before.switches_involuntary),
    ("voluntary switch", |before, after| after.switches_voluntary > before.switches_voluntary),
    ("page fault", |before, after| after.faults > before.faults),
    ("migration", |before, after| after.processor != before.processor),
    ("steal or throttling", |before, after| after.withheld > before.withheld),
];

/// Takes samples of `session`, which is warm, and looks into the slowest 1 %. If operations are too long for enough samples, or if the
/// system does not count, the record is the reason.
pub(super) fn outliers(session: &mut dyn Session) -> Result<OutlierRecord, ModuleError> {
    let absent = |reason: &str| Ok(OutlierRecord::Absent(reason.to_owned()));
    let Some(mut watch) = ThreadWatch::open() else {
        return absent("this system does not count what happens to a thread (/proc/thread-self)");
    };
    let clock = MonotonicClock::new();
    let (batch, sample_ns) = batch(session, &clock)?;
    if let Some(reason) = too_long(batch, sample_ns) {
        return absent(&reason);
    }
    let mut samples: Vec<Watched> = Vec::new();
    let (start, mut reading_ns) = (clock.now_ns(), 0);
    while samples.len() < SAMPLES_MAX && clock.now_ns() - start < TIME_NS {
        let read_from = clock.now_ns();
        let before = watch.read();
        let from = clock.now_ns();
        session.iterate(batch)?;
        let until = clock.now_ns();
        let after = watch.read();
        reading_ns += (from - read_from) + (clock.now_ns() - until);
        let (Some(before), Some(after)) = (before, after) else {
            return absent("the counts of the thread could not be read between samples");
        };
        samples.push(Watched { ns: until - from, happened: CAUSES.map(|(_, is_it)| is_it(&before, &after)) });
    }
    if samples.len() < SAMPLES_MIN {
        return absent(&format!("fewer than {SAMPLES_MIN} samples were taken in {} ms", TIME_NS / 1_000_000));
    }
    let readings = 2 * samples.len() as u64;
    Ok(OutlierRecord::Counted(counts(samples, batch, reading_ns as f64 / readings as f64)))
}

/// Why there would be too few of samples that are as long as this one.
fn too_long(batch: u64, sample_ns: u64) -> Option<String> {
    const SAMPLE_NS_MAX: u64 = TIME_NS / SAMPLES_MIN as u64;
    let what = if batch == 1 { "an operation takes" } else { "a sample of several operations took" };
    (sample_ns > SAMPLE_NS_MAX).then(|| format!("{what} longer than {} µs", SAMPLE_NS_MAX / 1_000))
}

/// Operations a sample, so that it is long enough, and how long it took.
fn batch(session: &mut dyn Session, clock: &impl Clock) -> Result<(u64, u64), ModuleError> {
    let mut batch = 1;
    loop {
        let mut sample_ns = u64::MAX;
        for _ in 0..TRIALS {
            let from = clock.now_ns();
            session.iterate(batch)?;
            sample_ns = sample_ns.min(clock.now_ns() - from);
        }
        if sample_ns >= SAMPLE_NS_MIN || batch >= 1 << 20 {
            return Ok((batch, sample_ns));
        }
        batch *= 2;
    }
}

fn counts(mut samples: Vec<Watched>, batch: u64, reading_ns: f64) -> OutlierCounts {
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.ns));
    let slow = ((samples.len() as f64 * SLOW_SHARE) as usize).max(1);
    let count =
        |samples: &[Watched], cause: usize| samples.iter().filter(|sample| sample.happened[cause]).count() as u64;
    let cause = |(index, (name, _)): (usize, &(&str, _))| OutlierCause {
        name: (*name).to_owned(),
        slow: count(&samples[..slow], index),
        all: count(&samples, index),
    };
    OutlierCounts {
        samples: samples.len() as u64,
        batch,
        threshold_ns: samples[slow - 1].ns,
        slow: slow as u64,
        causes: CAUSES.iter().enumerate().map(cause).collect(),
        unexplained: samples[..slow].iter().filter(|sample| !sample.happened.contains(&true)).count() as u64,
        reading_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowest_hundredth_is_explained_or_counted_as_unexplained() {
        let sample = |ns: u64| {
            let mut happened = [false; CAUSES.len()];
            // The slowest ten: six were preempted, of which two also faulted.
            happened[0] = ns >= 995;
            happened[2] = ns >= 999 || ns == 10;
            Watched { ns, happened }
        };
        let counts = counts((1..=1_000).map(sample).collect(), 4, 300.0);
        assert_eq!((counts.samples, counts.slow, counts.threshold_ns, counts.unexplained), (1_000, 10, 991, 4));
        let found: Vec<_> = counts.causes.iter().map(|cause| (cause.name.as_str(), cause.slow, cause.all)).collect();
        assert_eq!(found[0], ("involuntary switch", 6, 6));
        assert_eq!(found[2], ("page fault", 2, 3));
    }

    #[test]
    fn samples_that_are_too_long_are_told_by_their_operations() {
        let check = |batch, sample_ns, expect: Option<&str>| assert_eq!(too_long(batch, sample_ns).as_deref(), expect);
        check(1, 150_000, None);
        check(1, 150_001, Some("an operation takes longer than 150 µs"));
        check(64, 2_000_000, Some("a sample of several operations took longer than 150 µs"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn long_operations_are_not_looked_at_and_it_is_said() {
        use bench_model::{Check, Outcome};
        use std::time::{Duration, Instant};

        /// Operations that last at least as long as this says.
        struct Busy(Duration);

        impl Session for Busy {
            fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
                let start = Instant::now();
                while start.elapsed() < self.0 * times as u32 {
                    std::hint::spin_loop();
                }
                Ok(Outcome { operations: times, bytes: 0, checksum: 0 })
            }

            fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
                Ok(Vec::new())
            }
        }

        let found = outliers(&mut Busy(Duration::from_micros(151))).unwrap();
        assert_eq!(found, OutlierRecord::Absent("an operation takes longer than 150 µs".to_owned()));
    }
}
