//! What the server does to its answers: latency and faults, drawn from a seed by page and attempt, so that runs with the same seed get the
//! same.

use std::time::Duration;

/// The distribution of the time before an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// None.
    #[default]
    None,
    /// Always the same.
    Fixed(Duration),
    /// Exponentially distributed with this mean.
    Jitter(Duration),
    /// Pareto-distributed with the exponent 1.5 and this mean, but for values above 100 times the mean, which become that: a few answers take very
    /// long, as those of loaded servers do.
    HeavyTail(Duration),
}

/// The most that a latency with a heavy tail is, in means.
const TAIL_MAX: u32 = 100;

/// What the server does to its answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// The time before an answer.
    pub latency: Latency,
    /// How many answers of a thousand fail.
    pub faults_permille: u64,
    /// What decides which.
    pub seed: u64,
}

/// How an answer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The status line says 200, and the last line that it failed.
    Late,
    /// The connection ends in the middle of the rows.
    Cut,
    /// The status line says 503.
    Busy,
}

impl Conditions {
    /// The delay of the answer with the rows from `start`, in this attempt.
    pub(crate) fn latency(&self, start: usize, attempt: u64) -> Duration {
        match self.latency {
            Latency::None => Duration::ZERO,
            Latency::Fixed(latency) => latency,
            Latency::Jitter(mean) => mean.mul_f64(-self.uniform(start, attempt).ln()),
            // The least value of a Pareto distribution with this exponent is a third of its mean.
            Latency::HeavyTail(mean) => {
                let drawn = (mean / 3).mul_f64(self.uniform(start, attempt).powf(-1.0 / 1.5));
                drawn.min(mean * TAIL_MAX)
            }
        }
    }

    /// Above 0 and at most 1.
    fn uniform(&self, start: usize, attempt: u64) -> f64 {
        ((self.draw(start, attempt, 1) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Whether and how this answer fails.
    pub(crate) fn failure(&self, start: usize, attempt: u64) -> Option<Failure> {
        let drawn = self.draw(start, attempt, 2);
        let kinds = [Failure::Late, Failure::Cut, Failure::Busy];
        (drawn % 1000 < self.faults_permille).then(|| kinds[(drawn / 1000 % 3) as usize])
    }

    fn draw(&self, start: usize, attempt: u64, what: u64) -> u64 {
        let words = [self.seed, start as u64, attempt, what];
        table_core::hash(&words.map(u64::to_le_bytes).concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: Duration = Duration::from_millis(10);

    #[test]
    fn faults_and_latencies_have_the_share_and_the_mean_asked_for() {
        let conditions = Conditions { latency: Latency::Jitter(MEAN), faults_permille: 100, seed: 1 };
        let failures: Vec<_> = (0..10_000).filter_map(|start| conditions.failure(start, 0)).collect();
        assert!((900..1_100).contains(&failures.len()), "{}", failures.len());
        for kind in [Failure::Late, Failure::Cut, Failure::Busy] {
            assert!(failures.iter().filter(|failure| **failure == kind).count() > 250, "{kind:?}");
        }
        let sum: Duration = (0..10_000).map(|start| conditions.latency(start, 0)).sum();
        assert!((MEAN * 9_500..MEAN * 10_500).contains(&sum), "{sum:?}");
    }

    #[test]
    fn heavy_tail_has_many_short_and_a_few_very_long_latencies() {
        let drawn = |latency| {
            let conditions = Conditions { latency, faults_permille: 0, seed: 1 };
            (0..10_000).map(|start| conditions.latency(start, 0)).collect::<Vec<_>>()
        };
        let (tail, jitter) = (drawn(Latency::HeavyTail(MEAN)), drawn(Latency::Jitter(MEAN)));
        assert!(tail.iter().all(|latency| (MEAN / 3..=MEAN * TAIL_MAX).contains(latency)));
        let longer = |drawn: &[Duration], means: u32| drawn.iter().filter(|latency| **latency > MEAN * means).count();
        // A share of (1/15)^1.5, and of (1/60)^1.5, where the exponential distribution has exp(-5), and exp(-20).
        assert!((120..230).contains(&longer(&tail, 5)) && longer(&jitter, 5) < 110, "{}", longer(&tail, 5));
        assert!((5..45).contains(&longer(&tail, 20)) && longer(&jitter, 20) == 0, "{}", longer(&tail, 20));
    }

    #[test]
    fn same_seed_draws_the_same() {
        let conditions = |seed| Conditions { faults_permille: 500, seed, ..Conditions::default() };
        let drawn = |seed| (0..100).map(|start| conditions(seed).failure(start, 0)).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!((0..1_000).all(|start| conditions(1).latency(start, 0).is_zero()));
    }
}
