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
}

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
            Latency::Jitter(mean) => {
                // Above 0 and at most 1.
                let uniform = ((self.draw(start, attempt, 1) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
                mean.mul_f64(-uniform.ln())
            }
        }
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
    fn same_seed_draws_the_same() {
        let conditions = |seed| Conditions { faults_permille: 500, seed, ..Conditions::default() };
        let drawn = |seed| (0..100).map(|start| conditions(seed).failure(start, 0)).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!((0..1_000).all(|start| conditions(1).latency(start, 0).is_zero()));
    }
}
