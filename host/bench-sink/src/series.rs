//! Samples of one metric with one set of label values. A histogram always holds all of them; the raw samples are kept too
//! while there are few enough, so memory does not grow with the length of a run.

use crate::histogram;
use bench_model::{Direction, Unit};
use hdrhistogram::Histogram;

/// How many raw samples a series keeps. Past that, the histogram alone stands for all of them.
pub const RAW_SAMPLES_MAX: usize = 1_000_000;

/// Samples of one metric with one set of label values.
#[derive(Clone, Debug)]
pub struct Series {
    /// What is measured.
    pub metric: String,
    /// The base unit of a sample.
    pub unit: Unit,
    /// Which way is up.
    pub direction: Direction,
    /// Label names and values, in the metric's order.
    pub labels: Vec<(String, String)>,
    /// How many operations one sample spans: a sample is their sum. 1 unless the driver batches.
    pub batch: u64,
    pub(crate) histogram: Histogram<u64>,
    raw: Vec<u64>,
}

impl Series {
    /// A series without samples.
    pub fn new(metric: impl Into<String>, unit: Unit, direction: Direction) -> Self {
        Self {
            metric: metric.into(),
            unit,
            direction,
            labels: Vec::new(),
            batch: 1,
            histogram: histogram::new(),
            raw: Vec::new(),
        }
    }

    /// Records one sample, in the unit of the series.
    #[inline]
    pub fn record(&mut self, sample: u64) {
        // Not `saturating_record`, which clamps to the size of the moment instead of growing.
        self.histogram.record(sample).expect("a histogram that resizes itself takes every value");
        if self.raw.len() < RAW_SAMPLES_MAX {
            self.raw.push(sample);
        }
    }

    /// How many samples were recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// All samples in the order they came, where that is not too many to have been kept.
    pub fn raw(&self) -> Option<&[u64]> {
        (self.raw.len() as u64 == self.count()).then_some(&self.raw)
    }

    /// Forgets every sample and keeps the room for them.
    pub fn clear(&mut self) {
        self.histogram.reset();
        self.raw.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordedHistogram;
    use crate::runfile::SeriesRecord;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_written_histogram_holds_what_was_recorded(samples in proptest::collection::vec(any::<u64>(), 1..50)) {
            let mut series = Series::new("time", Unit::Nanoseconds, Direction::LowerIsBetter);
            samples.iter().for_each(|sample| series.record(*sample));
            let record = SeriesRecord::new(0, 0, &series);
            let points: Vec<_> = RecordedHistogram::decode(&record.histogram).unwrap().points().collect();
            prop_assert_eq!(points.iter().map(|point| point.1).sum::<u64>(), samples.len() as u64);
            for sample in &samples {
                // Three significant figures: within a thousandth, and exact below 2048.
                let near = points.iter().any(|(point, _)| point.abs_diff(*sample) <= sample / 1000);
                prop_assert!(near, "{} is not among {:?}", sample, points);
            }
            prop_assert_eq!(record.raw.as_deref(), Some(&samples[..]));
        }
    }
}
