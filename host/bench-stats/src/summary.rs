//! The figures by which a series is shown. A quantile that too few samples support is absent.

use crate::Distribution;

/// The figures of a distribution, in the unit of its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The number of samples; never 0.
    pub count: u64,
    /// The smallest.
    pub min: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The median.
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The 99.9th percentile.
    pub p999: Option<f64>,
    /// The largest.
    pub max: f64,
    /// The sample standard deviation, where there are two samples.
    pub std_dev: Option<f64>,
}

/// Whether `count` samples support the quantile `q`: at least ten of them must lie beyond it, so count ≥ 10/(1−q).
pub fn quantile_is_supported(count: u64, q: f64) -> bool {
    // A tolerance of one part in 10⁹, so that the rounding of 1 − 0.99 does not require a 1001st sample.
    count as f64 * (1.0 - q) >= 10.0 * (1.0 - 1e-9)
}

/// The fewest samples that support the quantile `q`, which is below 1.
pub fn samples_needed(q: f64) -> u64 {
    (10.0 * (1.0 - 1e-9) / (1.0 - q)).ceil() as u64
}

impl Summary {
    /// The figures of `distribution`; `None` where it is empty.
    pub fn of(distribution: &Distribution) -> Option<Self> {
        let count = distribution.count();
        let quantile = |q| quantile_is_supported(count, q).then(|| distribution.quantile(q)).flatten();
        Some(Self {
            count,
            min: distribution.min()?,
            mean: distribution.mean()?,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: distribution.max()?,
            std_dev: distribution.std_dev(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: u64, q: f64, expect: bool) {
        assert_eq!(quantile_is_supported(count, q), expect, "{count} samples at {q}");
    }

    #[test]
    fn quantile_needs_ten_samples_beyond_it() {
        check(19, 0.5, false);
        check(20, 0.5, true);
        check(99, 0.9, false);
        check(100, 0.9, true);
        check(999, 0.99, false);
        check(1_000, 0.99, true);
        check(9_999, 0.999, false);
        check(10_000, 0.999, true);
    }

    #[test]
    fn samples_needed_is_the_smallest_supported_count() {
        for q in [0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999] {
            let needed = samples_needed(q);
            check(needed, q, true);
            check(needed - 1, q, false);
        }
    }

    #[test]
    fn unsupported_quantile_is_absent() {
        let summary = Summary::of(&Distribution::of_samples((1..=100).map(f64::from))).unwrap();
        assert_eq!((summary.p50, summary.p90, summary.p99), (Some(50.0), Some(90.0), None));
        assert_eq!(Summary::of(&Distribution::default()), None);
    }
}
