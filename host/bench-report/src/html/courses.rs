//! The samples of each process as curves: how they are distributed, and how they went. They are taken from the run file while it is
//! read, and few points are kept of many samples, always the same ones.

use crate::ReportError;
use crate::cell::own_name;
use bench_sink::RecordedHistogram;
use bench_sink::runfile::{Record, RunFile, SeriesRecord};
use std::collections::{BTreeMap, BTreeSet};

/// Points of the curves of one cell, over all of its processes.
const POINTS: usize = 200;

/// The same where a page has more than [`MANY`] cells, so that it stays small enough to be opened.
const POINTS_OF_MANY: usize = 60;
const MANY: usize = 300;

/// Points of one process at least.
const POINTS_MIN: usize = 16;

/// The curves of every repetition, by cell and process.
#[derive(Clone, Debug, Default)]
pub struct Courses(BTreeMap<(u32, u32), Course>);

/// The timed samples of one repetition, each the time of one operation in the unit of the series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Course {
    /// The number of samples.
    pub(super) samples: u64,
    /// Values in ascending order, each with the share of samples that do not exceed it.
    pub(super) distribution: Vec<(f64, f64)>,
    /// Numbers of samples from 1, each with its value; empty where their order was not kept.
    pub(super) order: Vec<(f64, f64)>,
}

impl Courses {
    /// The curves of the timed series in `file`; fails where samples cannot be read.
    pub fn of(file: &RunFile) -> Result<Self, ReportError> {
        let (mut names, mut timed) = (BTreeMap::new(), BTreeMap::new());
        let mut processes: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for record in &file.records {
            match record {
                Record::Cell(cell) => {
                    names.insert(cell.cell, own_name(&cell.scenario));
                    processes.entry(cell.cell).or_default().insert(cell.process);
                    // A repetition that was begun anew has no samples of the time before.
                    timed.remove(&(cell.cell, cell.process));
                }
                Record::Series(series) if is_timed(series, names.get(&series.cell).copied()) => {
                    timed.insert((series.cell, series.process), series);
                }
                _ => {}
            }
        }
        let points = if names.len() > MANY { POINTS_OF_MANY } else { POINTS };
        let course = |((cell, process), series): ((u32, u32), &SeriesRecord)| {
            let processes = processes.get(&cell).map_or(1, BTreeSet::len);
            Ok(((cell, process), course(series, (points / processes.max(1)).max(POINTS_MIN))?))
        };
        timed.into_iter().map(course).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn get(&self, cell: u32, process: u32) -> Option<&Course> {
        self.0.get(&(cell, process))
    }
}

/// A batch of 0 makes the whole file one that cannot be read, which is for others to say.
fn is_timed(series: &SeriesRecord, name: Option<&str>) -> bool {
    name == Some(series.metric.as_str()) && series.labels.is_empty() && series.batch > 0
}

fn course(series: &SeriesRecord, points: usize) -> Result<Course, ReportError> {
    let per_operation = |sample: u64| sample as f64 / series.batch as f64;
    let order: Vec<f64> = series.raw.iter().flatten().map(|sample| per_operation(*sample)).collect();
    let counted: Vec<(f64, u64)> = match &series.raw {
        Some(raw) => {
            let mut raw = raw.clone();
            raw.sort_unstable();
            raw.chunk_by(|a, b| a == b).map(|run| (per_operation(run[0]), run.len() as u64)).collect()
        }
        None => {
            let decoded = RecordedHistogram::decode(&series.histogram).map_err(|source| ReportError::Histogram {
                cell: series.cell,
                process: series.process,
                metric: series.metric.clone(),
                source,
            })?;
            decoded.points().map(|(value, count)| (per_operation(value), count)).collect()
        }
    };
    let samples = counted.iter().map(|(_, count)| count).sum();
    Ok(Course { samples, distribution: distribution(&counted, samples, points), order: thinned(&order, points) })
}

/// At most `points` values of `counted`, at even distances in rank, with the first and the last, and the shares that do not exceed them.
pub(super) fn distribution(counted: &[(f64, u64)], samples: u64, points: usize) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let (mut seen, mut wanted) = (0u64, 1u64);
    // The ranks 1 to `samples` are this many steps apart.
    let (steps, ranks) = (points.max(2) as u128 - 1, u128::from(samples.max(2)) - 1);
    for (index, (value, count)) in counted.iter().enumerate() {
        seen += count;
        let is_end = index == 0 || index + 1 == counted.len();
        if counted.len() <= points || is_end || seen >= wanted {
            kept.push((*value, seen as f64 / samples as f64));
            // The first rank of the next step that is not seen yet.
            let step = u128::from(seen - 1) * steps / ranks + 1;
            wanted = 1 + (step * ranks).div_ceil(steps) as u64;
        }
    }
    kept
}

/// At most `points` of `values` with their numbers from 1: of each stretch the least and the most, in their order.
fn thinned(values: &[f64], points: usize) -> Vec<(f64, f64)> {
    let point = |index: usize| ((index + 1) as f64, values[index]);
    if values.len() <= points {
        return (0..values.len()).map(point).collect();
    }
    let stretches = (points / 2).max(1);
    let bounds = |index: usize| index * values.len() / stretches;
    let ends = (0..stretches).flat_map(|index| {
        let stretch = bounds(index)..bounds(index + 1);
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        let (least, most) = (stretch.clone().min_by(by_value), stretch.max_by(by_value));
        let mut ends: Vec<usize> = least.into_iter().chain(most).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    });
    ends.map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_keep_the_extremes_of_many_samples() {
        let counted: Vec<(f64, u64)> = (1..=10_000).map(|value| (f64::from(value), 3)).collect();
        for points in [2, 16, 66, 200] {
            let kept = distribution(&counted, 30_000, points);
            assert!(kept.len() <= points + 1, "{} of {points}", kept.len());
            assert_eq!((kept[0].0, kept[kept.len() - 1]), (1.0, (10_000.0, 1.0)));
            assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        }
        assert_eq!(distribution(&[(5.0, 2), (7.0, 2)], 4, 200), [(5.0, 0.5), (7.0, 1.0)]);
    }

    #[test]
    fn a_single_slow_sample_among_many_is_kept() {
        let mut values = vec![10.0; 5_000];
        values[3_333] = 900.0;
        values[12] = 1.0;
        let kept = thinned(&values, 66);
        assert!(kept.len() <= 66);
        assert!(kept.contains(&(3_334.0, 900.0)) && kept.contains(&(13.0, 1.0)));
        assert_eq!(thinned(&values[..3], 66), [(1.0, 10.0), (2.0, 10.0), (3.0, 10.0)]);
    }
}
