//! Samples of one metric with one set of label values. All samples are in a histogram; the raw samples are kept up to a maximum
//! number, so that the memory is bounded.

use crate::histogram;
use bench_model::{Direction, Unit};
use hdrhistogram::Histogram;

/// Maximum number of raw samples that a series keeps. If there are more, only the histogram is used.
pub const RAW_SAMPLES_MAX: usize = 1_000_000;

/// Samples of one metric with one set of label values.
#[derive(Clone, Debug)]
pub struct Series {
    /// The name of the metric.
    pub metric: String,
    /// The base unit of a sample.
    pub unit: Unit,
    /// Whether lower or higher is better.
    pub direction: Direction,
    /// Label names and values, in the metric's order.
    pub labels: Vec<(String, String)>,
    /// The number of operations per sample; a sample is their sum. 1 unless the driver uses batches.
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
        self.count_only(sample);
        if self.raw.len() < RAW_SAMPLES_MAX {
            self.raw.push(sample);
        }
    }

    /// Records one sample in the histogram alone.
    #[inline]
    pub(crate) fn count_only(&mut self, sample: u64) {
        // Not `saturating_record`, which clamps to the current range instead of growing.
        self.histogram.record(sample).expect("a histogram that resizes itself accepts every value");
    }

    /// The number of raw samples.
    pub(crate) fn kept(&self) -> usize {
        self.raw.len()
    }

    /// The number of recorded samples.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// All samples in the order of recording, if they are few enough to have been kept.
    pub fn raw(&self) -> Option<&[u64]> {
        (self.raw.len() as u64 == self.count()).then_some(&self.raw)
    }

    /// The greatest sample, within a thousandth if not all were kept.
    pub fn greatest(&self) -> u64 {
        self.raw().map_or_else(|| self.histogram.max(), |raw| raw.iter().copied().max().unwrap_or_default())
    }

    /// The sum of all samples, within a thousandth if not all were kept.
    pub fn total(&self) -> f64 {
        let of_histogram = || self.histogram.mean() * self.count() as f64;
        self.raw().map_or_else(of_histogram, |raw| raw.iter().map(|sample| *sample as f64).sum())
    }

    /// Removes all samples and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.histogram.reset();
        self.raw.clear();
    }

    /// Removes the samples that `earlier`, which is a copy of this series, does not have; keeps the allocated memory.
    pub(crate) fn return_to(&mut self, earlier: &Self) {
        self.histogram.set_to(&earlier.histogram).expect("a histogram that resizes itself accepts every value");
        self.raw.clone_from(&earlier.raw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordedHistogram;
    use crate::runfile::SeriesRecord;
    use proptest::prelude::*;

    #[test]
    fn greatest_and_total_are_those_of_all_samples() {
        let mut series = Series::new("time", Unit::Nanoseconds, Direction::LowerIsBetter);
        assert_eq!((series.greatest(), series.total()), (0, 0.0));
        [7, 3_000_001, 0].into_iter().for_each(|sample| series.record(sample));
        assert_eq!((series.greatest(), series.total()), (3_000_001, 3_000_008.0));
        series.count_only(5_000_000);
        let is_near = |found: f64, expect: f64| (found - expect).abs() <= expect / 1_000.0;
        assert!(series.raw().is_none() && is_near(series.greatest() as f64, 5_000_000.0), "{}", series.greatest());
        assert!(is_near(series.total(), 8_000_008.0), "{}", series.total());
    }

    proptest! {
        #[test]
        fn written_histogram_has_the_recorded_samples(samples in proptest::collection::vec(any::<u64>(), 1..50)) {
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
