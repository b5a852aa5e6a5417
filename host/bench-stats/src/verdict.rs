//! Verdicts: whether a ratio differs from 1, is equivalent to 1, or neither can be said yet.

use crate::interval::upper_quantile;
use crate::{Band, LEVEL, Look, PROCESSES_MIN, RatioEstimate, holm, levels};

/// A ratio to be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The ratio.
    pub estimate: RatioEstimate,
    /// The noise floor, where an arm was compared with itself.
    pub band: Option<Band>,
    /// The number of pairs behind the estimate.
    pub pairs: u64,
    /// The number of processes behind the estimate.
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
        /// About how many more pairs would decide it, if they are spread over processes as before; at least 1.
        more_pairs: u64,
    },
    /// There are fewer than [`PROCESSES_MIN`] processes, no estimate of the spread, or no noise floor.
    Withheld,
}

/// The verdicts of `claims`, in their order, with the margin `delta` (0.02 is two per cent).
///
/// A claim is equivalent where two one-sided tests place it within the margin. Otherwise it is different where a two-sided test rejects
/// 1 and the estimate is outside the noise floor. The p values of both kinds of test are adjusted by [`holm()`] over all claims
/// that are judged, so that the probability of any false verdict of a kind in the table is at most 5 %.
pub fn judge(claims: &[Claim], delta: f64) -> Vec<Verdict> {
    let judged: Vec<&Claim> = claims.iter().filter(|claim| claim.can_be_judged()).collect();
    let equivalent = Family::adjust(judged.iter().map(|claim| claim.estimate.p_equivalent(delta)));
    let different = Family::adjust(judged.iter().map(|claim| claim.estimate.p_different()));
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

/// The significance levels at a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LookLevels {
    /// Of the two one-sided tests of equivalence.
    equivalent: f64,
    /// Of the two-sided test of a difference.
    different: f64,
}

impl LookLevels {
    /// The levels at the last of `looks`, for one of `claims` claims.
    ///
    /// The error rate of the whole table is shared evenly among its claims (Bonferroni), and that of a claim among its looks by
    /// [`levels()`]. A verdict can be false in one way only: either the ratio is 1 and *different* is false, or it is at a margin and
    /// *equivalent* is. So the probability of any false verdict in the table is at most 5 %.
    pub fn at_last(looks: &[Look], claims: usize) -> Self {
        let alpha = (1.0 - LEVEL) / claims.max(1) as f64;
        let last = |alpha: f64| levels(looks, alpha).last().copied().unwrap_or_default();
        Self { equivalent: last(alpha), different: 2.0 * last(alpha / 2.0) }
    }

    /// The level of the interval that holds at every look (Jennison and Turnbull 1989) and in all claims together.
    pub fn of_interval(&self) -> f64 {
        1.0 - self.different
    }
}

