//! The machine's limits: what figures are shown against. Each is measured anew before and after every run, because a
//! machine is not the same an hour later; a limit that cannot be measured says why.

mod cpu;
mod disk;
mod memory;
mod spawn;

use bench_model::{MachineLimit, Unit};
use bench_sink::runfile::LimitRecord;
use bench_stats::Distribution;
use std::path::Path;
use std::time::{Duration, Instant};

/// How much is spent on each limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Samples of a cheap limit.
    pub samples: u32,
    /// Samples of a limit that takes milliseconds.
    pub dear_samples: u32,
}

impl Effort {
    /// What a run uses.
    pub const DEFAULT: Self = Self { samples: 200, dear_samples: 50 };
    /// What `--quick` uses.
    pub const QUICK: Self = Self { samples: 50, dear_samples: 12 };
}

/// Measures every limit but the call of a component, which takes an engine. `directory` is where the disk is measured.
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

/// A limit that was measured, from samples in the limit's unit.
pub fn measured(limit: MachineLimit, samples: Vec<f64>, detail: impl Into<String>) -> LimitRecord {
    let distribution = Distribution::of_samples(samples);
    LimitRecord {
        limit: limit.into(),
        unit: unit(limit),
        median: distribution.quantile(0.5),
        min: distribution.min(),
        count: distribution.count(),
        detail: detail.into(),
    }
}

/// A limit that could not be measured.
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
