//! The host's services for a component: series of samples, and rings and logs if their cargo features are on.

use super::bindings::bench_host::workload::metrics;
use super::convert;
use bench_model::ModuleError;

/// The host's services for a session.
#[derive(Clone, Copy, Debug)]
pub struct Host(());

/// A series of samples of a declared metric.
#[derive(Debug)]
pub struct Series(metrics::Series);

impl Host {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Opens a series of `metric` with these label names and values; opening the same one again continues it.
    pub fn series(self, metric: &str, labels: &[(&str, &str)]) -> Result<Series, ModuleError> {
        let labels: Vec<_> = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        metrics::Series::open(metric, &labels).map(Series).map_err(convert::error_in)
    }
}

impl Series {
    /// Records samples in the metric's base unit. The host counts samples that it cannot keep.
    pub fn append(&self, samples: &[u64]) {
        self.0.append(samples);
    }

    /// Records one sample. This calls the host: collect samples and [`append`](Self::append) them where speed matters.
    pub fn record(&self, sample: u64) {
        self.append(&[sample]);
    }
}
