//! The ratios of one arm in two runs, whose processes are independent.

use crate::bootstrap::{Spread, spreads};
use crate::paired::within_share;
use crate::pool::Pool;
use crate::{RatioEstimate, Ratios};

/// Estimates the ratios candidate / baseline from the values of each process, per operation and in the order of measurement. Values
/// that are not finite and positive are ignored. `None` where fewer than two processes of a side have values. The pairs and
/// processes of the result are those of the side with fewer.
///
/// Both are ratios of plain pooled statistics. Each side's variance comes from resampling its own processes; the variances add up,
/// with the degrees of freedom of Welch (1947) and Satterthwaite (1946). Nothing cancels here: the differences between processes
/// are part of the interval, which is somewhat too wide for medians where they are much larger than those within a process.
pub fn unpaired_ratios(baseline: &[Vec<f64>], candidate: &[Vec<f64>], seed: u64) -> Option<Ratios> {
    let (baseline, candidate) = (Pool::of_values(baseline)?, Pool::of_values(candidate)?);
    let below = spreads(&baseline, seed, 0);
    let above = spreads(&candidate, seed, 1);
    Some(Ratios {
        medians: estimate(below.0, above.0),
        means: estimate(below.1, above.1),
        pairs: baseline.len().min(candidate.len()) as u64,
        processes: baseline.processes().len().min(candidate.processes().len()) as u32,
    })
}

fn estimate(below: Spread, above: Spread) -> RatioEstimate {
    let variance = below.variance + above.variance;
    RatioEstimate {
        log: above.log - below.log,
        standard_error: variance.sqrt(),
        degrees_of_freedom: degrees_of_freedom(below, above),
        within_share: within_share(below.within + above.within, variance),
    }
}

/// (V₁ + V₂)² / (V₁²/f₁ + V₂²/f₂); the smaller of f₁ and f₂ where both variances are 0.
fn degrees_of_freedom(below: Spread, above: Spread) -> f64 {
    let variance = below.variance + above.variance;
    if variance == 0.0 {
        return below.degrees_of_freedom.min(above.degrees_of_freedom);
    }
    // As shares, because the square of a tiny variance may round to 0.
    let part = |spread: Spread| (spread.variance / variance).powi(2) / spread.degrees_of_freedom;
    1.0 / (part(below) + part(above))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(below: (f64, f64), above: (f64, f64), expect: f64) {
        let spread = |(variance, degrees_of_freedom)| Spread { log: 0.0, variance, degrees_of_freedom, within: 0.0 };
        let got = degrees_of_freedom(spread(below), spread(above));
        assert!((got / expect - 1.0).abs() < 1e-9, "{below:?} and {above:?}: {got}");
    }

    #[test]
    fn degrees_of_freedom_lie_between_those_of_one_side_and_of_both() {
        check((1.0, 9.0), (1.0, 9.0), 18.0);
        check((1.0, 9.0), (0.0, 3.0), 9.0);
        check((1.0, 4.0), (3.0, 9.0), 16.0 / (1.0 / 4.0 + 1.0));
        check((0.0, 9.0), (0.0, 3.0), 3.0);
        check((1e-200, 9.0), (1e-200, 9.0), 18.0);
    }

    fn run(level: f64, step: u32) -> Vec<Vec<f64>> {
        let value = |p: u32, i: u32| level * (1.0 + f64::from((p * 13) % 7) / 100.0 + f64::from(i * step % 17) / 200.0);
        (0..6).map(|p| (0..60).map(|i| value(p, i)).collect()).collect()
    }

    #[test]
    fn swapping_runs_inverts_the_ratio_and_scaling_shifts_it() {
        let (first, second) = (run(1.0, 5), run(1.5, 7));
        let ratios = unpaired_ratios(&first, &second, 1).unwrap();
        let swapped = unpaired_ratios(&second, &first, 1).unwrap();
        let doubled: Vec<Vec<f64>> = second.iter().map(|process| process.iter().map(|x| 2.0 * x).collect()).collect();
        let scaled = unpaired_ratios(&first, &doubled, 1).unwrap();
        for (it, swapped, scaled) in
            [(ratios.medians, swapped.medians, scaled.medians), (ratios.means, swapped.means, scaled.means)]
        {
            assert_eq!(it.log, -swapped.log);
            assert!((it.standard_error / swapped.standard_error - 1.0).abs() < 0.1, "only the draws differ");
            assert!((scaled.log - it.log - 2f64.ln()).abs() < 1e-12);
            assert!((scaled.standard_error - it.standard_error).abs() < 1e-12);
            assert!(it.interval(0.95).low < 1.5 && 1.5 < it.interval(0.95).high);
        }
        assert_eq!((ratios.pairs, ratios.processes), (360, 6));
    }

    #[test]
    fn counts_are_those_of_the_smaller_side() {
        let (first, second) = (run(1.0, 5), run(1.0, 7));
        let ratios = unpaired_ratios(&first, &second[..3], 1).unwrap();
        assert_eq!((ratios.pairs, ratios.processes), (180, 3));
        assert_eq!(unpaired_ratios(&first, &second[..1], 1), None);
        assert_eq!(unpaired_ratios(&[vec![], vec![1.0]], &second, 1), None);
    }
}