/// The verdict on a claim at a look. A claim that was decided at a look must not be judged at a later one.
pub fn judge_look(claim: &Claim, delta: f64, levels: &LookLevels) -> Verdict {
    if !claim.can_be_judged() {
        Verdict::Withheld
    } else if claim.estimate.p_equivalent(delta) <= levels.equivalent {
        Verdict::Equivalent
    } else if claim.estimate.p_different() <= levels.different && !claim.is_covered() {
        Verdict::Different
    } else {
        let family = |level_next: f64| Family { rejected: Vec::new(), level_next };
        let more_pairs = claim.more_pairs(delta, &family(levels.equivalent), &family(levels.different));
        Verdict::Undecided { more_pairs }
    }
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

    /// How many more pairs would make the claim equivalent or different, whichever needs fewer. Assumes that the estimate does
    /// not change, and that its standard error and the noise floor shrink with the square root of the pairs.
    fn more_pairs(&self, delta: f64, equivalent: &Family, different: &Family) -> u64 {
        let RatioEstimate { log, standard_error, degrees_of_freedom, .. } = self.estimate;
        let distance = log.abs();
        // The factor by which the standard error must shrink so that t of it fit into `room`; 0 where there is no room.
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

/// One kind of test over all claims.
struct Family {
    /// Which null hypotheses are rejected.
    rejected: Vec<bool>,
    /// The p value at which one more would be rejected: Holm's method divides the level by those not rejected yet.
    level_next: f64,
}

impl Family {
    fn adjust(p: impl Iterator<Item = f64>) -> Self {
        let p: Vec<f64> = p.collect();
        let rejected: Vec<bool> = holm(&p).iter().map(|adjusted| *adjusted <= 1.0 - LEVEL).collect();
        let left = rejected.iter().filter(|rejected| !**rejected).count().max(1);
        Self { rejected, level_next: (1.0 - LEVEL) / left as f64 }
    }
}

/// Rounds up to a whole number of two significant digits, at least 1.
fn round_up(value: f64) -> u64 {
    // NaN comes from 0 pairs times an infinite factor.
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
    fn single_claim_is_equivalent_different_or_undecided() {
        check(claim(0.0, 0.0, 0.0), Verdict::Equivalent);
        check(claim(0.0, 0.005, 0.01), Verdict::Equivalent);
        check(claim(0.5, 0.01, 0.01), Verdict::Different);
        check(claim(-0.5, 0.01, 0.01), Verdict::Different);
        check(claim(0.03, 0.0, 0.01), Verdict::Different);
        // A significant difference within the margin is still equivalence.
        check(claim(0.005, 0.001, 0.001), Verdict::Equivalent);
    }

    #[test]
    fn verdict_is_withheld_without_processes_standard_error_or_noise_floor() {
        check(Claim { processes: PROCESSES_MIN - 1, ..claim(0.5, 0.01, 0.01) }, Verdict::Withheld);
        check(Claim { processes: PROCESSES_MIN, ..claim(0.5, 0.01, 0.01) }, Verdict::Different);
        check(Claim { band: None, ..claim(0.5, 0.01, 0.01) }, Verdict::Withheld);
        check(claim(0.5, f64::NAN, 0.01), Verdict::Withheld);
        check(claim(0.5, f64::INFINITY, 0.01), Verdict::Withheld);
        check(claim(f64::NAN, 0.01, 0.01), Verdict::Withheld);
        assert_eq!(judge(&[], DELTA), []);
    }

    #[test]
    fn verdicts_keep_the_order_of_claims() {
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
        // A withheld claim does not count as a test.
        let withheld = Claim { band: None, ..weak };
        assert_eq!(judge(&[weak, withheld, withheld], DELTA)[0], Verdict::Different);
    }

    #[test]
    fn more_pairs_follow_from_the_nearer_verdict() {
        // Equivalence: the margin 0.0198 must hold 1.8331 standard errors, so 0.0108; 1000·((0.02/0.0108)² − 1) = 2428.
        check(claim(0.0, 0.02, 0.01), Verdict::Undecided { more_pairs: 2_500 });
        // Half the standard error needs four times the pairs, three times as many more.
        check(claim(0.0, 1.999_9 * 0.02f64.ln_1p() / 1.833_113, 0.01), Verdict::Undecided { more_pairs: 3_000 });
        // Difference: 0.1 must hold 2.2622 standard errors, so 0.0442; 1000·((0.06/0.0442)² − 1) = 842.
        check(claim(0.1, 0.06, 0.01), Verdict::Undecided { more_pairs: 850 });
        // Noise floor: it must shrink to 0.05/0.06 of itself; 1000·(1.44 − 1).
        check(claim(0.05, 0.01, 0.06), Verdict::Undecided { more_pairs: 440 });
        check(claim(0.05, 0.0, 0.06), Verdict::Undecided { more_pairs: 440 });
        // On the margin itself and within the noise floor, no number of pairs is enough.
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
        /// With the pairs asked for, and a thousandth more for rounding, the claim is decided.
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

        /// No input overflows.
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
