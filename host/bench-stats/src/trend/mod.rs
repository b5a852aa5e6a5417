//! Steps and drifts in a sequence of figures, such as the medians of one cell over many runs.
//!
//! Three detectors look for a step in each segment, as different assumptions fail in different ways: the energy distance of E-divisive
//! (Matteson and James 2014), made deterministic by Student's test in place of a permutation test as Hunter does (Fleming et al. 2023);
//! the rank statistic of Pettitt (1979); and a penalised likelihood of normal noise. A step needs the votes of two of them at about the
//! same place. Single values that neither neighbour supports are outliers and not steps. Where a straight line explains a sequence
//! better than steps, it is a drift.

mod detectors;
mod outliers;
mod welch;

use crate::{Distribution, slope};
use detectors::{Candidate, DETECTORS};
pub use welch::{Shift, shift};

/// The fewest values in which steps are looked for.
pub const TREND_VALUES_MIN: usize = 8;

/// The fewest values on either side of a step.
const SIDE_MIN: usize = 3;

/// Two detectors agree on a place if they name values this far apart.
const PLACES_APART_MAX: usize = 2;

/// A shorter segment has no windows.
const WINDOWED_MIN: usize = 4 * SIDE_MIN;

/// How many detectors must agree.
const VOTES_MIN: usize = 2;

/// The p value below which a step, or a drift, is not chance. Hunter's default.
const P_MAX: f64 = 0.001;

/// A smaller change, on the log scale, is not reported.
const LOG_MIN: f64 = 0.01;

/// What happens in a sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// A gradual change over the whole sequence, in place of steps.
    pub drift: Option<GradualChange>,
    /// The places of single values far from their neighbours.
    pub outliers: Vec<usize>,
}

/// A lasting change from one value to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The place of the first value after the step.
    pub at: usize,
    /// The place where the values that it was compared with begin.
    pub from: usize,
    /// The place behind the values that follow it, up to the next step.
    pub until: usize,
    /// The median before.
    pub before: f64,
    /// The median after.
    pub after: f64,
    /// The probability that chance alone makes the mean logarithms of both sides differ so much (Welch's test).
    pub p: f64,
    /// How many of the three detectors found it.
    pub votes: usize,
}

/// A change that is spread over the whole sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradualChange {
    /// The last value of the line over its first.
    pub ratio: f64,
    /// The number of values.
    pub values: usize,
}

impl Step {
    /// The median after over the median before.
    pub fn ratio(&self) -> f64 {
        self.after / self.before
    }
}

/// Finds steps, a drift and outliers in `values`, which are finite and above 0; others are a reason to find nothing. Deterministic. Finds
/// nothing in fewer than [`TREND_VALUES_MIN`] values.
pub fn trend(values: &[f64]) -> Trend {
    if values.len() < TREND_VALUES_MIN || values.iter().any(|value| !value.is_finite() || *value <= 0.0) {
        return Trend::default();
    }
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let (logs, outliers) = outliers::replaced(&logs);
    let mut places: Vec<(usize, usize)> = Vec::new();
    split(&logs, 0, logs.len(), &mut places);
    places.sort_unstable();
    let steps = confirmed(values, &logs, places);
    match drift(&logs, &steps) {
        Some(drift) => Trend { steps: Vec::new(), drift: Some(drift), outliers },
        None => Trend { steps, drift: None, outliers },
    }
}

/// Looks for a step between `from` and `until`, and then on both sides of it. Adds its place and votes to `places`.
fn split(logs: &[f64], from: usize, until: usize, places: &mut Vec<(usize, usize)>) {
    let Some((at, votes)) = find_in_windows(&logs[from..until]) else { return };
    places.push((from + at, votes));
    split(logs, from, from + at, places);
    split(logs, from + at, until, places);
}

/// The best step of a segment, or else of its first or last two thirds: detectors of one step miss one that is soon taken back.
fn find_in_windows(segment: &[f64]) -> Option<(usize, usize)> {
    let window = segment.len() * 2 / 3;
    let skipped = segment.len() - window;
    find(segment).or_else(|| {
        let first = || find(&segment[..window]);
        let last = || find(&segment[skipped..]).map(|(at, votes)| (skipped + at, votes));
        if segment.len() < WINDOWED_MIN { None } else { first().or_else(last) }
    })
}

/// The place on which most detectors agree, and how many they are; `None` if they are too few.
fn find(segment: &[f64]) -> Option<(usize, usize)> {
    if segment.len() < 2 * SIDE_MIN {
        return None;
    }
    // In the order of how well the detectors place a step.
    let candidates: Vec<Candidate> = DETECTORS.iter().filter_map(|detector| detector(segment, SIDE_MIN)).collect();
    let votes_for = |place: usize| candidates.iter().filter(|one| one.at.abs_diff(place) <= PLACES_APART_MAX).count();
    let votes = candidates.iter().map(|one| votes_for(one.at)).max()?;
    let at = candidates.iter().map(|one| one.at).find(|place| votes_for(*place) == votes)?;
    (votes >= VOTES_MIN).then_some((at, votes))
}

