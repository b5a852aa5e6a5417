//! Whether the values on both sides of a place differ: Welch's test on logarithms.

use crate::interval::upper_tail;

/// How a quantity changed from some runs to later ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The geometric mean after over that before.
    pub ratio: f64,
    /// The probability that chance alone makes them differ so much.
    pub p: f64,
}

/// How positive values changed from `before` to `after`; `None` if a side has fewer than two usable values.
pub fn shift(before: &[f64], after: &[f64]) -> Option<Shift> {
    let logs = |values: &[f64]| {
        values.iter().filter(|value| **value > 0.0 && value.is_finite()).map(|value| value.ln()).collect()
    };
    let (before, after): (Vec<f64>, Vec<f64>) = (logs(before), logs(after));
    if before.len() < 2 || after.len() < 2 {
        return None;
    }
    Some(Shift { ratio: (mean(&after) - mean(&before)).exp(), p: p_different(&before, &after) })
}

/// The two-sided p value of Welch's test that both have the same mean. 0 if nothing varies and the means differ.
pub(super) fn p_different(before: &[f64], after: &[f64]) -> f64 {
    let parts = [before, after].map(|values| (variance(values) / values.len() as f64, values.len() as f64 - 1.0));
    let total = parts[0].0 + parts[1].0;
    let distance = (mean(after) - mean(before)).abs();
    if total <= 1e-30 {
        return if distance > 1e-12 { 0.0 } else { 1.0 };
    }
    // As shares, because the square of a tiny variance may round to 0.
    let freedom = 1.0 / parts.iter().map(|(part, freedom)| (part / total).powi(2) / freedom.max(1.0)).sum::<f64>();
    (2.0 * upper_tail(distance / total.sqrt(), freedom)).min(1.0)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_value_is_that_of_the_textbook() {
        // Two samples of four: means 2.5 and 5.5, variances 5/3; t = 3.2863, six degrees of freedom, p = 0.0167.
        let p = p_different(&[1.0, 2.0, 3.0, 4.0], &[4.0, 5.0, 6.0, 7.0]);
        assert!((p - 0.0167).abs() < 1e-4, "{p}");
        assert_eq!(p_different(&[1.0; 4], &[1.0; 4]), 1.0);
        assert_eq!(p_different(&[1.0; 4], &[2.0; 4]), 0.0);
    }

    #[test]
    fn shift_needs_two_usable_values_on_either_side() {
        let found = shift(&[100.0, 100.0], &[118.0, 118.0]).unwrap();
        assert!((found.ratio - 1.18).abs() < 1e-9 && found.p == 0.0);
        assert_eq!(shift(&[100.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(shift(&[], &[]), None);
    }
}
