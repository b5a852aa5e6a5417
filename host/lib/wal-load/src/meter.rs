//! Taking samples without disturbing what is measured: they are kept in memory that was written before, and handed to the
//! host when the clock has stopped. It must not know what they are samples of.

use bench_model::ModuleError;
use probe_abi::{Host, Series};
use std::time::Instant;

/// Nanoseconds since `start`.
#[inline]
pub fn elapsed_ns(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

/// Where samples go: to the host, or, in tests of sessions, nowhere.
#[derive(Clone, Copy, Debug)]
pub struct Bench(Option<Host>);

impl Bench {
    /// Samples are forgotten.
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
    /// A meter that fills the series `metric` with these labels.
    pub fn open(bench: Bench, metric: &str, labels: &[(&str, &str)]) -> Result<Self, ModuleError> {
        let series = bench.0.map(|host| host.series(metric, labels)).transpose()?;
        Ok(Self { series, samples: Vec::new(), len: 0 })
    }

    /// Makes room for `count` samples, page by page, so that none of them pays for its own.
    pub fn prepare(&mut self, count: usize) {
        if self.samples.len() < count {
            self.samples.resize(count, 1);
        }
    }

    /// Keeps a sample.
    #[inline]
    pub fn record(&mut self, sample: u64) {
        match self.samples.get_mut(self.len) {
            Some(slot) => *slot = sample,
            None => self.samples.push(sample),
        }
        self.len += 1;
    }

    /// The samples since the last [`Meter::hand_over`].
    pub fn samples(&self) -> &[u64] {
        &self.samples[..self.len]
    }

    /// Gives the samples to the host.
    pub fn hand_over(&mut self) {
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
    fn samples_are_kept_in_order_also_beyond_what_was_prepared() {
        let mut meter = Meter::open(Bench::without_host(), "time", &[]).unwrap();
        meter.prepare(2);
        (0..5).for_each(|sample| meter.record(sample));
        assert_eq!(meter.samples(), [0, 1, 2, 3, 4]);
        meter.hand_over();
        assert!(meter.samples().is_empty());
        meter.record(9);
        assert_eq!(meter.samples(), [9]);
    }
}
