//! Three detectors of one step in a segment.

use super::welch::p_different;
use super::{P_MAX, squares};

/// A step that a detector believes in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// The place of the first value after it.
    pub(super) at: usize,
}

/// Finds the best step with at least so many values on either side; `None` if it may be chance.
pub(super) type Detector = fn(&[f64], usize) -> Option<Candidate>;

/// All detectors; those that place a step best come first.
pub(super) const DETECTORS: [Detector; 3] = [likelihood, energy, rank];

/// The p value of Pettitt's test, which is only approximate.
const RANK_P_MAX: f64 = 0.01;

/// The logarithm of the likelihood must grow by this many times ln n: for the place, the level, and the choice among all places.
const PENALTY: f64 = 3.0;

/// The place that maximises `score`; the first of equal ones.
fn best(segment: &[f64], side_min: usize, score: impl Fn(usize) -> f64) -> Option<usize> {
    let places = side_min..=segment.len().checked_sub(side_min)?;
    let mut best: Option<(usize, f64)> = None;
    for at in places {
        let score = score(at);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((at, score));
        }
    }
    best.map(|(at, _)| at)
}

/// The scaled energy distance of both sides, mn/(m + n) · (2 E|X − Y| − E|X − X′| − E|Y − Y′|), confirmed by Welch's test.
fn energy(segment: &[f64], side_min: usize) -> Option<Candidate> {
    let sums = DistanceSums::of(segment);
    let count = segment.len();
    let distance = |at: usize| {
        let (before, after) = (at as f64, (count - at) as f64);
        let between = 2.0 * sums.between(at) / (before * after);
        let within = |sum: f64, size: f64| sum / (size * (size - 1.0) / 2.0).max(1.0);
        let within = within(sums.before(at), before) + within(sums.after(at), after);
        before * after / (before + after) * (between - within)
    };
    let at = best(segment, side_min, distance)?;
    (p_different(&segment[..at], &segment[at..]) <= P_MAX).then_some(Candidate { at })
}

/// Sums of the distances of all pairs, so that every split takes constant time.
struct DistanceSums {
    /// The sum over the pairs of the first n values.
    prefix: Vec<f64>,
    /// The sum over the pairs from the value n on.
    suffix: Vec<f64>,
}

impl DistanceSums {
    fn of(values: &[f64]) -> Self {
        let mut prefix = vec![0.0; values.len() + 1];
        for at in 0..values.len() {
            let added: f64 = values[..at].iter().map(|other| (values[at] - other).abs()).sum();
            prefix[at + 1] = prefix[at] + added;
        }
        let mut suffix = vec![0.0; values.len() + 1];
        for at in (0..values.len()).rev() {
            let added: f64 = values[at + 1..].iter().map(|other| (values[at] - other).abs()).sum();
            suffix[at] = suffix[at + 1] + added;
        }
        Self { prefix, suffix }
    }

    fn before(&self, at: usize) -> f64 {
        self.prefix[at]
    }

    fn after(&self, at: usize) -> f64 {
        self.suffix[at]
    }

    fn between(&self, at: usize) -> f64 {
        self.suffix[0] - self.prefix[at] - self.suffix[at]
    }
}

/// Pettitt's test: the place where the values before rank most unlike the values after. It knows ranks only, so no outlier moves it.
fn rank(segment: &[f64], side_min: usize) -> Option<Candidate> {
    let count = segment.len();
    let mut statistic = vec![0.0; count + 1];
    for at in 0..count {
        let order = |other: &f64| segment[at].partial_cmp(other).map_or(0.0, |order| f64::from(order as i8));
        statistic[at + 1] = statistic[at] + segment.iter().map(order).sum::<f64>();
    }
    let at = best(segment, side_min, |at| statistic[at].abs())?;
    let size = count as f64;
    let p = 2.0 * (-6.0 * statistic[at].powi(2) / (size.powi(3) + size.powi(2))).exp();
    (p <= RANK_P_MAX).then_some(Candidate { at })
}

/// The place that makes normal noise about two levels most likely, if the likelihood grows by more than its penalty.
fn likelihood(segment: &[f64], side_min: usize) -> Option<Candidate> {
    let count = segment.len() as f64;
    let split = |at: usize| squares(&segment[..at]) + squares(&segment[at..]);
    let at = best(segment, side_min, |at| -split(at))?;
    // Where nothing varies, rounding would decide.
    let floor = 1e-18 * count;
    let gain = count * (squares(segment).max(floor) / split(at).max(floor)).ln();
    (gain > PENALTY * count.ln()).then_some(Candidate { at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(segment: &[f64], expect: Option<usize>) {
        for (index, detector) in DETECTORS.iter().enumerate() {
            assert_eq!(detector(segment, 3).map(|candidate| candidate.at), expect, "detector {index}: {segment:?}");
        }
    }

    #[test]
    fn large_step_is_found_at_its_place() {
        let noise = |at: usize| ((at * 7) % 5) as f64 / 100.0;
        let step = |place: usize| (0..20).map(|at| noise(at) + if at >= place { 1.0 } else { 0.0 }).collect::<Vec<_>>();
        check(&step(10), Some(10));
        // Ranks of six values against fourteen are not enough evidence.
        for place in [6, 14] {
            let found = DETECTORS.map(|detector| detector(&step(place), 3).map(|candidate| candidate.at));
            assert_eq!(found, [Some(place), Some(place), None]);
        }
    }

    #[test]
    fn no_detector_finds_a_step_where_nothing_changes() {
        check(&[0.0; 20], None);
        check(&[0.0, 1.0].repeat(10), None);
        check(&[0.0, 1.0, 0.0], None);
    }
}
