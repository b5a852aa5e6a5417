//! Splits the time of a transfer into consecutive stages.

use bench_plugin::pipeline::Batches;
use std::time::{Duration, Instant};

/// Splits the time since its start into stages.
#[derive(Debug)]
pub struct Stopwatch<const N: usize> {
    names: [&'static str; N],
    spent: [Duration; N],
    last: Instant,
}

impl<const N: usize> Stopwatch<N> {
    /// Starts the clock for these stages.
    pub fn start(names: [&'static str; N]) -> Self {
        Self { names, spent: [Duration::ZERO; N], last: Instant::now() }
    }

    /// Adds the time since the last call to this stage.
    pub fn lap(&mut self, stage: usize) {
        let now = Instant::now();
        self.spent[stage] += now - self.last;
        self.last = now;
    }

    /// Returns all stages.
    pub fn report(&self, batches: &mut Batches<'_>) {
        for (name, spent) in self.names.iter().zip(self.spent) {
            batches.stage(name, u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX));
        }
    }
}
