//! The rooflines that figures are compared with. Each is measured before and after every run, because a machine changes over time; one
//! that cannot be measured carries the reason.

mod cpu;
mod disk;
mod memory;
mod spawn;

use bench_model::{MachineLimit, Unit};
use bench_sink::runfile::LimitRecord;
use bench_stats::Distribution;
use std::path::Path;
use std::time::{Duration, Instant};

/// The effort for each roofline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Samples of a fast roofline.
    pub samples: u32,
    /// Samples of a roofline that takes milliseconds.
    pub slow_samples: u32,
}

impl Effort {
    /// The effort of a run.
    pub const DEFAULT: Self = Self { samples: 200, slow_samples: 50 };
    /// The effort with `--quick`.
    pub const QUICK: Self = Self { samples: 50, slow_samples: 12 };
}

/// Measures every roofline except the call of a component, which needs an engine. The disk is measured in `directory`.
pub fn measure(effort: Effort, directory: &Path) -> Vec<LimitRecord> {
    vec![
        cpu::clock(effort),
        cpu::syscall(effort),
        cpu::cache_line(effort),
        memory::read(effort),
        memory::copy(effort),
        disk::fdatasync(effort, directory),
        spawn::spawn(effort),
    ]
}

/// The roofline `memory-read` in nanoseconds per byte, measured in a few milliseconds.
pub(crate) fn memory_read_ns() -> f64 {
    memory::read(Effort { samples: 5, slow_samples: 1 }).min.unwrap_or_default()
}

/// A measured roofline, from samples in its unit.
pub fn measured(limit: MachineLimit, samples: Vec<f64>, detail: impl Into<String>) -> LimitRecord {
    let distribution = Distribution::of_samples(samples.iter().copied());
    LimitRecord {
        limit: limit.into(),
        unit: unit(limit),
        median: distribution.quantile(0.5),
        min: distribution.min(),
        count: distribution.count(),
        samples,
        detail: detail.into(),
    }
}

/// A roofline that could not be measured.
pub fn absent(limit: MachineLimit, why: impl Into<String>) -> LimitRecord {
    measured(limit, Vec::new(), why)
}

fn unit(limit: MachineLimit) -> Unit {
    if limit.is_per_byte() { Unit::from("ns/By") } else { Unit::Nanoseconds }
}

/// The time of one call of `operation` in nanoseconds, `samples` times, each the mean of `batch` calls.
pub fn sample(samples: u32, batch: u32, mut operation: impl FnMut()) -> Vec<f64> {
    let timed = |_| {
        let start = Instant::now();
        (0..batch).for_each(|_| operation());
        nanoseconds(start.elapsed()) / f64::from(batch)
    };
    (0..samples).map(timed).collect()
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_keeps_the_samples_in_their_order() {
        let record = measured(MachineLimit::Clock, vec![3.0, 1.0, 2.0], "");
        assert_eq!((record.median, record.min, record.count), (Some(2.0), Some(1.0), 3));
        assert_eq!(record.samples, [3.0, 1.0, 2.0]);
        assert!(absent(MachineLimit::Clock, "why").samples.is_empty());
    }
}
