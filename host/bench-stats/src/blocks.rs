//! The moving-block bootstrap: how long blocks of consecutive samples should be, and how a resample is drawn from them.

use std::ops::Range;

use crate::random::Random;
use crate::series::Resample;

/// A process's samples are resampled in at least this many blocks, or nothing would vary.
const BLOCKS_MIN: usize = 4;

/// The block length of each process.
///
/// Blocks of (√6·ρ/(1 − ρ²))^⅔ · n^⅓ samples estimate the variance of a mean best: this is the rule of Politis and White (2004,
/// corrected with Patton 2009) for a first-order autoregression, where ρ is the lag-1 autocorrelation of the logs within
/// processes. At least n^⅓, because ρ shows only the correlation of direct neighbours.
pub(crate) fn block_lens(logs: &[f64], processes: &[Range<usize>]) -> Vec<usize> {
    let rho = autocorrelation(logs, processes).clamp(0.0, 0.99);
    let stretch = (6.0f64.sqrt() * rho / (1.0 - rho * rho)).powf(2.0 / 3.0).max(1.0);
    let len = |count: usize| {
        let root = (count as f64).cbrt();
        ((root * stretch).ceil() as usize).min(count / BLOCKS_MIN).max(root.ceil() as usize)
    };
    processes.iter().map(|process| len(process.len())).collect()
}

/// The correlation of neighbours within processes; 0 where nothing varies.
fn autocorrelation(logs: &[f64], processes: &[Range<usize>]) -> f64 {
    let (mut neighbours, mut squares) = (0.0, 0.0);
    for range in processes {
        let process = &logs[range.clone()];
        let mean = process.iter().sum::<f64>() / process.len() as f64;
        neighbours += process.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>();
        squares += process.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    }
    if squares > 0.0 { neighbours / squares } else { 0.0 }
}

/// Resamples every process from its own blocks (the moving-block bootstrap: Künsch 1989). The last block of a process is cut
/// so that the process keeps its size.
pub(crate) fn draw_resample(
    processes: &[Range<usize>],
    block_lens: &[usize],
    random: &mut Random,
    resample: &mut Resample,
) {
    let count = processes.last().map_or(0, |range| range.end);
    resample.blocks.clear();
    resample.counts.clear();
    // Marks the begin and end of each block with +1 and −1 (in wrapping arithmetic); the running sum is how many blocks cover
    // a position.
    resample.counts.resize(count + 1, 0);
    for (range, block_len) in processes.iter().zip(block_lens) {
        let mut missing = range.len();
        while missing > 0 {
            let len = missing.min(*block_len);
            let start = range.start + random.below(range.len() - len + 1);
            resample.blocks.push(start as u32..(start + len) as u32);
            resample.counts[start] = resample.counts[start].wrapping_add(1);
            resample.counts[start + len] = resample.counts[start + len].wrapping_sub(1);
            missing -= len;
        }
    }
    let mut covering = 0u32;
    for count in &mut resample.counts {
        covering = covering.wrapping_add(*count);
        *count = covering;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(processes: &[&[f64]], expect: &[usize]) {
        let mut ranges = vec![];
        let mut start = 0;
        for process in processes {
            ranges.push(start..start + process.len());
            start += process.len();
        }
        assert_eq!(block_lens(&processes.concat(), &ranges), expect);
    }

    /// A slow wave: neighbours are similar.
    fn waves(count: usize) -> Vec<f64> {
        (0..count).map(|at| (at as f64 / 100.0).sin()).collect()
    }

    #[test]
    fn block_length_grows_with_autocorrelation() {
        let alternating: Vec<f64> = (0..1_000).map(|at| f64::from(at % 2)).collect();
        check(&[&alternating, &alternating[..8]], &[10, 2]);
        check(&[&waves(400)], &[100]);
        check(&[&[1.0], &[1.0, 2.0]], &[1, 2]);
        check(&[&[5.0; 27]], &[3]);
    }

    proptest! {
        #[test]
        fn resample_keeps_the_size_of_every_process(
            sizes in proptest::collection::vec(1usize..60, 1..6), len in 1usize..20, seed: u64,
        ) {
            let mut processes = vec![];
            for size in sizes {
                let start = processes.last().map_or(0, |range: &Range<usize>| range.end);
                processes.push(start..start + size);
            }
            let lens: Vec<usize> = processes.iter().map(|range| len.min(range.len())).collect();
            let mut resample = Resample::default();
            // Twice, because the buffers are reused.
            let mut random = Random::new(seed, 0);
            draw_resample(&processes, &lens, &mut random, &mut resample);
            draw_resample(&processes, &lens, &mut random, &mut resample);
            for range in &processes {
                let drawn: u32 = resample.counts[range.clone()].iter().sum();
                prop_assert_eq!(drawn as usize, range.len());
            }
            for at in 0..processes.last().unwrap().end {
                let covering = resample.blocks.iter().filter(|block| block.contains(&(at as u32))).count();
                prop_assert_eq!(resample.counts[at] as usize, covering);
            }
        }
    }
}
