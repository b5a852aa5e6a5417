//! The interval of a share: how often something happened in a number of trials.

use crate::{Interval, interval};

/// The share of `count` in `trials` with its two-sided interval at `level` (0…1), by Wilson's score (Wilson 1927). `None` without
/// trials.
pub fn share_interval(count: u64, trials: u64, level: f64) -> Option<Interval> {
    if trials == 0 || count > trials {
        return None;
    }
    let (count, trials) = (count as f64, trials as f64);
    let z = interval::two_sided_quantile(level, f64::INFINITY);
    let share = count / trials;
    let middle = (share + z * z / (2.0 * trials)) / (1.0 + z * z / trials);
    let reach = z / (1.0 + z * z / trials) * (share * (1.0 - share) / trials + z * z / (4.0 * trials * trials)).sqrt();
    Some(Interval { low: (middle - reach).max(0.0), estimate: share, high: (middle + reach).min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: u64, trials: u64, expect: [f64; 2]) {
        let Interval { low, high, .. } = share_interval(count, trials, 0.95).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 5e-4;
        assert!(near(low, expect[0]) && near(high, expect[1]), "{count} of {trials}: {low} to {high}");
    }

    /// Newcombe 1998, table I, method 3.
    #[test]
    fn intervals_match_published_ones() {
        check(81, 263, [0.2553, 0.3662]);
        check(15, 148, [0.0624, 0.1605]);
        check(0, 20, [0.0, 0.1611]);
        check(1, 29, [0.0061, 0.1718]);
    }

    #[test]
    fn no_trials_have_no_share() {
        assert_eq!(share_interval(0, 0, 0.95), None);
        assert_eq!(share_interval(2, 1, 0.95), None);
    }
}
