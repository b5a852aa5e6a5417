//! The interval of a median that supposes nothing about the distribution.

use crate::Interval;
use std::f64::consts::LN_2;

/// The median of independent values with its two-sided interval at `level` (0…1): from one of them to another, as the sign test allows.
/// `None` where there are too few for that, fewer than 6 at 0.95, and where a value is not finite.
pub fn median_interval(values: &[f64], level: f64) -> Option<Interval> {
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len();
    let rank = rank(count, level).checked_sub(1)?;
    let estimate = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
    Some(Interval { low: sorted[rank], estimate, high: sorted[count - 1 - rank] })
}

/// The largest number of values, counted from one end, of which all but the last lie beyond the median with a probability of at most half
/// of what `level` leaves: of tosses of a coin, so few are heads. 0 if there is none.
fn rank(count: usize, level: f64) -> usize {
    let tail = (1.0 - level.clamp(0.0, 1.0)) / 2.0;
    // On the log scale, because 2⁻ⁿ is too small for a number from a thousand tosses on.
    let (mut log_probability, mut sum) = (-(count as f64) * LN_2, 0.0);
    for heads in 0..count.div_ceil(2) {
        sum += log_probability.exp();
        if sum > tail {
            return heads;
        }
        log_probability += ((count - heads) as f64 / (heads + 1) as f64).ln();
    }
    count.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_match_published_tables() {
        let found = [5, 6, 8, 9, 10, 20, 50, 100].map(|count| rank(count, 0.95));
        assert_eq!(found, [0, 1, 1, 2, 2, 6, 18, 40]);
        assert_eq!(rank(2_000, 0.95), 956, "n/2 − 0.98 √n + ½, and no number is too small");
    }

    #[test]
    fn interval_is_from_value_to_value() {
        let values: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(median_interval(&values, 0.95), Some(Interval { low: 2.0, estimate: 5.5, high: 9.0 }));
        assert_eq!(median_interval(&values[..5], 0.95), None);
        assert_eq!(median_interval(&[], 0.95), None);
        assert_eq!(median_interval(&[f64::NAN; 9], 0.95), None);
    }

    proptest! {
        #[test]
        fn interval_holds_the_median_and_grows_with_the_level(
            values in prop::collection::vec(-1e9f64..1e9, 1..300), level in 0.5f64..0.98
        ) {
            if let Some(wide) = median_interval(&values, level + 0.019) {
                prop_assert!(wide.low <= wide.estimate && wide.estimate <= wide.high);
                let narrow = median_interval(&values, level).unwrap();
                prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
            }
        }
    }
}
