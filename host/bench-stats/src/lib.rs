//! Statistics over samples. Pure functions on slices: they read no clock, no file and no randomness; the seed is an argument.

mod band;
mod blocks;
mod bootstrap;
mod distribution;
mod growth;
mod holm;
mod interval;
mod median;
mod modes;
mod paired;
mod pool;
mod random;
mod ratio;
mod sequential;
mod series;
mod share;
mod slope;
mod steady;
mod summary;
mod trend;
mod unpaired;
mod verdict;

pub use band::Band;
pub use distribution::Distribution;
pub use growth::{Growth, ProcessMean, growth};
pub use holm::holm;
pub use interval::{Interval, mean_interval};
pub use median::median_interval;
pub use modes::{Mode, modes};
pub use paired::paired_ratios;
pub use ratio::{RatioEstimate, Ratios};
pub use sequential::{Look, levels};
pub use share::share_interval;
pub use slope::{Slope, slope};
pub use steady::steadiness;
pub use summary::{Summary, quantile_is_supported, samples_needed};
pub use trend::{GradualChange, Shift, Step, TREND_VALUES_MIN, Trend, shift, trend};
pub use unpaired::unpaired_ratios;
pub use verdict::{Claim, LookLevels, Verdict, judge, judge_look};

/// The level of every interval and, as 1 − level, the error rate of every family of verdicts.
pub const LEVEL: f64 = 0.95;

/// The margin within which a ratio counts as equivalent to 1, unless another is asked for: two per cent.
pub const DELTA: f64 = 0.02;

/// The fewest processes that a verdict may rest on.
pub const PROCESSES_MIN: u32 = 3;

/// The change from `before` to `now` as a share of `before`: 0.1 is ten per cent more. `None` where `before` is 0.
pub fn drift(before: f64, now: f64) -> Option<f64> {
    (before != 0.0).then(|| (now - before) / before)
}

/// Operations per second, where `operations` of them took `total_ns` together. `None` where either is 0.
pub fn per_second(operations: f64, total_ns: f64) -> Option<f64> {
    (operations > 0.0 && total_ns > 0.0).then(|| operations / total_ns * 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_a_signed_share_of_the_earlier_value() {
        assert_eq!(drift(100.0, 110.0), Some(0.1));
        assert_eq!(drift(100.0, 50.0), Some(-0.5));
        assert_eq!(drift(0.0, 1.0), None);
    }

    #[test]
    fn rate_is_operations_per_second() {
        assert_eq!(per_second(500.0, 250_000_000.0), Some(2_000.0));
        assert_eq!(per_second(0.0, 1.0), None);
        assert_eq!(per_second(1.0, 0.0), None);
    }
}
