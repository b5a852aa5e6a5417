//! The modes of a distribution: values that samples gather around. A median between two modes is a value that hardly occurs.

use crate::Distribution;

/// One mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// The median of its samples.
    pub centre: f64,
    /// Its share of all samples.
    pub share: f64,
}

/// In fewer samples, modes are not distinguished.
const SAMPLES_MIN: u64 = 200;

/// A mode has at least this share of the samples. Fewer are a tail.
const SHARE_MIN: f64 = 0.1;

/// Between two modes, the density is at most this share of that of the smaller one.
const VALLEY_MAX: f64 = 0.4;

/// The narrowest bin, on the log scale: two per cent.
const BIN_MIN: f64 = 0.02;

/// In fewer bins, two peaks and the valley between them cannot be distinguished from the steps of the clock.
const BINS_MIN: usize = 8;

/// More bins than the widest distribution needs.
const BINS_MAX: usize = 2_000;

/// The weights with which neighbouring bins are averaged.
const KERNEL: [f64; 5] = [1.0, 2.0, 3.0, 2.0, 1.0];

/// The modes of `distribution`, in ascending order; one alone, or none, says nothing. Works on logarithms, so values of 0 are left out.
///
/// The density is a histogram with bins by the rule of Silverman (1986), at least as wide as the resolution of the samples allows, averaged over
/// neighbouring bins. Peaks that no deep valley separates are one mode.
pub fn modes(distribution: &Distribution) -> Vec<Mode> {
    let points: Vec<(f64, u64)> =
        distribution.points().filter(|(value, _)| *value > 0.0).map(|(value, count)| (value.ln(), count)).collect();
    let count: u64 = points.iter().map(|(_, count)| count).sum();
    if count < SAMPLES_MIN {
        return Vec::new();
    }
    let logs = Distribution::new(points.iter().copied());
    let at = |q: f64| logs.quantile(q).unwrap_or_default();
    let (low, high) = (at(0.001), at(0.995));
    let width = bin_width(&logs, count).max((high - low) / BINS_MAX as f64);
    let bins = ((high - low) / width).floor() as usize + 1;
    if bins < BINS_MIN {
        return split(&logs, count, &[]);
    }
    let mut density = vec![0.0; bins];
    for (log, count) in points.iter().filter(|(log, _)| (low..=high).contains(log)) {
        density[(((log - low) / width) as usize).min(bins - 1)] += *count as f64;
    }
    let density = smoothed(&density);
    let bounds: Vec<f64> = valleys(&density).into_iter().map(|bin| low + (bin as f64 + 0.5) * width).collect();
    split(&logs, count, &bounds)
}

/// The bin width on the log scale. Silverman's factor is 0.9; it smooths modes away that are as far apart as the distribution is wide.
fn bin_width(logs: &Distribution, count: u64) -> f64 {
    let at = |q: f64| logs.quantile(q).unwrap_or_default();
    let spread = (at(0.75) - at(0.25)) / 1.34;
    let width = 0.4 * spread * (count as f64).powf(-0.2);
    // A clock of a nanosecond makes gaps in short times; bins must be wider than those.
    let (low, high) = (at(0.02), at(0.98));
    let mut values: Vec<f64> = logs.points().map(|(log, _)| log).collect();
    values.dedup();
    let gaps: Vec<f64> =
        values.windows(2).filter(|pair| pair[1] > low && pair[0] < high).map(|pair| pair[1] - pair[0]).collect();
    let resolution = if gaps.len() < 50 { gaps.iter().copied().fold(0.0, f64::max) } else { 0.0 };
    width.max(2.5 * resolution).max(BIN_MIN)
}

fn smoothed(density: &[f64]) -> Vec<f64> {
    let reach = KERNEL.len() / 2;
    let at = |bin: usize| {
        let near = (0..KERNEL.len())
            .filter_map(|offset| Some((density.get((bin + offset).checked_sub(reach)?)?, KERNEL[offset])));
        near.map(|(value, weight)| value * weight).sum()
    };
    (0..density.len()).map(at).collect()
}

