//! How a figure grows with a quantity, from several processes that each measured it at several amounts.

use crate::{Interval, mean_interval, slope};

/// The mean of one value a process, with its interval where there are two processes or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessMean {
    /// The mean.
    pub mean: f64,
    /// Its Student interval; `None` for one process.
    pub interval: Option<Interval>,
    /// The number of processes.
    pub processes: usize,
}

/// A figure at the smallest amount, and how much it grows per unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// At the smallest amount.
    pub fixed: ProcessMean,
    /// Per unit; `None` where the amount does not vary.
    pub per_unit: Option<ProcessMean>,
}

/// The growth of the points `(amount, figure)` of each process, at `level` (0…1). In each process the slope is that of least squares, and
/// the interval is over the slopes of the processes, because only processes are independent. `None` without a process, where one has no
/// point, and where a number is not finite.
///
/// The slope assumes that the figure grows linearly; the figure at the smallest amount assumes nothing, because it is measured.
pub fn growth(processes: &[Vec<(f64, f64)>], level: f64) -> Option<Growth> {
    let first = |points: &Vec<(f64, f64)>| points.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
    let fixed: Vec<f64> = processes.iter().map(|points| Some(first(points)?.1)).collect::<Option<_>>()?;
    let slopes: Option<Vec<f64>> = processes.iter().map(|points| Some(slope(points)?.estimate)).collect();
    Some(Growth {
        fixed: process_mean(&fixed, level)?,
        per_unit: slopes.and_then(|slopes| process_mean(&slopes, level)),
    })
}

fn process_mean(values: &[f64], level: f64) -> Option<ProcessMean> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let interval = mean_interval(values, level);
    mean.is_finite().then_some(ProcessMean { mean, interval, processes: values.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use proptest::prelude::*;

    const AMOUNTS: [f64; 5] = [0.0, 512.0, 1024.0, 2048.0, 4096.0];

    /// Processes that measure `fixed + per_unit × amount`, each with a level of its own and noise at each amount: sums of four
    /// uniform numbers, which are nearly normal.
    fn processes(fixed: f64, per_unit: f64, count: usize, noise: f64, random: &mut Random) -> Vec<Vec<(f64, f64)>> {
        let mut wobble = || (0..4).map(|_| random.below(1 << 20) as f64 / 2f64.powi(20) - 0.5).sum::<f64>() * noise;
        let mut process = || {
            let (level, steepness) = (wobble(), 1.0 + wobble() / 100.0);
            AMOUNTS.map(|amount| (amount, fixed + level + per_unit * steepness * amount + wobble())).to_vec()
        };
        (0..count).map(|_| process()).collect()
    }

    #[test]
    fn line_without_noise_is_found_exactly() {
        let growth = growth(&processes(50.0, 0.25, 3, 0.0, &mut Random::new(1, 0)), 0.95).unwrap();
        assert_eq!((growth.fixed.mean, growth.fixed.processes), (50.0, 3));
        let slope = growth.per_unit.unwrap();
        assert!((slope.mean - 0.25).abs() < 1e-12, "{slope:?}");
        let interval = slope.interval.unwrap();
        assert!(interval.high - interval.low < 1e-9, "{interval:?}");
    }

    #[test]
    fn one_process_has_no_interval_and_one_amount_no_slope() {
        let one = growth(&processes(50.0, 0.25, 1, 1.0, &mut Random::new(1, 0)), 0.95).unwrap();
        assert!(one.fixed.interval.is_none() && one.per_unit.is_some_and(|slope| slope.interval.is_none()));
        let constant = growth(&[vec![(0.0, 3.0)], vec![(0.0, 5.0)]], 0.95).unwrap();
        assert_eq!((constant.fixed.mean, constant.per_unit), (4.0, None));
        assert_eq!(growth(&[], 0.95), None);
        assert_eq!(growth(&[vec![(0.0, 1.0)], vec![]], 0.95), None);
        assert_eq!(growth(&[vec![(0.0, f64::NAN)]], 0.95), None);
    }

    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        const TRIALS: u32 = 2_000;
        let mut random = Random::new(7, 0);
        let (mut fixed, mut slopes) = (0, 0);
        for _ in 0..TRIALS {
            let found = growth(&processes(50.0, 0.25, 5, 2.0, &mut random), 0.95).unwrap();
            let covers = |mean: ProcessMean, truth: f64| {
                mean.interval.is_some_and(|interval| interval.low <= truth && truth <= interval.high)
            };
            fixed += u32::from(covers(found.fixed, 50.0));
            slopes += u32::from(covers(found.per_unit.unwrap(), 0.25));
        }
        for covered in [fixed, slopes] {
            let share = f64::from(covered) / f64::from(TRIALS);
            assert!((share - 0.95).abs() < 0.02, "{share} is not 0.95");
        }
    }

    proptest! {
        #[test]
        fn order_of_points_and_processes_does_not_matter(seed in any::<u64>()) {
            let made = processes(50.0, 0.25, 4, 2.0, &mut Random::new(seed, 0));
            let turned: Vec<Vec<_>> =
                made.iter().rev().map(|points| points.iter().rev().copied().collect()).collect();
            let (one, other) = (growth(&made, 0.95).unwrap(), growth(&turned, 0.95).unwrap());
            prop_assert!((one.fixed.mean - other.fixed.mean).abs() < 1e-9);
            prop_assert!((one.per_unit.unwrap().mean - other.per_unit.unwrap().mean).abs() < 1e-12);
        }
    }
}
