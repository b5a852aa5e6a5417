//! Sessions of the module `self`, each made of a closure and a sink.

use crate::paths;
use bench_drivers::Recording;
use bench_engine::usage::memory_bytes_now;
use bench_model::{Check, Direction, ModuleError, Outcome, Session, Unit};
use bench_sink::{Series, Sink};
use hdrhistogram::Histogram;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// A closure that executes one operation, and the sink that it may record into.
pub(super) struct Closure<F> {
    sink: Sink,
    operation: F,
    done: u64,
}

pub(super) fn closure<F>(sink: Sink, operation: F) -> Box<dyn Recording>
where
    F: FnMut(&mut Sink) -> Result<(), ModuleError> + 'static,
{
    Box::new(Closure { sink, operation, done: 0 })
}

impl<F: FnMut(&mut Sink) -> Result<(), ModuleError>> Session for Closure<F> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            (self.operation)(&mut self.sink)?;
        }
        self.done += times;
        Ok(Outcome { operations: times, bytes: 0, checksum: 0 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![Check::that("done", self.done > 0, format!("{} operations without an error", self.done))])
    }
}

impl<F: FnMut(&mut Sink) -> Result<(), ModuleError>> Recording for Closure<F> {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }
}

/// Records into a bare histogram, without a sink.
pub(super) fn histogram_record(sink: Sink) -> Box<dyn Recording> {
    let mut histogram: Histogram<u64> = Histogram::new(3).expect("three significant figures are allowed");
    let mut value = 0;
    closure(sink, move |_| {
        value = value % 1024 + 1;
        histogram.record(black_box(value)).map_err(|error| ModuleError::Other(error.to_string()))
    })
}

pub(super) fn sink_growth(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let growth = sink.open("growth", &[]).map_err(|error| ModuleError::Other(error.to_string()))?;
    Ok(closure(sink, move |sink| {
        let mut series = Series::new("filled", Unit::Nanoseconds, Direction::Neutral);
        let mut fill = |samples: u64| (0..samples).for_each(|sample| series.record(black_box(sample % 100_000)));
        fill(1_000_000);
        let before = resident_bytes()?;
        fill(2_000_000);
        let after = resident_bytes()?;
        sink.append(growth, &[after.saturating_sub(before)]).map_err(|error| ModuleError::Other(error.to_string()))
    }))
}

pub(super) fn resident_bytes() -> Result<u64, ModuleError> {
    let unavailable = || ModuleError::Unavailable("/proc/self/status has no VmRSS".to_owned());
    memory_bytes_now().ok_or_else(unavailable)
}

/// The computation that a comparison of two arms makes once per scenario.
pub(super) fn bootstrap(sink: Sink) -> Box<dyn Recording> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    // Times have a skewed distribution.
    let mut time = || 100.0 / (1.0 - 0.9 * random.random::<f64>());
    let pairs: Vec<Vec<(f64, f64)>> = (0..10).map(|_| (0..2_000).map(|_| (time(), time())).collect()).collect();
    closure(sink, move |_| {
        let ratios = bench_stats::paired_ratios(black_box(&pairs), 1);
        black_box(ratios).map(|_| ()).ok_or_else(|| ModuleError::Other("the pairs have no ratio".to_owned()))
    })
}

/// Opens this program's file and reads its beginning: calls of the kernel, and memory that it accounts to the process.
pub(super) fn file_read(sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let program = std::env::current_exe().map_err(|error| ModuleError::Unavailable(error.to_string()))?;
    let mut buffer = vec![0; 4096];
    Ok(closure(sink, move |_| {
        let read = File::open(&program).and_then(|mut file| file.read_exact(&mut buffer));
        _ = black_box(&buffer);
        read.map_err(|error| ModuleError::Other(error.to_string()))
    }))
}

/// Runs `bench-host list` on the components of the project.
pub(super) fn list(sink: Sink, plugins: &Path) -> Result<Box<dyn Recording>, ModuleError> {
    let unavailable = |error: String| ModuleError::Unavailable(format!("{error}; run `cargo xtask plugins`"));
    let files = paths::modules(&[plugins.to_owned()]).map_err(|error| unavailable(error.to_string()))?;
    let files: Vec<_> = files.into_iter().filter(|file| paths::is_component(file)).collect();
    if files.is_empty() {
        return Err(unavailable(format!("no components in {}", plugins.display())));
    }
    let program = std::env::current_exe().map_err(|error| ModuleError::Unavailable(error.to_string()))?;
    Ok(closure(sink, move |_| {
        let status =
            Command::new(&program).arg("list").args(&files).stdin(Stdio::null()).stdout(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(ModuleError::Other(format!("`bench-host list` ended with {status}"))),
            Err(error) => Err(ModuleError::Other(format!("`bench-host list` cannot be started: {error}"))),
        }
    }))
}

/// The two series of a metric, one for each path.
pub(super) fn by_path(sink: &mut Sink, metric: &str) -> Result<[bench_sink::SeriesId; 2], ModuleError> {
    let mut open = |path: &str| sink.open(metric, &[("path".to_owned(), path.to_owned())]);
    let both = open("host").and_then(|host| Ok([host, open("bare")?]));
    both.map_err(|error| ModuleError::Other(error.to_string()))
}
