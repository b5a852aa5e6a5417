//! The timed samples of a run, one by one.

use crate::ReportError;
use crate::cell::own_name;
use bench_model::Unit;
use bench_sink::runfile::{Record, RunFile, SeriesRecord};
use bench_sink::{RAW_SAMPLES_MAX, RecordedHistogram};
use std::collections::BTreeMap;

/// Nanoseconds an operation, by cell and process.
pub(super) struct Samples(BTreeMap<(u32, u32), Vec<f64>>);

impl Samples {
    /// Those that are kept in the order they were taken in; a series of which only the histogram is kept has none.
    pub(super) fn in_order(file: &RunFile) -> Self {
        let in_order = timed(file).into_iter().filter_map(|(key, series)| Some((key, raw(series)?)));
        Self(in_order.collect())
    }

    /// All samples, in any order: those of the histogram where no raw samples are kept.
    pub(super) fn in_any_order(file: &RunFile) -> Result<Self, ReportError> {
        let samples = |series| raw(series).map_or_else(|| of_histogram(series), Ok);
        timed(file).into_iter().map(|(key, series)| Ok((key, samples(series)?))).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn of(&self, cell: u32, process: u32) -> Option<&[f64]> {
        self.0.get(&(cell, process)).map(Vec::as_slice)
    }

    pub(super) fn take(&mut self, cell: u32, process: u32) -> Option<Vec<f64>> {
        self.0.remove(&(cell, process))
    }
}

/// The series that hold the time of an operation: those with the scenario's own name.
fn timed(file: &RunFile) -> BTreeMap<(u32, u32), &SeriesRecord> {
    let mut names = BTreeMap::new();
    let mut timed = BTreeMap::new();
    for record in &file.records {
        match record {
            Record::Cell(cell) => {
                names.insert(cell.cell, own_name(&cell.scenario));
                // A repetition that was begun anew has no samples of the time before.
                timed.remove(&(cell.cell, cell.process));
            }
            Record::Series(series) if is_time(series, names.get(&series.cell).copied()) => {
                timed.insert((series.cell, series.process), series);
            }
            _ => {}
        }
    }
    timed
}

/// A batch of 0 makes the whole file one that cannot be read, which is for others to say.
fn is_time(series: &SeriesRecord, name: Option<&str>) -> bool {
    let is_own = name == Some(series.metric.as_str()) && series.labels.is_empty();
    is_own && series.unit == Unit::Nanoseconds && series.batch > 0
}

fn raw(series: &SeriesRecord) -> Option<Vec<f64>> {
    let per_operation = |sample: &u64| *sample as f64 / series.batch as f64;
    Some(series.raw.as_ref()?.iter().map(per_operation).collect())
}

/// As many samples as a series keeps at most, spread over the histogram as all of them are.
fn of_histogram(series: &SeriesRecord) -> Result<Vec<f64>, ReportError> {
    let decoded = RecordedHistogram::decode(&series.histogram).map_err(|source| ReportError::Histogram {
        cell: series.cell,
        process: series.process,
        metric: series.metric.clone(),
        source,
    })?;
    let points: Vec<(u64, u64)> = decoded.points().collect();
    let count: u64 = points.iter().map(|(_, count)| count).sum();
    let kept = count.min(RAW_SAMPLES_MAX as u64);
    let mut samples = Vec::with_capacity(kept as usize);
    let mut seen = 0;
    for (value, count_here) in points {
        seen += count_here;
        // Of every (count / kept) samples one is kept, so that each part of the histogram keeps its share.
        let until = (u128::from(seen) * u128::from(kept) / u128::from(count)) as usize;
        samples.resize(until, value as f64 / series.batch as f64);
    }
    Ok(strewn(&samples))
}

/// `sorted` in an order in which neighbours are not alike. In what order they were taken is not known; left as they are
/// they would look like one slow drift.
fn strewn(sorted: &[f64]) -> Vec<f64> {
    let count = sorted.len();
    // Steps of the golden section visit the whole evenly; a step that has no divisor in common with it, each place once.
    let start = (count as f64 * 0.618) as usize + 1;
    let step = (start..).find(|step| divisor(*step, count) == 1).unwrap_or(1);
    (0..count).map(|index| sorted[(index as u128 * step as u128 % count as u128) as usize]).collect()
}

/// The greatest that both have in common.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize) {
        let sorted: Vec<f64> = (0..count).map(|value| value as f64).collect();
        let mut strewn = strewn(&sorted);
        let is_smooth = strewn.windows(2).filter(|pair| (pair[0] - pair[1]).abs() < 2.0).count() * 2 > count;
        assert!(count < 100 || !is_smooth, "{strewn:?}");
        strewn.sort_by(f64::total_cmp);
        assert_eq!(strewn, sorted);
    }

    #[test]
    fn strewn_samples_are_the_same_samples() {
        (0..200).for_each(check);
        check(4096);
    }
}
