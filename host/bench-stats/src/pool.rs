//! The samples that a comparison rests on, by process: values of one arm, or pairs of two. Computes the logs of their median
//! and mean under any weights.

use std::ops::Range;

use crate::Distribution;
use crate::blocks::block_lens;
use crate::series::{Centre, Resample, Series};

/// The logs of the two statistics that a comparison rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Logs {
    pub(crate) median: f64,
    pub(crate) mean: f64,
}

/// Samples of at least two processes. The statistics of pairs are those of the candidate divided by those of the baseline.
pub(crate) struct Pool {
    candidate: Series,
    baseline: Option<Series>,
    processes: Vec<Range<usize>>,
    block_lens: Vec<usize>,
}

impl Pool {
    /// Makes a pool of pairs `(baseline, candidate)`; `None` where fewer than two processes have any.
    ///
    /// Before the medians are taken, both values of a pair are divided by the level of their process: the geometric mean
    /// of the process's two medians. This cancels in the ratio. Without it, where levels differ more than the samples of one
    /// process, the pooled median is that of the middle process alone: with levels that differ by 5 % and samples by 0.3 %,
    /// the error of the estimate was 2.2 times as large and intervals covered in 99 %.
    pub(crate) fn of_pairs(processes: &[Vec<(f64, f64)>]) -> Option<Self> {
        let (pairs, ranges) = gather(processes, |pair| usable(pair.0) && usable(pair.1))?;
        let (baseline, candidate): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let levels: Vec<f64> = ranges
            .iter()
            .map(|range| median(&baseline[range.clone()]).sqrt() * median(&candidate[range.clone()]).sqrt())
            .collect();
        let logs: Vec<f64> = baseline.iter().zip(&candidate).map(|(first, second)| second.ln() - first.ln()).collect();
        let block_lens = block_lens(&logs, &ranges);
        let reach = reach(&block_lens, logs.len());
        Some(Self {
            candidate: Series::new(&candidate, &ranges, &levels, reach),
            baseline: Some(Series::new(&baseline, &ranges, &levels, reach)),
            processes: ranges,
            block_lens,
        })
    }

    /// Makes a pool of the values of one arm; `None` where fewer than two processes have any.
    pub(crate) fn of_values(processes: &[Vec<f64>]) -> Option<Self> {
        let (values, ranges) = gather(processes, |value| usable(*value))?;
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        let block_lens = block_lens(&logs, &ranges);
        let levels = vec![1.0; ranges.len()];
        Some(Self {
            candidate: Series::new(&values, &ranges, &levels, reach(&block_lens, values.len())),
            baseline: None,
            processes: ranges,
            block_lens,
        })
    }

    /// The range of each process's samples, in the order of measurement.
    pub(crate) fn processes(&self) -> &[Range<usize>] {
        &self.processes
    }

    /// The block length with which each process is resampled.
    pub(crate) fn block_lens(&self) -> &[usize] {
        &self.block_lens
    }

    /// The number of samples or pairs.
    pub(crate) fn len(&self) -> usize {
        self.processes.last().map_or(0, |range| range.end)
    }

    /// The statistics where each process counts as many times as its weight.
    pub(crate) fn of_processes(&self, weights: &[u32]) -> Logs {
        self.logs(|series| series.of_processes(weights))
    }

    /// The statistics of a resample.
    pub(crate) fn of_resample(&self, resample: &Resample) -> Logs {
        self.logs(|series| series.of_resample(resample))
    }

    fn logs(&self, centre: impl Fn(&Series) -> Centre) -> Logs {
        let above = centre(&self.candidate);
        let below = self.baseline.as_ref().map_or(Centre { median: 1.0, mean: 1.0 }, centre);
        Logs { median: above.median.ln() - below.median.ln(), mean: above.mean.ln() - below.mean.ln() }
    }
}

/// Only what is finite and positive has a logarithm.
fn usable(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// Concatenates the usable samples, and returns the range of each process that has any.
fn gather<T: Copy>(processes: &[Vec<T>], usable: impl Fn(&T) -> bool) -> Option<(Vec<T>, Vec<Range<usize>>)> {
    let (mut samples, mut ranges) = (Vec::new(), Vec::new());
    for process in processes {
        let start = samples.len();
        samples.extend(process.iter().copied().filter(&usable));
        if samples.len() > start {
            ranges.push(start..samples.len());
        }
    }
    (ranges.len() >= 2).then_some((samples, ranges))
}

fn median(values: &[f64]) -> f64 {
    Distribution::of_samples(values.iter().copied()).quantile(0.5).expect("a process that is kept has samples")
}

/// How many ranks the median of a resample moves at most: four standard deviations. With blocks of length l, one is at most
/// √(n·l)/2 ranks.
fn reach(block_lens: &[usize], count: usize) -> usize {
    let longest = block_lens.iter().max().copied().unwrap_or(1);
    (2.0 * (count as f64 * longest as f64).sqrt()).ceil() as usize
}
