//! Records samples with little effect on what is measured: into memory that was touched before, and to the host only when the
//! clock has stopped.

use bench_model::ModuleError;
use probe_abi::{Host, Series};
use std::time::Instant;

/// Nanoseconds since `start`.
#[inline]
pub fn elapsed_ns(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

/// Where samples go: to the host, or nowhere in tests of sessions.
#[derive(Clone, Copy, Debug)]
pub struct Bench(Option<Host>);

impl Bench {
    /// Discards samples.
    pub fn without_host() -> Self {
        Self(None)
    }
}

impl From<Host> for Bench {
    fn from(host: Host) -> Self {
        Self(Some(host))
    }
}

/// Samples of one series.
#[derive(Debug)]
pub struct Meter {
    series: Option<Series>,
    samples: Vec<u64>,
    len: usize,
}

impl Meter {
    /// Opens the series `metric` with these labels.
    pub fn open(bench: Bench, metric: &str, labels: &[(&str, &str)]) -> Result<Self, ModuleError> {
        let series = bench.0.map(|host| host.series(metric, labels)).transpose()?;
        Ok(Self { series, samples: Vec::new(), len: 0 })
    }

    /// Touches memory for `count` samples, so that recording one never causes a page fault.
    pub fn prepare(&mut self, count: usize) {
        if self.samples.len() < count {
            self.samples.resize(count, 1);
        }
    }

    /// Records one sample.
    #[inline]
    pub fn record(&mut self, sample: u64) {
        match self.samples.get_mut(self.len) {
            Some(slot) => *slot = sample,
            None => self.samples.push(sample),
        }
        self.len += 1;
    }

    /// The samples since the last [`Meter::flush`].
    pub fn samples(&self) -> &[u64] {
        &self.samples[..self.len]
    }

    /// Passes the samples to the host.
    pub fn flush(&mut self) {
        if let Some(series) = &self.series {
            series.append(&self.samples[..self.len]);
        }
        self.len = 0;
    }
}

/// Times one call.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[inline]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds so far.
    #[inline]
    pub fn ns(self) -> u64 {
        elapsed_ns(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_their_order_beyond_the_prepared_memory() {
        let mut meter = Meter::open(Bench::without_host(), "time", &[]).unwrap();
        meter.prepare(2);
        (0..5).for_each(|sample| meter.record(sample));
        assert_eq!(meter.samples(), [0, 1, 2, 3, 4]);
        meter.flush();
        assert!(meter.samples().is_empty());
        meter.record(9);
        assert_eq!(meter.samples(), [9]);
    }
}
