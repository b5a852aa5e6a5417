//! Where the time of a transfer goes: stages that follow each other. It must not know what is done in a stage.

use bench_plugin::pipeline::Batches;
use std::time::{Duration, Instant};

/// Splits the time since it was started into stages.
#[derive(Debug)]
pub struct Stopwatch<const N: usize> {
    names: [&'static str; N],
    spent: [Duration; N],
    last: Instant,
}

impl<const N: usize> Stopwatch<N> {
    /// Starts it, for these stages.
    pub fn start(names: [&'static str; N]) -> Self {
        Self { names, spent: [Duration::ZERO; N], last: Instant::now() }
    }

    /// What has passed since the last call was spent in this stage.
    pub fn lap(&mut self, stage: usize) {
        let now = Instant::now();
        self.spent[stage] += now - self.last;
        self.last = now;
    }

    /// Hands all stages over.
    pub fn report(&self, batches: &mut Batches<'_>) {
        for (name, spent) in self.names.iter().zip(self.spent) {
            batches.stage(name, u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX));
        }
    }
}
