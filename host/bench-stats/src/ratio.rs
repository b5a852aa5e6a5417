//! The estimate of a ratio: its interval and its p values, on the log scale.

use crate::Interval;
use crate::interval::{two_sided_quantile, upper_tail};

/// A ratio and its standard error, on the log scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioEstimate {
    /// The natural logarithm of the ratio.
    pub log: f64,
    /// The standard error of `log`; 0 where nothing varies, not finite where it is unknown.
    pub standard_error: f64,
    /// The degrees of freedom of the standard error.
    pub degrees_of_freedom: f64,
    /// The share (0…1) of the variance that lies within processes.
    pub within_share: f64,
}

/// The ratios candidate / baseline, of medians and of means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratios {
    /// The candidate's median divided by the baseline's.
    pub medians: RatioEstimate,
    /// The candidate's mean divided by the baseline's.
    pub means: RatioEstimate,
    /// The number of pairs.
    pub pairs: u64,
    /// How many processes have pairs.
    pub processes: u32,
}

impl RatioEstimate {
    /// The ratio.
    pub fn ratio(&self) -> f64 {
        self.log.exp()
    }

    /// The two-sided interval of the ratio at `level` (0…1).
    pub fn interval(&self, level: f64) -> Interval {
        let reach = self.reach(level);
        Interval { low: (self.log - reach).exp(), estimate: self.ratio(), high: (self.log + reach).exp() }
    }

    /// The two-sided p value of the hypothesis that the ratio is 1.
    pub fn p_different(&self) -> f64 {
        (2.0 * self.p_above(self.log.abs())).min(1.0)
    }

    /// Two one-sided tests (Schuirmann 1987): the larger of the p values of the hypotheses that the ratio is at most
    /// 1/(1 + delta), and that it is at least 1 + delta.
    pub fn p_equivalent(&self, delta: f64) -> f64 {
        self.p_above(delta.ln_1p() - self.log.abs())
    }

    /// The half width of the interval on the log scale; 0 where the standard error is 0.
    pub(crate) fn reach(&self, level: f64) -> f64 {
        if self.standard_error == 0.0 {
            0.0
        } else {
            two_sided_quantile(level, self.degrees_of_freedom) * self.standard_error
        }
    }

    /// The probability that chance alone raises the estimate by `distance` or more; 1 where the standard error is unknown.
    fn p_above(&self, distance: f64) -> f64 {
        if self.standard_error == 0.0 {
            return if distance > 0.0 { 0.0 } else { 1.0 };
        }
        let t = distance / self.standard_error;
        if t.is_nan() { 1.0 } else { upper_tail(t, self.degrees_of_freedom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn estimate(log: f64, standard_error: f64, degrees_of_freedom: f64) -> RatioEstimate {
        RatioEstimate { log, standard_error, degrees_of_freedom, within_share: 0.5 }
    }

    fn check(estimate: RatioEstimate, different: f64, equivalent: f64) {
        let got = (estimate.p_different(), estimate.p_equivalent(0.02));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
        assert!(near(got.0, different) && near(got.1, equivalent), "{estimate:?}: {got:?}");
    }

    #[test]
    fn p_values_match_published_tables() {
        let margin = 0.02f64.ln_1p();
        // The quantiles of nine degrees of freedom: 2.2622 leaves 2.5 % above, 1.8331 leaves 5 %.
        check(estimate(2.262_157 * 0.01, 0.01, 9.0), 0.05, 0.6078);
        check(estimate(-2.262_157 * 0.01, 0.01, 9.0), 0.05, 0.6078);
        check(estimate(0.0, margin / 1.833_113, 9.0), 1.0, 0.05);
        check(estimate(margin, 0.001, 9.0), 0.0, 0.5);
        check(estimate(0.0, 0.0, 9.0), 1.0, 0.0);
        check(estimate(0.01, 0.0, 9.0), 0.0, 0.0);
        check(estimate(0.03, 0.0, 9.0), 0.0, 1.0);
        check(estimate(0.0, f64::NAN, 9.0), 1.0, 1.0);
        check(estimate(0.0, f64::INFINITY, 9.0), 1.0, 0.5);
    }

    #[test]
    fn interval_without_standard_error_is_a_point() {
        let interval = estimate(0.0, 0.0, 9.0).interval(0.95);
        assert_eq!(interval, Interval { low: 1.0, estimate: 1.0, high: 1.0 });
    }

    proptest! {
        #[test]
        fn interval_excludes_one_where_the_test_rejects_one(
            log in -0.1f64..0.1, standard_error in 1e-4f64..0.1, degrees in 1.0f64..50.0, level in 0.5f64..0.999,
        ) {
            let estimate = estimate(log, standard_error, degrees);
            let interval = estimate.interval(level);
            prop_assume!((estimate.p_different() - (1.0 - level)).abs() > 1e-6);
            prop_assert_eq!(interval.low > 1.0 || interval.high < 1.0, estimate.p_different() < 1.0 - level);
            prop_assert!(interval.low < interval.estimate && interval.estimate < interval.high);
        }

        /// The 90 % interval lies within the margins where both one-sided tests reject at 5 %.
        #[test]
        fn interval_within_the_margins_means_equivalence(
            log in -0.05f64..0.05, standard_error in 1e-4f64..0.02, degrees in 1.0f64..50.0, delta in 0.001f64..0.1,
        ) {
            let estimate = estimate(log, standard_error, degrees);
            let interval = estimate.interval(0.9);
            prop_assume!((estimate.p_equivalent(delta) - 0.05).abs() > 1e-6);
            let within = interval.low > 1.0 / (1.0 + delta) && interval.high < 1.0 + delta;
            prop_assert_eq!(within, estimate.p_equivalent(delta) < 0.05);
        }
    }
}
