//! What may be claimed of ratios: that they differ from 1, that they do not, or neither yet. Knows estimates and noise
//! floors, not what was compared nor how it is told.

use crate::interval::upper_quantile;
use crate::{Band, LEVEL, PROCESSES_MIN, RatioEstimate, holm};

/// A ratio that a verdict is wanted of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The ratio.
    pub estimate: RatioEstimate,
    /// The noise floor, where an arm was compared with itself.
    pub band: Option<Band>,
    /// How many pairs the estimate rests on.
    pub pairs: u64,
    /// How many processes the estimate rests on.
    pub processes: u32,
}

/// What may be claimed of a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The ratio is not 1, and the estimate lies outside the noise floor.
    Different,
    /// The ratio lies within the margin of 1.
    Equivalent,
    /// Neither can be said yet.
    Undecided {
        /// About how many more pairs would decide it if they spread over processes as the others do; at least 1.
        more_pairs: u64,
    },
    /// There are fewer than [`PROCESSES_MIN`] processes, no estimate of the spread, or no noise floor.
    Withheld,
}

/// The verdicts of `claims`, in their order, with the margin `delta` (0.02 is two per cent).
///
/// Equivalent is what two one-sided tests place within the margin; else different is what a two-sided test tells from 1 and
/// the noise floor does not cover. The p values of each of the two families of tests are adjusted by [`holm()`] for all claims
/// that are judged at all, so that of each kind the chance of any wrong verdict in the table is at most 5 %.
pub fn judge(claims: &[Claim], delta: f64) -> Vec<Verdict> {
    let judged: Vec<&Claim> = claims.iter().filter(|claim| claim.can_be_judged()).collect();
    let equivalent = Family::of(judged.iter().map(|claim| claim.estimate.p_equivalent(delta)));
    let different = Family::of(judged.iter().map(|claim| claim.estimate.p_different()));
    let mut verdicts = (0..judged.len()).map(|at| {
        if equivalent.rejected[at] {
            Verdict::Equivalent
        } else if different.rejected[at] && !judged[at].is_covered() {
            Verdict::Different
        } else {
            Verdict::Undecided { more_pairs: judged[at].more_pairs(delta, &equivalent, &different) }
        }
    });
    claims
        .iter()
        .map(|claim| claim.can_be_judged().then(|| verdicts.next()).flatten().unwrap_or(Verdict::Withheld))
        .collect()
}

impl Claim {
    fn can_be_judged(&self) -> bool {
        let RatioEstimate { log, standard_error, degrees_of_freedom, .. } = self.estimate;
        let known = log.is_finite() && standard_error.is_finite() && degrees_of_freedom > 0.0;
        known && self.processes >= PROCESSES_MIN && self.band.is_some()
    }

    /// Whether the noise floor covers the estimate.
    fn is_covered(&self) -> bool {
        self.band.is_none_or(|band| band.contains(self.estimate.ratio()))
    }

    /// How many more pairs would make the claim equivalent or different, whichever takes fewer, if the estimate stays where
    /// it is, while its standard error and the noise floor shrink with the root of the pairs.
    fn more_pairs(&self, delta: f64, equivalent: &Family, different: &Family) -> u64 {
        let RatioEstimate { log, standard_error, degrees_of_freedom, .. } = self.estimate;
        let distance = log.abs();
        // To what share of itself the standard error has to shrink to fit t times into the room; 0 where there is none.
        let share = |room: f64, tail: f64| {
            if room > 0.0 { room / (upper_quantile(tail, degrees_of_freedom) * standard_error) } else { 0.0 }
        };
        let margin = share(delta.ln_1p() - distance, equivalent.level_next);
        let one = share(distance, different.level_next / 2.0);
        let floor = if self.is_covered() { self.band.map_or(0.0, |band| distance / band.log) } else { 1.0 };
        let needed = margin.max(one.min(floor)).min(1.0);
        round_up(self.pairs as f64 * (1.0 / (needed * needed) - 1.0))
    }
}

/// One kind of test of all claims.
struct Family {
    /// Which claims hold.
    rejected: Vec<bool>,
    /// How small the p value of one claim more must be to hold: Holm's method divides the level by those that do not yet.
    level_next: f64,
}

impl Family {
    fn of(p: impl Iterator<Item = f64>) -> Self {
        let p: Vec<f64> = p.collect();
        let rejected: Vec<bool> = holm(&p).iter().map(|adjusted| *adjusted <= 1.0 - LEVEL).collect();
        let left = rejected.iter().filter(|rejected| !**rejected).count().max(1);
        Self { rejected, level_next: (1.0 - LEVEL) / left as f64 }
    }
}

