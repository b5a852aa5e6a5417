//! Group-sequential tests: several looks at growing data, which together make a false claim no more often than one test would.

/// A look at the data so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The share of the available time that was spent (0…1); it never decreases from look to look.
    pub spent: f64,
    /// How much is known, in any unit that the variance of the estimate is inversely proportional to, such as processes; it
    /// increases from look to look.
    pub information: f64,
}

/// The significance level of a one-sided test at each of `looks`, so that any of them rejects a true hypothesis with a probability of
/// at most `alpha`, if all time is spent.
///
/// The error rate is spent in proportion to time (Kim and DeMets 1987 with ρ = 1; by calendar time as in Lan and DeMets 1989), so that
/// large differences are found early: by the spending function of O'Brien and Fleming, a look in the first tenth of the time
/// could decide nothing. Levels follow from the joint distribution of the estimates, which is that of Brownian motion (Armitage,
/// McPherson and Rowe 1969), and are used as levels of t tests (Jennison and Turnbull 2000, ch. 4.4).
pub fn levels(looks: &[Look], alpha: f64) -> Vec<f64> {
    let mut walk = Walk::default();
    let mut spent = 0.0f64;
    let level = |look: &Look| {
        // What is not more than before can decide nothing new, and spends nothing.
        if look.information <= walk.information {
            return 0.0;
        }
        let now = spent.max(alpha * look.spent.clamp(0.0, 1.0));
        let level = walk.step(look.information, now - spent);
        spent = now;
        level
    };
    looks.iter().map(level).collect()
}

/// How far a walk is followed below 0, in standard deviations; less than 10⁻¹⁵ of all walks are lower.
const FAR: f64 = 8.0;

/// Points at which the distribution is kept. A step that adds a hundredth to the information still spans two of them.
const POINTS: usize = 300;

/// The walks that have crossed no boundary: the density of their sums, of variance `information`, on evenly spaced points.
#[derive(Clone, Debug, Default)]
struct Walk {
    information: f64,
    /// The points and the probability at each; none before the first step.
    points: Vec<(f64, f64)>,
}

impl Walk {
    /// Walks on to `information`, where a share `crossing` of all walks crosses the boundary; returns the probability that a
    /// walk without boundaries is above it.
    fn step(&mut self, information: f64, crossing: f64) -> f64 {
        let deviation = (information - self.information).max(f64::MIN_POSITIVE).sqrt();
        let whole = information.sqrt();
        let boundary = if crossing > 0.0 { self.boundary(deviation, whole, crossing) } else { FAR * whole };
        let low = -FAR * whole;
        let width = (boundary - low) / POINTS as f64;
        let place = |index: usize| low + (index as f64 + 0.5) * width;
        let density = |at: f64| match self.points.as_slice() {
            [] => normal_density(at / deviation) / deviation,
            points => {
                points.iter().map(|(from, share)| share * normal_density((at - from) / deviation)).sum::<f64>()
                    / deviation
            }
        };
        let points = (0..POINTS).map(|index| (place(index), density(place(index)) * width)).collect();
        *self = Self { information, points };
        if crossing > 0.0 { upper_tail(boundary / whole) } else { 0.0 }
    }

    /// The boundary that a share `crossing` of the walks is above after a step of this standard deviation.
    fn boundary(&self, deviation: f64, whole: f64, crossing: f64) -> f64 {
        let above = |boundary: f64| match self.points.as_slice() {
            [] => upper_tail(boundary / deviation),
            points => points.iter().map(|(from, share)| share * upper_tail((boundary - from) / deviation)).sum(),
        };
        let (mut low, mut high) = (-FAR * whole, FAR * whole);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if above(middle) > crossing { low = middle } else { high = middle }
        }
        high
    }
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

/// The probability that a normal variable exceeds `z`.
fn upper_tail(z: f64) -> f64 {
    0.5 * statrs::function::erf::erfc(z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn even(count: usize) -> Vec<Look> {
        (1..=count).map(|at| at as f64 / count as f64).map(|share| Look { spent: share, information: share }).collect()
    }

    #[test]
    fn a_single_look_has_the_whole_level() {
        let level = levels(&even(1), 0.025)[0];
        assert!((level - 0.025).abs() < 1e-6, "{level}");
    }

    /// The boundaries come from two million simulated walks; half a per cent of them crossed at each look.
    #[test]
    fn levels_match_simulated_boundaries() {
        let expect = [2.576, 2.493, 2.411, 2.337, 2.276];
        for (level, z) in levels(&even(5), 0.025).into_iter().zip(expect) {
            assert!((level - upper_tail(z)).abs() < 3e-4, "{level} is not that of {z}, {}", upper_tail(z));
        }
    }

    #[test]
    fn look_that_may_spend_nothing_rejects_nothing() {
        let looks =
            [0.0, 0.5, 0.5, 1.0].into_iter().zip(1..).map(|(spent, n)| Look { spent, information: f64::from(n) });
        let levels = levels(&looks.collect::<Vec<_>>(), 0.05);
        assert_eq!((levels[0], levels[2]), (0.0, 0.0));
        assert!(levels[1] > 0.02 && levels[3] > 0.02, "{levels:?}");
    }

    #[test]
    fn look_without_new_information_rejects_nothing_and_spends_nothing() {
        let of = |looks: &[(f64, f64)]| {
            levels(
                &looks
                    .iter()
                    .map(|(spent, information)| Look { spent: *spent, information: *information })
                    .collect::<Vec<_>>(),
                0.05,
            )
        };
        let expect = of(&[(0.5, 5.0), (1.0, 9.0)]);
        assert_eq!(of(&[(0.1, 0.0), (0.5, 5.0), (0.7, 5.0), (1.0, 9.0)]), [0.0, expect[0], 0.0, expect[1]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn each_level_is_at_least_what_its_look_spends_and_below_alpha(
            steps in proptest::collection::vec(1u32..20, 1..8), alpha in 1e-4f64..0.05,
        ) {
            let total: u32 = steps.iter().sum();
            let mut sum = 0;
            let looks: Vec<_> = steps.iter().map(|step| {
                sum += step;
                Look { spent: f64::from(sum) / f64::from(total), information: f64::from(sum) }
            }).collect();
            for (level, step) in levels(&looks, alpha).into_iter().zip(&steps) {
                let spent = alpha * f64::from(*step) / f64::from(total);
                // The sum over points is an approximation.
                prop_assert!(level >= spent * 0.99 && level <= alpha * 1.001, "{} spends {}", level, spent);
            }
        }
    }
}
