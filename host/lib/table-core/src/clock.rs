//! The clock of an operation that consists of several stages, one after the other.

use crate::allocator;
use std::time::{Duration, Instant};

/// The name of what is in no stage.
pub const OTHER: &str = "other";

/// Reads the time at the end of each stage, and what was allocated in it. A stage that is there several times is summed.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    /// The end of the last stage.
    last: Instant,
    /// The bytes that were allocated until then.
    bytes: u64,
    stages: Vec<Stage>,
}

#[derive(Clone, Debug)]
struct Stage {
    name: &'static str,
    time: Duration,
    bytes: u64,
}

impl Clock {
    /// Starts the whole and the first stage.
    pub fn start() -> Self {
        // Room for all stages, so that no stage has an allocation of the clock in it.
        let stages = Vec::with_capacity(16);
        let bytes = allocator::bytes();
        let started = Instant::now();
        Self { started, last: started, bytes, stages }
    }

    /// Ends a stage, and starts the next one.
    pub fn lap(&mut self, stage: &'static str) {
        let (now, allocated) = (Instant::now(), allocator::bytes());
        let (time, bytes) = (now - self.last, allocated.saturating_sub(self.bytes));
        (self.last, self.bytes) = (now, allocated);
        match self.stages.iter_mut().find(|known| known.name == stage) {
            Some(known) => {
                known.time += time;
                known.bytes += bytes;
            }
            None => self.stages.push(Stage { name: stage, time, bytes }),
        }
    }

    /// The bytes that were allocated in each stage, if the clock was started and read during [`allocator::counted`]; 0 otherwise.
    pub fn allocated(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.stages.iter().map(|stage| (stage.name, stage.bytes))
    }

    /// The nanoseconds of the whole, and of each stage and [`OTHER`], which add up to it.
    pub fn stop(self) -> (u64, Vec<(&'static str, u64)>) {
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let whole = ns(self.started.elapsed());
        let mut stages: Vec<_> = self.stages.into_iter().map(|stage| (stage.name, ns(stage.time))).collect();
        let rest = whole.saturating_sub(stages.iter().map(|(_, ns)| ns).sum());
        stages.push((OTHER, rest));
        (whole, stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_the_rest_add_up_to_the_whole() {
        let mut clock = Clock::start();
        for stage in ["scan", "join", "scan"] {
            clock.lap(stage);
        }
        let (whole, stages) = clock.stop();
        assert_eq!(stages.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["scan", "join", OTHER]);
        assert_eq!(stages.iter().map(|(_, ns)| ns).sum::<u64>(), whole);
    }
}
