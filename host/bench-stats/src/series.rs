//! The values of one arm in the order of measurement, indexed so that the median and the mean of a resample are cheap.

use std::ops::Range;

/// The smallest distance of two checkpoints, in ranks. It is the number of processes where that is larger, so that checkpoints
/// never take more memory than the values.
const STRIDE_MIN: usize = 64;

/// A median and a mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Centre {
    pub(crate) median: f64,
    pub(crate) mean: f64,
}

/// A resample: blocks of consecutive positions, and how many blocks cover each position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resample {
    pub(crate) blocks: Vec<Range<u32>>,
    pub(crate) counts: Vec<u32>,
}

/// The values of one arm, process after process. The mean is of the values; the median is of the values divided by the level of
/// their process.
pub(crate) struct Series {
    /// The values divided by their levels, in ascending order.
    sorted: Vec<f64>,
    /// The process of each sorted value.
    owners: Vec<u32>,
    /// The position of each sorted value in the order of measurement.
    positions: Vec<u32>,
    /// The number of values of each process.
    sizes: Vec<u64>,
    /// The sum of the values of each process.
    totals: Vec<f64>,
    /// How many values of each process are below every `stride`-th rank: a row per checkpoint, a column per process.
    checkpoints: Vec<u32>,
    stride: usize,
    /// The sum of the values before each position.
    sums: Vec<f64>,
    /// How many of the values before each position have a rank below `window`.
    below: Vec<u32>,
    window: usize,
}

impl Series {
    /// Indexes `values`, of which each process has a range and a level. `reach` is how many ranks the median of a resample is
    /// expected to move; a larger move is slower, not wrong.
    pub(crate) fn new(values: &[f64], processes: &[Range<usize>], levels: &[f64], reach: usize) -> Self {
        let mut ranked: Vec<(f64, u32, u32)> = Vec::with_capacity(values.len());
        for (owner, range) in processes.iter().enumerate() {
            ranked.extend(range.clone().map(|at| (values[at] / levels[owner], owner as u32, at as u32)));
        }
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        let window = (values.len() / 2).saturating_sub(reach);
        let owners: Vec<u32> = ranked.iter().map(|entry| entry.1).collect();
        let positions: Vec<u32> = ranked.iter().map(|entry| entry.2).collect();
        let stride = processes.len().max(STRIDE_MIN);
        Self {
            sorted: ranked.iter().map(|entry| entry.0).collect(),
            sizes: processes.iter().map(|range| range.len() as u64).collect(),
            totals: processes.iter().map(|range| values[range.clone()].iter().sum()).collect(),
            checkpoints: checkpoints(&owners, processes.len(), stride),
            sums: prefix_sums(values),
            below: below(&positions, window),
            owners,
            positions,
            stride,
            window,
        }
    }

    /// The centre where each process counts as many times as its weight; at least one weight must not be 0.
    pub(crate) fn of_processes(&self, weights: &[u32]) -> Centre {
        let weighted =
            |sizes: &[u64]| -> u64 { sizes.iter().zip(weights).map(|(size, weight)| size * u64::from(*weight)).sum() };
        let count = weighted(&self.sizes);
        let total: f64 = self.totals.iter().zip(weights).map(|(total, weight)| total * f64::from(*weight)).sum();
        Centre { median: self.median_of_processes(weights, median_rank(count)), mean: total / count as f64 }
    }

    /// The centre of a resample, which must not be empty.
    pub(crate) fn of_resample(&self, resample: &Resample) -> Centre {
        let (mut count, mut below, mut total) = (0, 0, 0.0);
        for block in &resample.blocks {
            let (start, end) = (block.start as usize, block.end as usize);
            count += (end - start) as u64;
            below += u64::from(self.below[end] - self.below[start]);
            total += self.sums[end] - self.sums[start];
        }
        let rank = median_rank(count);
        // A median below the window is rare; then the whole array is walked.
        let (first, seen) = if below < rank { (self.window, below) } else { (0, 0) };
        let weight = |at: usize| resample.counts[self.positions[at] as usize];
        Centre { median: self.walk(first, seen, rank, weight), mean: total / count as f64 }
    }

    /// Finds the last checkpoint before the median by bisection, and walks on from there.
    fn median_of_processes(&self, weights: &[u32], rank: u64) -> f64 {
        let seen_at = |checkpoint: usize| -> u64 {
            let row = &self.checkpoints[checkpoint * weights.len()..][..weights.len()];
            row.iter().zip(weights).map(|(seen, weight)| u64::from(*seen) * u64::from(*weight)).sum()
        };
        let (mut before, mut after) = (0, self.checkpoints.len() / weights.len());
        while after - before > 1 {
            let middle = before.midpoint(after);
            if seen_at(middle) < rank { before = middle } else { after = middle }
        }
        self.walk(before * self.stride, seen_at(before), rank, |at| weights[self.owners[at] as usize])
    }

