//! The ratios of two arms that were measured interleaved in the same processes.

use crate::bootstrap::{Spread, spreads};
use crate::pool::Pool;
use crate::{RatioEstimate, Ratios};

/// Estimates the ratios candidate / baseline from the pairs `(baseline, candidate)` of each process, per operation and in the order of
/// measurement. Pairs that are not finite and positive are ignored. `None` where fewer than two processes have pairs.
///
/// Both are ratios of pooled statistics: of means, and of medians. For the medians, each value is first divided by the level of its
/// process (the geometric mean of its two medians), so that processes whose levels differ all count; where levels do not differ,
/// this is the ratio of the plain medians. The standard errors come from resampling whole processes with their pairs, so a
/// disturbance of both arms of a pair cancels. The degrees of freedom are one less than the processes, and fewer where those
/// differ in size. The interval is Student's with a bootstrap standard error, on the log scale (Efron and Tibshirani 1993, ch.
/// 12; Hesterberg 2015). The same seed gives the same figures.
pub fn paired_ratios(processes: &[Vec<(f64, f64)>], seed: u64) -> Option<Ratios> {
    let pool = Pool::of_pairs(processes)?;
    let (medians, means) = spreads(&pool, seed, 0);
    Some(Ratios {
        medians: estimate(medians),
        means: estimate(means),
        pairs: pool.len() as u64,
        processes: pool.processes().len() as u32,
    })
}

fn estimate(spread: Spread) -> RatioEstimate {
    RatioEstimate {
        log: spread.log,
        standard_error: spread.variance.sqrt(),
        degrees_of_freedom: spread.degrees_of_freedom,
        within_share: within_share(spread.within, spread.variance),
    }
}