/// Upwards to a whole number of two significant digits, at least 1 and at most what fits.
fn round_up(value: f64) -> u64 {
    // Where the effort is not a number, it is 0 pairs times infinitely many.
    if value.is_nan() || value >= u64::MAX as f64 {
        return u64::MAX;
    }
    let whole = value.ceil().max(1.0);
    let unit = 10f64.powf((whole.log10().floor() - 1.0).max(0.0));
    ((whole / unit).ceil() * unit) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DELTA;
    use proptest::num;
    use proptest::prelude::*;

    fn claim(log: f64, standard_error: f64, band: f64) -> Claim {
        let estimate = RatioEstimate { log, standard_error, degrees_of_freedom: 9.0, within_share: 0.5 };
        Claim { estimate, band: Some(Band::from_log(band)), pairs: 1_000, processes: 10 }
    }

    fn check(claim: Claim, expect: Verdict) {
        assert_eq!(judge(&[claim], DELTA), [expect], "{claim:?}");
    }

    #[test]
    fn a_single_claim_is_equivalent_different_or_neither() {
        check(claim(0.0, 0.0, 0.0), Verdict::Equivalent);
        check(claim(0.0, 0.005, 0.01), Verdict::Equivalent);
        check(claim(0.5, 0.01, 0.01), Verdict::Different);
        check(claim(-0.5, 0.01, 0.01), Verdict::Different);
        check(claim(0.03, 0.0, 0.01), Verdict::Different);
        // That a difference is certain does not make it matter.
        check(claim(0.005, 0.001, 0.001), Verdict::Equivalent);
    }

    #[test]
    fn nothing_is_said_without_processes_a_spread_or_a_noise_floor() {
        check(Claim { processes: PROCESSES_MIN - 1, ..claim(0.5, 0.01, 0.01) }, Verdict::Withheld);
        check(Claim { processes: PROCESSES_MIN, ..claim(0.5, 0.01, 0.01) }, Verdict::Different);
        check(Claim { band: None, ..claim(0.5, 0.01, 0.01) }, Verdict::Withheld);
        check(claim(0.5, f64::NAN, 0.01), Verdict::Withheld);
        check(claim(0.5, f64::INFINITY, 0.01), Verdict::Withheld);
        check(claim(f64::NAN, 0.01, 0.01), Verdict::Withheld);
        assert_eq!(judge(&[], DELTA), []);
    }

    #[test]
    fn a_verdict_stays_with_its_claim() {
        let withheld = Claim { band: None, ..claim(0.5, 0.01, 0.01) };
        assert_eq!(
            judge(&[claim(0.5, 0.01, 0.01), withheld, claim(0.0, 0.001, 0.01)], DELTA),
            [Verdict::Different, Verdict::Withheld, Verdict::Equivalent]
        );
    }

    #[test]
    fn many_claims_need_stronger_evidence() {
        // t = 2.5 with nine degrees of freedom: p = 0.034.
        let weak = claim(0.1, 0.04, 0.01);
        check(weak, Verdict::Different);
        assert!(judge(&[weak; 3], DELTA).iter().all(|verdict| matches!(verdict, Verdict::Undecided { .. })));
        // One that is withheld is not a test, and takes nothing from the others.
        let withheld = Claim { band: None, ..weak };
        assert_eq!(judge(&[weak, withheld, withheld], DELTA)[0], Verdict::Different);
    }

    #[test]
    fn what_is_missing_follows_from_the_nearer_verdict() {
        // Equivalence: the margin 0.0198 must hold 1.8331 standard errors, so 0.0108; 1000·((0.02/0.0108)² − 1) = 2428.
        check(claim(0.0, 0.02, 0.01), Verdict::Undecided { more_pairs: 2_500 });
        // What lacks a factor of two in the standard error lacks three times the pairs.
        check(claim(0.0, 1.999_9 * 0.02f64.ln_1p() / 1.833_113, 0.01), Verdict::Undecided { more_pairs: 3_000 });
        // Difference: 0.1 must hold 2.2622 standard errors, so 0.0442; 1000·((0.06/0.0442)² − 1) = 842.
        check(claim(0.1, 0.06, 0.01), Verdict::Undecided { more_pairs: 850 });
        // Noise floor: it must shrink to 0.05/0.06 of itself; 1000·(1.44 − 1).
        check(claim(0.05, 0.01, 0.06), Verdict::Undecided { more_pairs: 440 });
        check(claim(0.05, 0.0, 0.06), Verdict::Undecided { more_pairs: 440 });
        // On the margin itself with a floor that never lets go, no number is enough.
        check(
            Claim { pairs: u64::MAX, ..claim(0.02f64.ln_1p(), 1.0, 1.0) },
            Verdict::Undecided { more_pairs: u64::MAX },
        );
    }

    #[test]
    fn more_pairs_are_rounded_up_to_two_digits() {
        for (value, expect) in [
            (0.0, 1),
            (-5.0, 1),
            (1.0, 1),
            (1.1, 2),
            (9.5, 10),
            (99.0, 99),
            (100.0, 100),
            (101.0, 110),
            (2_428.0, 2_500),
            (123_456.0, 130_000),
            (1e30, u64::MAX),
            (f64::INFINITY, u64::MAX),
            (f64::NAN, u64::MAX),
        ] {
            assert_eq!(round_up(value), expect, "{value}");
        }
    }

    proptest! {
        /// With what is asked for, and one part in a thousand for what rounding takes, the claim is decided.
        #[test]
        fn more_pairs_decide(log in -0.1f64..0.1, standard_error in 0.0f64..0.1, band in 0.0f64..0.1) {
            let claim = claim(log, standard_error, band);
            if let [Verdict::Undecided { more_pairs }] = judge(&[claim], DELTA)[..] {
                let shrink = (claim.pairs as f64 / (claim.pairs as f64 + 1.001 * more_pairs as f64)).sqrt();
                let mut later = claim;
                later.estimate.standard_error *= shrink;
                later.band = Some(Band::from_log(band * shrink));
                let verdict = judge(&[later], DELTA)[0];
                prop_assert!(matches!(verdict, Verdict::Different | Verdict::Equivalent), "{:?} after {}", verdict, more_pairs);
            }
        }

        /// Nothing overflows, whatever comes in.
        #[test]
        fn any_figures_have_a_verdict(
            log in num::f64::ANY, standard_error in num::f64::ANY, degrees in num::f64::ANY, band in num::f64::ANY,
            pairs: u64, delta in num::f64::ANY, processes in 0u32..10,
        ) {
            let estimate = RatioEstimate { log, standard_error, degrees_of_freedom: degrees, within_share: 0.0 };
            let claim = Claim { estimate, band: Some(Band { log: band }), pairs, processes };
            prop_assert_eq!(judge(&[claim; 3], delta).len(), 3);
        }
    }
}
