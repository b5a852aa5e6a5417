//! Ordinary least squares: the straight line through points, with the interval of its slope.

use crate::Interval;
use crate::interval::two_sided_quantile;

/// How fast a figure grows with a quantity, by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The increase of the figure per unit of the quantity.
    pub estimate: f64,
    /// The value of the line where the quantity is 0, in the unit of the figure.
    pub start: f64,
    /// The standard error of the estimate, in the same unit; `None` for two points, which a line always fits.
    pub standard_error: Option<f64>,
    /// The number of points.
    pub points: usize,
}

impl Slope {
    /// The two-sided Student interval at `level` (0…1), with n − 2 degrees of freedom; `None` for two points. It assumes that the
    /// figure grows linearly, and that points scatter about the line independently with equal variance; neither is tested.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let reach = two_sided_quantile(level, self.points as f64 - 2.0) * self.standard_error?;
        Some(Interval { low: self.estimate - reach, estimate: self.estimate, high: self.estimate + reach })
    }
}

/// The slope of points `(x, y)` by ordinary least squares: Σ(x − x̄)(y − ȳ) / Σ(x − x̄)²,
/// with the standard error √(Σ(residual²) / (n − 2) / Σ(x − x̄)²) (Draper and Smith 1998, chapter 1). `None` where fewer
/// than two points differ in the first number, and where a number is not finite.
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    // Centred first: squares of large numbers that differ by little would lose the difference to rounding.
    let centred = || points.iter().map(|(x, y)| (x - mean_x, y - mean_y));
    let squares_x: f64 = centred().map(|(x, _)| x * x).sum();
    if points.len() < 2 || squares_x <= 0.0 || !squares_x.is_finite() {
        return None;
    }
    let estimate = centred().map(|(x, y)| x * y).sum::<f64>() / squares_x;
    let residuals: f64 = centred().map(|(x, y)| (y - estimate * x).powi(2)).sum();
    let standard_error = (points.len() > 2).then(|| (residuals / (count - 2.0) / squares_x).sqrt());
    let start = mean_y - estimate * mean_x;
    estimate.is_finite().then_some(Slope { estimate, start, standard_error, points: points.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(points: &[(f64, f64)], expect: Option<f64>) {
        let got = slope(points).map(|slope| slope.estimate);
        assert_eq!(got, expect, "{points:?}");
    }

    #[test]
    fn two_points_have_a_slope_and_no_interval() {
        check(&[(1.0, 10.0), (3.0, 20.0)], Some(5.0));
        check(&[(3.0, 20.0), (1.0, 10.0)], Some(5.0));
        assert_eq!(slope(&[(1.0, 10.0), (3.0, 20.0)]).unwrap().standard_error, None);
        assert_eq!(slope(&[(1.0, 10.0), (3.0, 20.0)]).unwrap().interval(0.95), None);
    }

    #[test]
    fn points_at_one_x_have_no_slope() {
        check(&[], None);
        check(&[(1.0, 10.0)], None);
        check(&[(1.0, 10.0), (1.0, 20.0)], None);
        check(&[(1.0, 10.0), (2.0, f64::NAN)], None);
        check(&[(1.0, 10.0), (f64::INFINITY, 20.0)], None);
    }

    #[test]
    fn standard_error_matches_one_computed_by_hand() {
        // x̄ = 2, ȳ = 3, Σ(x − x̄)(y − ȳ) = 3, Σ(x − x̄)² = 2; residuals ½, −1, ½, so s² = 1.5 with one degree of freedom.
        let slope = slope(&[(1.0, 2.0), (2.0, 2.0), (3.0, 5.0)]).unwrap();
        assert_eq!((slope.estimate, slope.start, slope.points), (1.5, 0.0, 3));
        assert!((slope.standard_error.unwrap() - 0.75f64.sqrt()).abs() < 1e-12, "{slope:?}");
        let interval = slope.interval(0.95).unwrap();
        assert!((interval.high - (1.5 + 12.706 * 0.75f64.sqrt())).abs() < 0.001, "{interval:?}");
    }

    /// At least two different x, and a line.
    fn line() -> impl Strategy<Value = (Vec<f64>, f64, f64)> {
        let places = proptest::collection::hash_set(-1_000i32..1_000, 2..20);
        let places = places.prop_map(|places| places.into_iter().map(f64::from).collect());
        (places, -1e3f64..1e3, -1e6f64..1e6)
    }

    fn is_near(a: f64, b: f64, scale: f64) -> bool {
        (a - b).abs() <= 1e-9 * scale.max(1.0)
    }

    proptest! {
        #[test]
        fn the_slope_of_a_line_is_its_own((places, rise, start) in line()) {
            let points: Vec<_> = places.iter().map(|x| (*x, start + rise * x)).collect();
            let slope = slope(&points).unwrap();
            prop_assert!(is_near(slope.estimate, rise, start.abs() + rise.abs()), "{} is not {}", slope.estimate, rise);
            prop_assert!(slope.standard_error.is_none_or(|error| is_near(error, 0.0, start.abs() + rise.abs())));
        }

        #[test]
        fn shifting_changes_nothing_and_scaling_scales(
            points in proptest::collection::vec((-1e3f64..1e3, -1e3f64..1e3), 3..20),
            (right, up, factor) in (-1e3f64..1e3, -1e3f64..1e3, 0.01f64..100.0),
        ) {
            prop_assume!(points.iter().any(|(x, _)| (x - points[0].0).abs() > 1.0));
            let moved: Vec<_> = points.iter().map(|(x, y)| (x + right, factor * y + up)).collect();
            let (before, after) = (slope(&points).unwrap(), slope(&moved).unwrap());
            let scale = 1e6 * factor;
            prop_assert!(is_near(after.estimate, factor * before.estimate, scale));
            prop_assert!(is_near(after.standard_error.unwrap(), factor * before.standard_error.unwrap(), scale));
        }
    }
}
