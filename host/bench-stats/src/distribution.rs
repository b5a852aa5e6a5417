//! Samples in ascending order with their counts. Raw samples and histograms both become one, so that quantiles are computed
//! in one place.

/// Values in ascending order with their counts. Never holds NaN or a count of 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    points: Vec<(f64, u64)>,
    count: u64,
}

impl Distribution {
    /// Makes a distribution of `(value, count)` pairs in any order. Pairs with NaN or a count of 0 are ignored.
    pub fn new(points: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut points: Vec<_> = points.into_iter().filter(|(value, count)| !value.is_nan() && *count > 0).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = total(&points);
        Self { points, count }
    }

    /// Makes a distribution of samples in any order.
    pub fn of_samples(samples: impl IntoIterator<Item = f64>) -> Self {
        Self::new(samples.into_iter().map(|sample| (sample, 1)))
    }

    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The samples in ascending order with their counts, none of which is 0.
    pub fn points(&self) -> impl Iterator<Item = (f64, u64)> {
        self.points.iter().copied()
    }

    /// How many samples are smaller than `bound`.
    pub fn count_below(&self, bound: f64) -> u64 {
        total(&self.points[..self.points.partition_point(|(value, _)| *value < bound)])
    }

    /// The smallest sample.
    pub fn min(&self) -> Option<f64> {
        self.points.first().map(|point| point.0)
    }

    /// The largest sample.
    pub fn max(&self) -> Option<f64> {
        self.points.last().map(|point| point.0)
    }

    /// The quantile `q` (clamped to 0…1): the smallest sample such that at least the share `q` of all samples does not exceed it
    /// (the inverse of the empirical distribution function: Hyndman and Fan 1996, definition 1).
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0_u64;
        self.points.iter().find_map(|(value, count)| {
            seen = seen.saturating_add(*count);
            (seen >= rank).then_some(*value)
        })
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self.points.iter().map(|(value, count)| value * *count as f64).sum();
        (self.count > 0).then(|| sum / self.count as f64)
    }

    /// The sample standard deviation, with n − 1 in the denominator; `None` for a single sample.
    pub fn std_dev(&self) -> Option<f64> {
        let mean = self.mean()?;
        let squares: f64 = self.points.iter().map(|(value, count)| (value - mean).powi(2) * *count as f64).sum();
        (self.count > 1).then(|| (squares / (self.count - 1) as f64).sqrt())
    }
}

/// The number of samples. Counts may come from a file, in which they may be any numbers.
fn total(points: &[(f64, u64)]) -> u64 {
    points.iter().map(|(_, count)| *count).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(samples: &[f64], q: f64, expect: Option<f64>) {
        assert_eq!(Distribution::of_samples(samples.iter().copied()).quantile(q), expect, "{samples:?} at {q}");
    }

    #[test]
    fn quantiles_are_samples() {
        check(&[], 0.5, None);
        check(&[7.0], 0.0, Some(7.0));
        check(&[7.0], 1.0, Some(7.0));
        check(&[4.0, 1.0, 3.0, 2.0], 0.5, Some(2.0));
        check(&[4.0, 1.0, 3.0, 2.0], 0.51, Some(3.0));
        check(&[4.0, 1.0, 3.0, 2.0], 1.0, Some(4.0));
        check(&[1.0, f64::NAN], 1.0, Some(1.0));
    }

    #[test]
    fn moments_match_hand_computed_ones() {
        let distribution = Distribution::new([(2.0, 1), (4.0, 3), (5.0, 2), (7.0, 1), (9.0, 1)]);
        assert_eq!(distribution.mean(), Some(5.0));
        assert!((distribution.std_dev().unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(Distribution::of_samples([1.0]).std_dev(), None);
        assert_eq!(Distribution::default().mean(), None);
    }

    proptest! {
        #[test]
        fn counted_samples_equal_repeated_samples(samples in proptest::collection::vec((0u32..1000, 1u64..5), 1..50), q in 0.0f64..=1.0) {
            let counted = Distribution::new(samples.iter().map(|(value, count)| (f64::from(*value), *count)));
            let repeated = Distribution::of_samples(
                samples.iter().flat_map(|(value, count)| std::iter::repeat_n(f64::from(*value), *count as usize)));
            prop_assert_eq!(counted.quantile(q), repeated.quantile(q));
            prop_assert_eq!(counted.count(), repeated.count());
            prop_assert!((counted.mean().unwrap() - repeated.mean().unwrap()).abs() < 1e-9);
        }

        #[test]
        fn quantile_splits_the_samples_at_its_share(samples in proptest::collection::vec(-1e6f64..1e6, 1..200), q in 0.0f64..=1.0) {
            let distribution = Distribution::of_samples(samples.iter().copied());
            let value = distribution.quantile(q).unwrap();
            let at_most = samples.iter().filter(|sample| **sample <= value).count() as f64;
            let below = samples.iter().filter(|sample| **sample < value).count() as f64;
            prop_assert!(at_most >= q * samples.len() as f64);
            prop_assert!(below <= q * samples.len() as f64);
            prop_assert!(distribution.min().unwrap() <= value && value <= distribution.max().unwrap());
        }
    }
}
