//! Looks into the slowest samples of a scenario: what happened to the thread while each of them was taken. The samples are taken apart from
//! those of the figures, because reading the counts between them costs time and displaces caches.

use bench_engine::thread_counts::{ThreadCounts, ThreadWatch};
use bench_engine::{Clock, MonotonicClock};
use bench_model::{ModuleError, Session};
use bench_sink::runfile::{OutlierCause, OutlierRecord};

/// Samples are taken for this long.
const TIME_NS: u64 = 150_000_000;

/// With fewer samples, the slowest 1 % are too few to look into.
const SAMPLES_MIN: usize = 1_000;

/// More samples than this say nothing more.
const SAMPLES_MAX: usize = 20_000;

/// A sample lasts at least this long, so that a disturbance of the thread is larger than the noise of the clock.
const SAMPLE_NS_MIN: u64 = 2_000;

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

/// Takes samples of `session`, which is warm, and looks into the slowest 1 %. `None` if operations are too long for enough samples, or if the
/// system does not count.
pub(super) fn outliers(session: &mut dyn Session) -> Result<Option<OutlierRecord>, ModuleError> {
    let Some(mut watch) = ThreadWatch::open() else { return Ok(None) };
    let clock = MonotonicClock::new();
    let (batch, sample_ns) = batch(session, &clock)?;
    if sample_ns.saturating_mul(SAMPLES_MIN as u64) > TIME_NS {
        return Ok(None);
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
        let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
        samples.push(Watched { ns: until - from, happened: CAUSES.map(|(_, is_it)| is_it(&before, &after)) });
    }
    let readings = 2 * samples.len().max(1) as u64;
    Ok((samples.len() >= SAMPLES_MIN).then(|| record(samples, batch, reading_ns as f64 / readings as f64)))
}

/// Operations a sample, so that it is long enough, and how long it took.
fn batch(session: &mut dyn Session, clock: &impl Clock) -> Result<(u64, u64), ModuleError> {
    let mut batch = 1;
    loop {
        let from = clock.now_ns();
        session.iterate(batch)?;
        let sample_ns = clock.now_ns() - from;
        if sample_ns >= SAMPLE_NS_MIN || batch >= 1 << 20 {
            return Ok((batch, sample_ns));
        }
        batch *= 2;
    }
}

fn record(mut samples: Vec<Watched>, batch: u64, reading_ns: f64) -> OutlierRecord {
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.ns));
    let slow = ((samples.len() as f64 * SLOW_SHARE) as usize).max(1);
    let count =
        |samples: &[Watched], cause: usize| samples.iter().filter(|sample| sample.happened[cause]).count() as u64;
    let cause = |(index, (name, _)): (usize, &(&str, _))| OutlierCause {
        name: (*name).to_owned(),
        slow: count(&samples[..slow], index),
        all: count(&samples, index),
    };
    OutlierRecord {
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
        let record = record((1..=1_000).map(sample).collect(), 4, 300.0);
        assert_eq!((record.samples, record.slow, record.threshold_ns, record.unexplained), (1_000, 10, 991, 4));
        let found: Vec<_> = record.causes.iter().map(|cause| (cause.name.as_str(), cause.slow, cause.all)).collect();
        assert_eq!(found[0], ("involuntary switch", 6, 6));
        assert_eq!(found[2], ("page fault", 2, 3));
    }
}
