//! The samples of one metric, merged over the processes of a cell and divided by the operations that each spans.

use crate::ReportError;
use bench_model::{Direction, Unit};
use bench_sink::RecordedHistogram;
use bench_sink::runfile::SeriesRecord;
use bench_stats::{Distribution, Summary};
use std::collections::BTreeMap;

/// One metric with one set of label values in one cell.
#[derive(Clone, Debug)]
pub struct SeriesView {
    /// What is measured.
    pub metric: String,
    /// The unit of every figure.
    pub unit: Unit,
    /// Whether a lower or a higher figure is better.
    pub direction: Direction,
    /// Label names and values.
    pub labels: Vec<(String, String)>,
    /// Operations a sample spans, or nothing where the processes differ in it.
    pub batch: Option<u64>,
    /// The number of samples.
    pub samples: u64,
    /// How many operations all samples together span.
    pub operations: u64,
    /// The sum of all samples as they were taken, which span those operations.
    pub total: f64,
    /// The samples, each divided by the operations it spans.
    pub distribution: Distribution,
    /// The figures of the distribution.
    pub summary: Summary,
    /// The median of each process that has samples, in the order of the processes.
    pub process_medians: Vec<f64>,
}

impl SeriesView {
    /// `metric{label=value}`; as the module wrote it, not escaped.
    pub fn title(&self) -> String {
        if self.labels.is_empty() {
            return self.metric.clone();
        }
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{{{}}}", self.metric, labels.join(","))
    }

    /// One view for each metric and label values in `records`, in the order in which they first appear. A series without
    /// samples has no figures and is left out.
    pub(crate) fn merge(records: Vec<SeriesRecord>) -> Result<Vec<Self>, ReportError> {
        let mut merged: Vec<(SeriesRecord, Samples, Vec<f64>)> = Vec::new();
        for mut record in records {
            let samples = Samples::of(&mut record)?;
            let median = samples.per_operation().quantile(0.5);
            match merged.iter_mut().find(|(known, ..)| known.metric == record.metric && known.labels == record.labels) {
                Some((known, ..)) if known.unit != record.unit => {
                    let reason = format!("`{}` is in `{}`, and in `{}` before", record.metric, record.unit, known.unit);
                    return Err(ReportError::inconsistent(record.cell, record.process, reason));
                }
                Some((_, all, medians)) => {
                    all.add(samples);
                    medians.extend(median);
                }
                None => merged.push((record, samples, Vec::from_iter(median))),
            }
        }
        Ok(merged.into_iter().filter_map(|(record, samples, medians)| view(record, samples, medians)).collect())
    }
}

fn view(record: SeriesRecord, samples: Samples, process_medians: Vec<f64>) -> Option<SeriesView> {
    let distribution = samples.per_operation();
    let summary = Summary::of(&distribution)?;
    Some(SeriesView {
        unit: record.unit,
        direction: record.direction,
        batch: samples.batch(),
        samples: distribution.count(),
        operations: samples.operations(),
        total: samples.total(),
        distribution,
        summary,
        process_medians,
        metric: record.metric,
        labels: record.labels,
    })
}

/// How often each sample was seen, by its batch and value. Times repeat a lot, so this is far smaller than the samples.
struct Samples(BTreeMap<(u64, u64), u64>);

impl Samples {
    /// Takes the samples out of `record`: the raw ones where there are any, because a histogram has only three figures.
    fn of(record: &mut SeriesRecord) -> Result<Self, ReportError> {
        if record.batch == 0 {
            let reason = format!("a sample of `{}` spans no operation", record.metric);
            return Err(ReportError::inconsistent(record.cell, record.process, reason));
        }
        let histogram = std::mem::take(&mut record.histogram);
        let points: Vec<(u64, u64)> = match record.raw.take() {
            Some(mut raw) => {
                raw.sort_unstable();
                raw.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect()
            }
            None => {
                let decoded = RecordedHistogram::decode(&histogram).map_err(|source| ReportError::Histogram {
                    cell: record.cell,
                    process: record.process,
                    metric: record.metric.clone(),
                    source,
                })?;
                decoded.points().collect()
            }
        };
        Ok(Self(points.into_iter().map(|(value, count)| ((record.batch, value), count)).collect()))
    }

    fn add(&mut self, other: Self) {
        for (key, count) in other.0 {
            let total = self.0.entry(key).or_default();
            *total = total.saturating_add(count);
        }
    }

    /// The batch of every sample, where it is one.
    fn batch(&self) -> Option<u64> {
        let mut batches = self.0.keys().map(|(batch, _)| *batch);
        let first = batches.next()?;
        batches.all(|batch| batch == first).then_some(first)
    }

    fn operations(&self) -> u64 {
        // What a file says may be any number.
        self.0.iter().map(|((batch, _), count)| batch.saturating_mul(*count)).fold(0, u64::saturating_add)
    }

    fn total(&self) -> f64 {
        self.0.iter().map(|((_, value), count)| *value as f64 * *count as f64).sum()
    }

    fn per_operation(&self) -> Distribution {
        Distribution::new(self.0.iter().map(|((batch, value), count)| (*value as f64 / *batch as f64, *count)))
    }
}
