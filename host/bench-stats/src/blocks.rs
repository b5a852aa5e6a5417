//! Moving blocks of consecutive samples: how long they should be, and the drawing of a redrawing out of them. Knows lengths
//! and logs, not which statistic they serve.

use std::ops::Range;

use crate::random::Random;
use crate::series::Redrawn;

/// A process's samples are redrawn in at least this many blocks, or nothing would vary.
const BLOCKS_MIN: usize = 4;

/// For each process, how long its blocks are to be.
///
/// The variance of a mean is estimated best with blocks of (√6·ρ/(1 − ρ²))^⅔ · n^⅓ samples: this is the rule of Politis and
/// White (2004, corrected with Patton 2009) for a first-order autoregression, and ρ is the lag-1 autocorrelation of the
/// logs within all processes together. At least n^⅓, for what ρ does not show.
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

/// Redraws the samples of every process out of its own blocks (the moving-block bootstrap: Künsch 1989). The last block of
/// a process is cut so that the process keeps its size.
pub(crate) fn redraw(processes: &[Range<usize>], block_lens: &[usize], random: &mut Random, redrawn: &mut Redrawn) {
    let count = processes.last().map_or(0, |range| range.end);
    redrawn.blocks.clear();
    redrawn.counts.clear();
    // First where blocks begin and end, as +1 and −1 (in wrapping arithmetic); their running sum is how many cover a position.
    redrawn.counts.resize(count + 1, 0);
    for (range, block_len) in processes.iter().zip(block_lens) {
        let mut missing = range.len();
        while missing > 0 {
            let len = missing.min(*block_len);
            let start = range.start + random.below(range.len() - len + 1);
            redrawn.blocks.push(start as u32..(start + len) as u32);
            redrawn.counts[start] = redrawn.counts[start].wrapping_add(1);
            redrawn.counts[start + len] = redrawn.counts[start + len].wrapping_sub(1);
            missing -= len;
        }
    }
    let mut covering = 0u32;
    for count in &mut redrawn.counts {
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

    /// Values of which each is near the one before it.
    fn waves(count: usize) -> Vec<f64> {
        (0..count).map(|at| (at as f64 / 100.0).sin()).collect()
    }

    #[test]
    fn blocks_are_as_long_as_neighbours_are_alike() {
        let alternating: Vec<f64> = (0..1_000).map(|at| f64::from(at % 2)).collect();
        check(&[&alternating, &alternating[..8]], &[10, 2]);
        check(&[&waves(400)], &[100]);
        check(&[&[1.0], &[1.0, 2.0]], &[1, 2]);
        check(&[&[5.0; 27]], &[3]);
    }

    proptest! {
        #[test]
        fn a_redrawing_keeps_the_size_of_every_process(
            sizes in proptest::collection::vec(1usize..60, 1..6), len in 1usize..20, seed: u64,
        ) {
            let mut processes = vec![];
            for size in sizes {
                let start = processes.last().map_or(0, |range: &Range<usize>| range.end);
                processes.push(start..start + size);
            }
            let lens: Vec<usize> = processes.iter().map(|range| len.min(range.len())).collect();
            let mut redrawn = Redrawn::default();
            // Twice, because the room is used again.
            let mut random = Random::new(seed, 0);
            redraw(&processes, &lens, &mut random, &mut redrawn);
            redraw(&processes, &lens, &mut random, &mut redrawn);
            for range in &processes {
                let drawn: u32 = redrawn.counts[range.clone()].iter().sum();
                prop_assert_eq!(drawn as usize, range.len());
            }
            for at in 0..processes.last().unwrap().end {
                let covering = redrawn.blocks.iter().filter(|block| block.contains(&(at as u32))).count();
                prop_assert_eq!(redrawn.counts[at] as usize, covering);
            }
        }
    }
}