    /// The smallest value that at least `rank` of the weighted values do not exceed, given that `seen` of them are before `first`.
    fn walk(&self, first: usize, mut seen: u64, rank: u64, weight: impl Fn(usize) -> u32) -> f64 {
        for at in first..self.sorted.len() {
            seen += u64::from(weight(at));
            if seen >= rank {
                return self.sorted[at];
            }
        }
        unreachable!("the weights add up to at least the rank of the median")
    }
}

/// The lower median, as in [`crate::Distribution::quantile`], so that a ratio is the ratio of two figures of the table.
fn median_rank(count: u64) -> u64 {
    count.div_ceil(2).max(1)
}

fn checkpoints(owners: &[u32], processes: usize, stride: usize) -> Vec<u32> {
    let mut seen = vec![0; processes];
    let mut rows = Vec::with_capacity((owners.len() / stride + 1) * processes);
    for (at, owner) in owners.iter().enumerate() {
        if at % stride == 0 {
            rows.extend_from_slice(&seen);
        }
        seen[*owner as usize] += 1;
    }
    rows
}

fn prefix_sums(values: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = values.iter().map(|value| {
        sum += value;
        sum
    });
    std::iter::once(0.0).chain(sums).collect()
}

fn below(positions: &[u32], window: usize) -> Vec<u32> {
    let mut below = vec![0; positions.len() + 1];
    for position in &positions[..window] {
        below[*position as usize + 1] = 1;
    }
    for at in 1..below.len() {
        below[at] += below[at - 1];
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The centre by sorting and repeating, as the reference.
    fn naive(mut weighted: Vec<(f64, f64, u32)>) -> Centre {
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let repeated: Vec<_> =
            weighted.iter().flat_map(|entry| std::iter::repeat_n(*entry, entry.2 as usize)).collect();
        let mean = repeated.iter().map(|entry| entry.1).sum::<f64>() / repeated.len() as f64;
        Centre { median: repeated[(repeated.len() - 1) / 2].0, mean }
    }

    fn check(fast: Centre, weighted: Vec<(f64, f64, u32)>) -> Result<(), TestCaseError> {
        let slow = naive(weighted);
        prop_assert_eq!(fast.median, slow.median);
        prop_assert!((fast.mean / slow.mean - 1.0).abs() < 1e-12, "{:?} is not {:?}", fast, slow);
        Ok(())
    }

    /// Processes of few or many values, with ties, levels and a weight each, and how far the median may stray.
    #[derive(Debug)]
    struct Case {
        values: Vec<f64>,
        ranges: Vec<Range<usize>>,
        levels: Vec<f64>,
        weights: Vec<u32>,
        reach: usize,
    }

    fn cases() -> impl Strategy<Value = Case> {
        let process = (proptest::collection::vec(1u32..60, 1..150), 1u32..5, 0u32..4);
        (proptest::collection::vec(process, 1..8), 0usize..80).prop_map(|(processes, reach)| {
            let mut case = Case { values: vec![], ranges: vec![], levels: vec![], weights: vec![], reach };
            for (values, level, weight) in processes {
                case.ranges.push(case.values.len()..case.values.len() + values.len());
                case.values.extend(values.into_iter().map(f64::from));
                case.levels.push(f64::from(level));
                case.weights.push(weight);
            }
            case
        })
    }

    proptest! {
        #[test]
        fn weighted_centre_equals_that_of_repeated_samples(mut case in cases()) {
            case.weights[0] += 1;
            let series = Series::new(&case.values, &case.ranges, &case.levels, case.reach);
            let weighted = case.ranges.iter().enumerate().flat_map(|(process, range)| {
                let (level, weight) = (case.levels[process], case.weights[process]);
                case.values[range.clone()].iter().map(move |value| (value / level, *value, weight))
            });
            check(series.of_processes(&case.weights), weighted.collect())?;
        }

        #[test]
        fn resampled_centre_equals_that_of_repeated_samples(
            case in cases(),
            draws in proptest::collection::vec((0.0f64..1.0, 1u32..40), 1..30),
        ) {
            let series = Series::new(&case.values, &case.ranges, &case.levels, case.reach);
            let len = case.values.len() as u32;
            let mut resample = Resample { blocks: vec![], counts: vec![0; case.values.len()] };
            for (share, block) in draws {
                let start = (share * f64::from(len)) as u32;
                let end = (start + block).min(len);
                resample.blocks.push(start..end);
                (start..end).for_each(|at| resample.counts[at as usize] += 1);
            }
            let weighted = case.ranges.iter().enumerate().flat_map(|(process, range)| {
                let (level, counts, values) = (case.levels[process], &resample.counts, &case.values);
                range.clone().map(move |at| (values[at] / level, values[at], counts[at]))
            });
            check(series.of_resample(&resample), weighted.collect())?;
        }
    }
}