/// The lowest bin between each two peaks that are modes of their own.
fn valleys(density: &[f64]) -> Vec<usize> {
    let mut valleys = Vec::new();
    // The highest bin since the last valley, and the lowest bin since that.
    let (mut peak, mut lowest) = (0, 0);
    for bin in 0..density.len() {
        if density[bin] > density[peak] && lowest == peak {
            (peak, lowest) = (bin, bin);
        } else if density[bin] < density[lowest] {
            lowest = bin;
        } else if lowest != peak
            && density[lowest] <= VALLEY_MAX * density[peak].min(density[bin])
            && density[bin] > 0.0
        {
            valleys.push(lowest);
            (peak, lowest) = (bin, bin);
        } else if density[bin] > density[peak] {
            (peak, lowest) = (bin, bin);
        }
    }
    valleys
}

/// The modes between `bounds`; a part with too few samples is a tail of the part before or after it, and is not a mode.
fn split(logs: &Distribution, count: u64, bounds: &[f64]) -> Vec<Mode> {
    let mut modes = Vec::new();
    let mut low = f64::NEG_INFINITY;
    for high in bounds.iter().copied().chain([f64::INFINITY]) {
        let part = Distribution::new(logs.points().filter(|(log, _)| (low..high).contains(log)));
        let share = part.count() as f64 / count as f64;
        if let Some(centre) = part.quantile(0.5).filter(|_| share >= SHARE_MIN) {
            modes.push(Mode { centre: centre.exp(), share });
        }
        low = high;
    }
    modes
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{Rng, SeedableRng};

    /// Log-normal samples around each centre: `(centre, spread, how many)`.
    fn samples(parts: &[(f64, f64, usize)]) -> Distribution {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut uniform = move || (f64::from(random.next_u32()) + 0.5) / 2f64.powi(32);
        let mut all = Vec::new();
        for (centre, spread, count) in parts {
            for _ in 0..*count {
                let normal = (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
                all.push((centre * (spread * normal).exp()).round());
            }
        }
        Distribution::of_samples(all)
    }

    #[track_caller]
    fn check(parts: &[(f64, f64, usize)], expect: usize) -> Vec<Mode> {
        let found = modes(&samples(parts));
        assert_eq!(found.len(), expect, "{parts:?}: {found:?}");
        found
    }

    #[test]
    fn two_modes_are_named_with_their_shares() {
        let found = check(&[(380_000.0, 0.03, 700), (520_000.0, 0.03, 300)], 2);
        assert!(
            (found[0].centre / 380_000.0 - 1.0).abs() < 0.02 && (found[1].centre / 520_000.0 - 1.0).abs() < 0.02,
            "{found:?}"
        );
        assert!((found[0].share - 0.7).abs() < 0.02, "{found:?}");
        check(&[(1e5, 0.02, 500), (2e5, 0.02, 500), (4e5, 0.02, 500)], 3);
    }

    #[test]
    fn one_mode_is_one_whatever_its_width() {
        for spread in [0.001, 0.01, 0.05, 0.2, 0.5, 1.0] {
            for count in [200, 2_000, 20_000] {
                check(&[(1e6, spread, count)], 1);
            }
        }
    }

    #[test]
    fn whole_nanoseconds_of_short_times_are_no_modes() {
        for centre in [12.0, 20.0, 31.0, 55.0] {
            check(&[(centre, 0.05, 5_000)], 1);
        }
    }

    #[test]
    fn tail_and_few_samples_are_no_modes() {
        check(&[(1e6, 0.02, 1_000), (3e6, 0.1, 50)], 1);
        check(&[(1e6, 0.02, 90), (3e6, 0.02, 90)], 0);
        assert!(modes(&Distribution::of_samples([0.0; 500])).is_empty());
        assert_eq!(modes(&Distribution::of_samples([7.0; 500])).len(), 1);
    }
}
