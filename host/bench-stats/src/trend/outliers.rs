//! Single values that are far from their neighbours on both sides.

/// Values on either side that a value is compared with.
const REACH: usize = 3;

/// How far a value may be from the median of its window, in standard deviations estimated from the median absolute deviation.
const DEVIATIONS_MAX: f64 = 5.0;

/// The median absolute deviation of normal values is this share of their standard deviation.
const NORMAL_SHARE: f64 = 0.6745;

/// A smaller distance, on the log scale, is never an outlier: a window of equal values has no deviation at all.
const DISTANCE_MIN: f64 = 0.01;

/// `logs` with each outlier replaced by the median of its window, and the places of the outliers (the identifier of Hampel 1974). A value
/// after a lasting step is none, because the values that follow it support it.
pub(super) fn replaced(logs: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let (mut kept, mut outliers) = (logs.to_vec(), Vec::new());
    for at in 0..logs.len() {
        let window = &logs[at.saturating_sub(REACH)..(at + REACH + 1).min(logs.len())];
        let middle = median(window);
        let deviation = median(&window.iter().map(|log| (log - middle).abs()).collect::<Vec<_>>()) / NORMAL_SHARE;
        if (logs[at] - middle).abs() > (DEVIATIONS_MAX * deviation).max(DISTANCE_MIN) {
            kept[at] = middle;
            outliers.push(at);
        }
    }
    (kept, outliers)
}

/// The middle of the values, and of the two middle ones if their number is even, as at both ends: the lower one would be the level before a step
/// whose first value is looked at.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = |number: usize| sorted.get(number).copied().unwrap_or(f64::NAN);
    f64::midpoint(middle(values.len().saturating_sub(1) / 2), middle(values.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(logs: &[f64], expect: &[usize]) {
        assert_eq!(replaced(logs).1, expect, "{logs:?}");
    }

    #[test]
    fn value_that_no_neighbour_supports_is_an_outlier() {
        check(&[0.0, 0.001, 0.0, 1.0, 0.002, 0.0, 0.001], &[3]);
        check(&[0.0; 9], &[]);
        check(&[0.0, 0.0, 0.0, 0.005, 0.0, 0.0, 0.0], &[]);
    }

    #[test]
    fn values_around_a_step_are_kept() {
        check(&[0.0, 0.001, 0.0, 0.002, 1.0, 1.001, 1.0, 1.002], &[]);
        // Three values are enough on either side, up or down.
        for sign in [1.0, -1.0] {
            let mut logs = vec![0.0, 0.001, 0.0, 0.002, 0.0, 0.001, 0.0];
            logs.extend([0.165, 0.166, 0.165].map(|log| sign * log));
            check(&logs, &[]);
            logs.reverse();
            check(&logs, &[]);
        }
    }
}
