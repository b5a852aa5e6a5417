//! Whether a series reached a steady state, found by changepoints.

use crate::Distribution;
use bench_model::Steadiness;

/// Fewer samples show no development.
const SAMPLES_MIN: usize = 40;

/// The series is divided into this many stretches, each of which is represented by its median: single slow samples are not a change.
const STRETCHES: usize = 40;

/// A level lasts for this many stretches at least.
const LEVEL_MIN: usize = 3;

/// Levels that differ by less are the same; neighbours on the machine change as much.
const TOLERANCE: f64 = 0.05;

/// A change after this share of the series leaves too little to call it steady.
const LATEST_CHANGE: f64 = 0.75;

/// The class of the times in `samples`, which are in the order of measurement; `None` where there are fewer than 40.
///
/// The medians of forty stretches are divided into levels so that the sum of squared deviations plus a penalty of 3 σ² ln n for each
/// level is smallest (optimal partitioning; Jackson et al. 2005), with σ from the differences of neighbours. The classes are those
/// of Barrett et al. 2017: the last level and all before that do not differ from it are the steady state, if it begins early enough;
/// it is a warm-up where everything before is slower, and a slow-down where something before is faster.
pub fn steadiness(samples: &[f64]) -> Option<Steadiness> {
    let stretches = stretches(samples)?;
    let levels = levels(&stretches);
    let (.., last) = *levels.last()?;
    let is_other = |level: &&(usize, usize, f64)| (level.2 - last).abs() > TOLERANCE.ln_1p();
    let Some((_, steady_from, _)) = levels.iter().rev().find(is_other) else { return Some(Steadiness::Flat) };
    if *steady_from as f64 > LATEST_CHANGE * stretches.len() as f64 {
        return Some(Steadiness::NoSteadyState);
    }
    let was_faster = levels.iter().filter(is_other).any(|(.., level)| *level < last);
    Some(if was_faster { Steadiness::SlowDown } else { Steadiness::WarmUp })
}

/// The logarithm of the median of each stretch; samples that are not positive are ignored.
fn stretches(samples: &[f64]) -> Option<Vec<f64>> {
    let samples: Vec<f64> = samples.iter().copied().filter(|sample| *sample > 0.0 && sample.is_finite()).collect();
    if samples.len() < SAMPLES_MIN {
        return None;
    }
    let part = |index: usize| {
        let bounds = [index, index + 1].map(|edge| edge * samples.len() / STRETCHES);
        Distribution::of_samples(samples[bounds[0]..bounds[1]].iter().copied()).quantile(0.5)
    };
    (0..STRETCHES).map(|index| part(index).map(f64::ln)).collect()
}

/// The levels of `values`: the first value, the one after the last, and the mean of each.
fn levels(values: &[f64]) -> Vec<(usize, usize, f64)> {
    let penalty = 3.0 * noise(values).powi(2) * (values.len() as f64).ln();
    let sums: Vec<(f64, f64)> = std::iter::once((0.0, 0.0))
        .chain(values.iter().scan((0.0, 0.0), |sum, value| {
            *sum = (sum.0 + value, sum.1 + value * value);
            Some(*sum)
        }))
        .collect();
    let mean = |from: usize, to: usize| (sums[to].0 - sums[from].0) / (to - from) as f64;
    let deviations =
        |from: usize, to: usize| (sums[to].1 - sums[from].1 - mean(from, to) * (sums[to].0 - sums[from].0)).max(0.0);
    // The least cost of the values before each index, and where their last level begins.
    let mut best: Vec<(f64, usize)> = vec![(0.0, 0)];
    for to in 1..=values.len() {
        let from = (0..to).filter(|from| to - from >= LEVEL_MIN && (*from == 0 || *from >= LEVEL_MIN));
        let cost = from.map(|from| (best[from].0 + deviations(from, to) + penalty, from));
        best.push(cost.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::INFINITY, 0)));
    }
    let mut levels = Vec::new();
    let mut to = values.len();
    while to > 0 {
        let from = best[to].1;
        levels.push((from, to, mean(from, to)));
        to = from;
    }
    levels.reverse();
    levels
}

/// The standard deviation of the values about their level: the median distance of neighbours, as of a normal distribution. Never
/// 0, so that a series without noise does not fall into levels that differ by rounding.
fn noise(values: &[f64]) -> f64 {
    let distances = values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let median = Distribution::of_samples(distances).quantile(0.5).unwrap_or_default();
    (1.4826 * median / std::f64::consts::SQRT_2).max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Samples at these levels, an equal number each, with noise of up to `noise` and every seventeenth sample slow.
    fn series(levels: &[f64], noise: f64) -> Vec<f64> {
        let each = 400 / levels.len();
        let wobble = |at: usize| 1.0 + noise * (((at * 37) % 41) as f64 / 20.0 - 1.0);
        let slow = |at: usize| if at.is_multiple_of(17) { 3.0 } else { 1.0 };
        (0..levels.len() * each).map(|at| levels[at / each] * wobble(at) * slow(at)).collect()
    }

    fn check(levels: &[f64], expect: Steadiness) {
        for noise in [0.0, 0.02, 0.1] {
            assert_eq!(steadiness(&series(levels, noise)), Some(expect), "{levels:?} with noise {noise}");
        }
    }

    #[test]
    fn series_are_classified() {
        check(&[100.0], Steadiness::Flat);
        check(&[100.0, 102.0], Steadiness::Flat);
        check(&[150.0, 100.0, 100.0, 100.0], Steadiness::WarmUp);
        check(&[200.0, 150.0, 100.0, 100.0], Steadiness::WarmUp);
        check(&[100.0, 100.0, 130.0, 130.0], Steadiness::SlowDown);
        check(&[150.0, 100.0, 120.0, 120.0], Steadiness::SlowDown);
        check(&[100.0, 100.0, 100.0, 100.0, 100.0, 140.0], Steadiness::NoSteadyState);
        check(&[100.0, 110.0, 121.0, 133.0, 146.0, 161.0], Steadiness::NoSteadyState);
    }

    #[test]
    fn few_samples_have_no_class() {
        assert_eq!(steadiness(&[1.0; SAMPLES_MIN - 1]), None);
        assert_eq!(steadiness(&[1.0; SAMPLES_MIN]), Some(Steadiness::Flat));
        assert_eq!(steadiness(&[0.0; 1_000]), None);
    }

    proptest! {
        #[test]
        fn unit_of_time_does_not_matter(samples in proptest::collection::vec(50.0f64..200.0, 40..200), power in -3i32..4) {
            let scaled: Vec<f64> = samples.iter().map(|sample| sample * 2f64.powi(power)).collect();
            prop_assert_eq!(steadiness(&samples), steadiness(&scaled));
        }
    }
}
