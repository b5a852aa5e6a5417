//! A confidence interval, the Student interval of a mean, and the quantiles of Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::beta::beta_reg;
use std::cell::Cell;

/// A point estimate with the bounds of its confidence interval, in the unit of the estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The point estimate.
    pub estimate: f64,
    /// The upper bound.
    pub high: f64,
}

/// The mean of one value a process with its two-sided Student interval at `level` (0…1): mean ± t · s/√n with n − 1
/// degrees of freedom. `None` below two values, and where a value is not finite.
pub fn mean_interval(values: &[f64], level: f64) -> Option<Interval> {
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let reach = two_sided_quantile(level, count - 1.0) * (variance / count).sqrt();
    Some(Interval { low: mean - reach, estimate: mean, high: mean + reach })
}

/// The two-sided quantile of Student's distribution: it is exceeded in absolute value with probability 1 − `level`.
pub(crate) fn two_sided_quantile(level: f64, degrees_of_freedom: f64) -> f64 {
    thread_local! {
        /// The last level, degrees of freedom and quantile: a report asks for the same one thousands of times.
        static LAST: Cell<Option<[f64; 3]>> = const { Cell::new(None) };
    }
    match LAST.get() {
        Some([of_level, of_freedom, quantile]) if of_level == level && of_freedom == degrees_of_freedom => quantile,
        _ => {
            let quantile = upper_quantile((1.0 - level.clamp(0.0, 1.0)) / 2.0, degrees_of_freedom);
            LAST.set(Some([level, degrees_of_freedom, quantile]));
            quantile
        }
    }
}

/// The upper quantile of Student's distribution: it is exceeded with probability `tail`, from 0 to ½.
///
/// Found by bisection, because the Newton iteration of `statrs` does not terminate for some arguments.
pub(crate) fn upper_quantile(tail: f64, degrees_of_freedom: f64) -> f64 {
    if tail <= 0.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while upper_tail(high, degrees_of_freedom) > tail {
        (low, high) = (high, 2.0 * high);
    }
    // 53 halvings reach the precision of a double.
    for _ in 0..53 {
        let middle = f64::midpoint(low, high);
        if upper_tail(middle, degrees_of_freedom) > tail { low = middle } else { high = middle }
    }
    high
}

/// The probability that Student's distribution exceeds `t`.
pub(crate) fn upper_tail(t: f64, degrees_of_freedom: f64) -> f64 {
    // Beyond this the normal distribution agrees to four digits, and the series for Student's distribution converges slowly.
    let freedom = if degrees_of_freedom < 1e5 { degrees_of_freedom.max(1.0) } else { f64::INFINITY };
    if t.abs() < 1.0 && freedom.is_finite() {
        // What `statrs` computes from is next to 1 here, where the digits of a small `t` are lost.
        let between = beta_reg(0.5, 0.5 * freedom, t * t / (freedom + t * t));
        return 0.5 - 0.5 * between.copysign(t);
    }
    StudentsT::new(0.0, 1.0, freedom).expect("the scale is 1 and there is a degree of freedom").sf(t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(level: f64, degrees_of_freedom: f64, table: f64) {
        let got = two_sided_quantile(level, degrees_of_freedom);
        assert!((got - table).abs() <= 0.0005 + 1e-9, "{level} with {degrees_of_freedom}: {got} is not {table}");
    }

    #[test]
    fn quantiles_match_published_tables() {
        check(0.95, 1.0, 12.706);
        check(0.95, 2.0, 4.303);
        check(0.95, 4.0, 2.776);
        check(0.95, 9.0, 2.262);
        check(0.90, 9.0, 1.833);
        check(0.99, 9.0, 3.250);
        check(0.99, 30.0, 2.750);
        check(0.95, 120.0, 1.980);
        check(0.95, 9e4, 1.960);
        check(0.95, f64::INFINITY, 1.960);
        check(0.0, 9.0, 0.0);
    }

    #[test]
    fn quantile_is_never_that_of_other_degrees_of_freedom() {
        for _ in 0..2 {
            check(0.95, 4.0, 2.776);
            check(0.95, 9.0, 2.262);
            check(0.90, 9.0, 1.833);
        }
    }

    #[test]
    fn mean_interval_matches_one_computed_by_hand() {
        // Mean 5, s² = 32/7 of eight values, t = 2.3646 with seven degrees of freedom.
        let interval = mean_interval(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0.95).unwrap();
        let reach = 2.3646 * (32.0f64 / 7.0 / 8.0).sqrt();
        assert_eq!(interval.estimate, 5.0);
        assert!(
            (interval.low - (5.0 - reach)).abs() < 1e-3 && (interval.high - (5.0 + reach)).abs() < 1e-3,
            "{interval:?}"
        );
    }

    #[test]
    fn mean_interval_needs_two_finite_values() {
        assert_eq!(mean_interval(&[], 0.95), None);
        assert_eq!(mean_interval(&[1.0], 0.95), None);
        assert_eq!(mean_interval(&[1.0, f64::NAN], 0.95), None);
        assert_eq!(mean_interval(&[3.0, 3.0], 0.95), Some(Interval { low: 3.0, estimate: 3.0, high: 3.0 }));
    }

    #[test]
    fn tails_near_a_half_keep_the_digits_of_a_small_value() {
        // The density at 0 with nine degrees of freedom is 0.388_034_908_8…; the curve is flat there.
        for t in [1e-3, 1e-6, 1e-9] {
            let distance = 0.5 - upper_tail(t, 9.0);
            assert!((distance / t - 0.388_034_908_8).abs() < 1e-6, "{t}: {distance}");
            assert_eq!(upper_tail(-t, 9.0), 1.0 - upper_tail(t, 9.0));
        }
        // Both ways to compute it agree where they meet.
        let (below, above) = (upper_tail(1.0f64.next_down(), 9.0), upper_tail(1.0, 9.0));
        assert!((below / above - 1.0).abs() < 1e-12, "{below} is not {above}");
    }

    proptest! {
        #[test]
        fn upper_tail_inverts_the_quantile(tail in 1e-9f64..0.5, degrees_of_freedom in 1.0f64..1e6) {
            let back = upper_tail(upper_quantile(tail, degrees_of_freedom), degrees_of_freedom);
            prop_assert!((back / tail - 1.0).abs() < 1e-9, "{} is not {}", back, tail);
        }
    }
}
