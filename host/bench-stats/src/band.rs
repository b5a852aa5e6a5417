//! The noise floor: how far from 1 the ratio of an arm to itself may come out.

use crate::RatioEstimate;

/// The noise floor: the largest bound of |log ratio| (95 % interval) among the comparisons of an arm with itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The natural logarithm of the upper bound; never negative.
    pub log: f64,
}

impl Band {
    /// The band of comparisons of an arm with itself; `None` where there is none, or where one is not finite.
    pub fn of(estimates: &[RatioEstimate]) -> Option<Self> {
        let bounds = estimates.iter().map(|estimate| estimate.log.abs() + estimate.reach(crate::LEVEL));
        let log = bounds.reduce(|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) })?;
        log.is_finite().then_some(Self { log })
    }

    /// The band that reaches from exp(−|log|) to exp(|log|).
    pub fn from_log(log: f64) -> Self {
        Self { log: log.abs() }
    }

    /// The lower bound of the ratio.
    pub fn low(&self) -> f64 {
        (-self.log).exp()
    }

    /// The upper bound of the ratio.
    pub fn high(&self) -> f64 {
        self.log.exp()
    }

    /// Whether `ratio` lies in the band, bounds included.
    pub fn contains(&self, ratio: f64) -> bool {
        self.low() <= ratio && ratio <= self.high()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(log: f64, standard_error: f64) -> RatioEstimate {
        RatioEstimate { log, standard_error, degrees_of_freedom: 9.0, within_share: 0.5 }
    }

    fn check(estimates: &[RatioEstimate], expect: Option<f64>) {
        let got = Band::of(estimates).map(|band| band.log);
        let alike = got.zip(expect).map_or(got == expect, |(got, expect)| (got - expect).abs() < 1e-6);
        assert!(alike, "{estimates:?}: {got:?}");
    }

    #[test]
    fn the_band_reaches_to_the_farthest_bound() {
        check(&[], None);
        check(&[estimate(0.0, 0.0)], Some(0.0));
        check(&[estimate(0.001, 0.001)], Some(0.001 + 0.002_262_157));
        check(&[estimate(0.001, 0.001), estimate(-0.01, 0.0)], Some(0.01));
        check(&[estimate(0.001, f64::NAN), estimate(0.0, 0.0)], None);
        check(&[estimate(0.0, 0.0), estimate(0.001, f64::INFINITY)], None);
    }

    #[test]
    fn the_band_holds_its_bounds_and_one() {
        let band = Band::from_log(-0.02);
        assert_eq!(band, Band { log: 0.02 });
        assert!((band.low() * band.high() - 1.0).abs() < 1e-12);
        assert!(band.contains(1.0) && band.contains(band.low()) && band.contains(band.high()));
        assert!(!band.contains(1.021) && !band.contains(0.979) && !band.contains(f64::NAN));
        assert!(Band::from_log(0.0).contains(1.0) && !Band::from_log(0.0).contains(1.000_001));
    }
}