/// The steps at `places` that Welch's test confirms between their neighbours. The weakest is removed first, because its removal changes
/// what its neighbours are compared with.
fn confirmed(values: &[f64], logs: &[f64], mut places: Vec<(usize, usize)>) -> Vec<Step> {
    loop {
        let steps: Vec<Step> = (0..places.len()).map(|index| step(values, logs, &places, index)).collect();
        let is_weak = |step: &Step| step.p > P_MAX || step.ratio().ln().abs() < LOG_MIN;
        let weakest =
            (0..steps.len()).filter(|index| is_weak(&steps[*index])).max_by(|a, b| steps[*a].p.total_cmp(&steps[*b].p));
        match weakest {
            Some(index) => _ = places.remove(index),
            None => return steps,
        }
    }
}

fn step(values: &[f64], logs: &[f64], places: &[(usize, usize)], index: usize) -> Step {
    let (at, votes) = places[index];
    let from = index.checked_sub(1).map_or(0, |before| places[before].0);
    let until = places.get(index + 1).map_or(values.len(), |next| next.0);
    let median = |range: &[f64]| Distribution::of_samples(range.iter().copied()).quantile(0.5).unwrap_or(f64::NAN);
    let p = welch::p_different(&logs[from..at], &logs[at..until]);
    Step { at, from, until, before: median(&values[from..at]), after: median(&values[at..until]), p, votes }
}

/// The straight line through `logs`, if it is not chance and explains them better than `steps` do, by the information criterion of
/// Schwarz (1978).
fn drift(logs: &[f64], steps: &[Step]) -> Option<GradualChange> {
    let points: Vec<(f64, f64)> = logs.iter().enumerate().map(|(at, log)| (at as f64, *log)).collect();
    let line = slope(&points)?;
    let change = line.estimate * (logs.len() - 1) as f64;
    let interval = line.interval(1.0 - P_MAX)?;
    if change.abs() < LOG_MIN || (interval.low <= 0.0 && interval.high >= 0.0) {
        return None;
    }
    let of_line: f64 = points.iter().map(|(at, log)| (log - line.start - line.estimate * at).powi(2)).sum();
    let bounds = std::iter::once(0).chain(steps.iter().map(|step| step.at)).chain([logs.len()]).collect::<Vec<_>>();
    let of_steps: f64 = bounds.windows(2).map(|pair| squares(&logs[pair[0]..pair[1]])).sum();
    // A step costs its place and its height.
    let is_better = criterion(of_line, logs.len(), 2) < criterion(of_steps, logs.len(), 1 + 2 * steps.len());
    is_better.then(|| GradualChange { ratio: change.exp(), values: logs.len() })
}

/// n ln(RSS / n) + k ln n; a perfect fit has a floor, so that two of them are told apart by their parameters.
fn criterion(squares: f64, count: usize, parameters: usize) -> f64 {
    let count = count as f64;
    count * (squares / count).max(1e-18).ln() + parameters as f64 * count.ln()
}

/// The sum of squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ten values around `level`, each a little different.
    fn around(level: f64) -> impl Iterator<Item = f64> {
        (0..10).map(move |at| level * (1.0 + f64::from((at * 7) % 5) / 1_000.0))
    }

    fn places(values: &[f64]) -> Vec<usize> {
        trend(values).steps.iter().map(|step| step.at).collect()
    }

    #[test]
    fn steps_up_and_down_are_found_with_their_levels() {
        let values: Vec<f64> = around(100.0).chain(around(118.0)).chain(around(90.0)).collect();
        let steps = trend(&values).steps;
        assert_eq!(
            steps.iter().map(|step| (step.at, step.from, step.until)).collect::<Vec<_>>(),
            [(10, 0, 20), (20, 10, 30)]
        );
        assert!((steps[0].ratio() - 1.18).abs() < 1e-9 && steps[1].ratio() < 0.8, "{steps:?}");
        assert!(steps.iter().all(|step| step.votes >= 2 && step.p < P_MAX));
    }

    #[test]
    fn single_value_is_an_outlier_and_no_step() {
        let mut values: Vec<f64> = around(100.0).chain(around(100.0)).collect();
        values[7] = 180.0;
        let found = trend(&values);
        assert_eq!((found.steps.len(), found.outliers, found.drift), (0, vec![7], None));
    }

    #[test]
    fn gradual_change_is_a_drift() {
        let values: Vec<f64> =
            (0..30).map(|at| 100.0 * (1.0 + f64::from(at) / 100.0 + f64::from((at * 7) % 5) / 1_000.0)).collect();
        let found = trend(&values);
        assert!(found.steps.is_empty(), "{found:?}");
        let drift = found.drift.expect("it drifts");
        assert!((drift.ratio - 1.29).abs() < 0.02, "{drift:?}");
    }

    #[test]
    fn too_few_or_impossible_values_have_no_trend() {
        assert_eq!(trend(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), Trend::default());
        assert_eq!(trend(&[0.0; 20]), Trend::default());
        assert_eq!(trend(&[f64::NAN; 20]), Trend::default());
        assert_eq!(trend(&[5.0; 20]), Trend::default(), "equal values do not change");
    }

    proptest! {
        #[test]
        fn scaling_moves_no_step(scale in 1e-6f64..1e6, step in 1.1f64..3.0) {
            let values: Vec<f64> = around(100.0).chain(around(100.0 * step)).collect();
            let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
            prop_assert_eq!(places(&values), vec![10]);
            prop_assert_eq!(places(&scaled), vec![10]);
        }
    }
}