/// The share of `variance` that is within processes; 0 where there is no variance.
pub(crate) fn within_share(within: f64, variance: f64) -> f64 {
    if variance > 0.0 { (within / variance).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Processes = Vec<Vec<(f64, f64)>>;

    fn median(values: impl Iterator<Item = f64>) -> f64 {
        crate::Distribution::of_samples(values).quantile(0.5).unwrap()
    }

    /// Changes the pairs with `change`, and expects that the ratios change as `expect` says.
    fn check(
        processes: &Processes,
        change: impl Fn((f64, f64)) -> (f64, f64),
        expect: impl Fn(RatioEstimate) -> RatioEstimate,
    ) -> Result<(), TestCaseError> {
        let before = paired_ratios(processes, 3).unwrap();
        let changed: Processes =
            processes.iter().map(|process| process.iter().map(|pair| change(*pair)).collect()).collect();
        let after = paired_ratios(&changed, 3).unwrap();
        for (before, after) in [(before.medians, after.medians), (before.means, after.means)] {
            let expect = expect(before);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            let alike = near(after.log, expect.log)
                && near(after.standard_error, expect.standard_error)
                && near(after.degrees_of_freedom, expect.degrees_of_freedom)
                && near(after.within_share, expect.within_share);
            prop_assert!(alike, "{:?} is not {:?}", after, expect);
        }
        Ok(())
    }

    /// Integers, so that scaling by a power of two does not round and no tie is broken.
    fn processes() -> impl Strategy<Value = Processes> {
        let pair = (100u32..200, 100u32..200).prop_map(|(a, b)| (f64::from(a), f64::from(b)));
        proptest::collection::vec(proptest::collection::vec(pair, 1..30), 2..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn scaling_the_candidate_scales_the_ratio(processes in processes(), power in -3i32..4) {
            let log = f64::from(power) * std::f64::consts::LN_2;
            check(&processes, |(a, b)| (a, b * 2f64.powi(power)), |it| RatioEstimate { log: it.log + log, ..it })?;
        }

        #[test]
        fn swapping_the_arms_inverts_the_ratio(processes in processes()) {
            check(&processes, |(a, b)| (b, a), |it| RatioEstimate { log: -it.log, ..it })?;
        }

        /// Every process has the same values in an order of its own, so that the levels of processes are equal.
        #[test]
        fn ratio_of_equal_levels_is_that_of_the_plain_medians(
            baseline in proptest::collection::vec(100u32..1_000, 1..30),
            times in 0.2..5.0,
            spread in 0.0..1.0,
            turns in proptest::collection::vec(0usize..30, 2..6),
        ) {
            // The candidate's values are in the opposite order, so that pairs tell nothing of the ratio of medians.
            let candidate: Vec<f64> = baseline.iter().rev().map(|ns| f64::from(*ns).powf(spread) * times).collect();
            let process = |turn: &usize| {
                let mut pairs: Vec<_> = baseline.iter().map(|ns| f64::from(*ns)).zip(candidate.iter().copied()).collect();
                pairs.rotate_left(turn % baseline.len());
                pairs
            };
            let processes: Processes = turns.iter().map(process).collect();
            let plain = |of: fn(&(f64, f64)) -> f64| median(processes.iter().flatten().map(of));
            let ratio = paired_ratios(&processes, 3).unwrap().medians.ratio();
            let expect = plain(|pair| pair.1) / plain(|pair| pair.0);
            prop_assert!((ratio / expect - 1.0).abs() < 1e-9, "{ratio} is not {expect}");
        }

        /// Whatever the levels are: the pooled ratio lies between the smallest and the largest ratio of medians of one process.
        #[test]
        fn ratio_lies_between_those_of_the_processes(
            processes in processes(),
            levels in proptest::collection::vec(0.1..10.0, 6..7),
        ) {
            // An odd number of pairs, so that a median is one of the values.
            let at_level = |(process, level): (&Vec<(f64, f64)>, &f64)| {
                let odd = process.len() - (process.len() + 1) % 2;
                process[..odd].iter().map(|(a, b)| (a * level, b * level)).collect::<Vec<_>>()
            };
            let processes: Processes = processes.iter().zip(&levels).map(at_level).collect();
            let of_process = |process: &Vec<(f64, f64)>| {
                median(process.iter().map(|pair| pair.1)) / median(process.iter().map(|pair| pair.0))
            };
            let ratio = paired_ratios(&processes, 3).unwrap().medians.ratio();
            let low = processes.iter().map(of_process).fold(f64::INFINITY, f64::min);
            let high = processes.iter().map(of_process).fold(0.0, f64::max);
            prop_assert!(low * (1.0 - 1e-9) <= ratio && ratio <= high * (1.0 + 1e-9), "{ratio} is not in {low}…{high}");
        }

        #[test]
        fn a_common_scale_changes_nothing(processes in processes(), power in -3i32..4) {
            check(&processes, |(a, b)| (a * 2f64.powi(power), b * 2f64.powi(power)), |it| it)?;
        }
    }

    #[test]
    fn arm_compared_with_itself_has_ratio_one() {
        let processes: Processes =
            (0..4).map(|p| (0..50).map(|i| f64::from(100 + p * 7 + i * i % 13)).map(|x| (x, x)).collect()).collect();
        let ratios = paired_ratios(&processes, 1).unwrap();
        for estimate in [ratios.medians, ratios.means] {
            assert_eq!((estimate.log, estimate.standard_error, estimate.within_share), (0.0, 0.0, 0.0));
            assert_eq!(estimate.degrees_of_freedom, 3.0);
        }
        assert_eq!((ratios.pairs, ratios.processes), (200, 4));
    }

    #[test]
    fn constant_values_have_no_standard_error() {
        let ratios = paired_ratios(&vec![vec![(1.0, 1.03); 10]; 3], 1).unwrap();
        for estimate in [ratios.medians, ratios.means] {
            assert!((estimate.ratio() - 1.03).abs() < 1e-12 && estimate.standard_error == 0.0, "{estimate:?}");
        }
    }

    #[test]
    fn one_pair_per_process_yields_an_estimate() {
        let processes: Processes =
            (0..5).map(|p| vec![(1.0 + f64::from(p) / 10.0, 2.0 + f64::from(p) / 4.0)]).collect();
        let ratios = paired_ratios(&processes, 1).unwrap();
        for estimate in [ratios.medians, ratios.means] {
            assert!(estimate.standard_error > 0.0 && estimate.standard_error < 0.1, "{estimate:?}");
            assert_eq!(estimate.within_share, 0.0, "a single pair cannot vary within its process");
        }
    }

    #[test]
    fn unusable_pairs_are_ignored_and_one_process_yields_none() {
        let odd = vec![(f64::NAN, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, f64::INFINITY)];
        assert_eq!(paired_ratios(&[], 1), None);
        assert_eq!(paired_ratios(&[vec![(1.0, 2.0); 9], vec![], odd.clone()], 1), None);
        let ratios = paired_ratios(&[vec![(1.0, 2.0); 9], odd, vec![(1.0, 2.0); 3]], 1).unwrap();
        assert_eq!((ratios.pairs, ratios.processes), (12, 2));
    }

    #[test]
    fn figures_depend_on_the_seed_only() {
        let processes: Processes = (0..4)
            .map(|p| (0..40).map(|i| (f64::from(100 + (i * 7 + p) % 11), f64::from(103 + (i * 5 + p) % 13))).collect())
            .collect();
        assert_eq!(paired_ratios(&processes, 5), paired_ratios(&processes, 5));
        assert_ne!(paired_ratios(&processes, 5), paired_ratios(&processes, 6));
    }

    #[test]
    fn processes_with_different_levels_all_count() {
        // The levels of five processes differ by ten per cent; the candidate takes 0, 1, 2, 3 or 4 per cent more.
        let process = |p: u32| {
            (0..101)
                .map(move |i| {
                    let value = (1.0 + 0.1 * f64::from(p)) * (1.0 + f64::from(i % 11) / 1e4);
                    (value, value * (1.0 + 0.01 * f64::from((p * 2) % 5)))
                })
                .collect()
        };
        let ratio = paired_ratios(&(0..5).map(process).collect::<Processes>(), 1).unwrap().medians.ratio();
        assert!(
            (ratio - 1.02).abs() < 0.002,
            "the middle of the five is 1.02, that of the middle process 1.04: {ratio}"
        );
    }
}
