//! Several stages in a row, each with its own clock: what `pipeline`, `replay` and the scenarios over a user's own table have in common.

use crate::allocated;
use bench_plugin::prelude::*;
use table_core::Digest;
use table_core::allocator::counted;

pub(super) use table_core::clock::Clock;
#[cfg(test)]
pub(super) use table_core::clock::OTHER;

/// Stages over one input.
pub(super) trait Stages: 'static {
    /// Whether an operation uses buffers of the one before again, so that the first one allocates more than others.
    const REUSES_BUFFERS: bool = true;

    /// Runs them all. The clock is told the end of each, and the same ones in every operation.
    fn run(&mut self, clock: &mut Clock) -> Result<(), ModuleError>;

    /// The bytes of the input.
    fn bytes(&self) -> u64;

    /// What is checked of the last operation.
    fn checks(&self) -> Result<Vec<Check>, ModuleError>;

    /// The digest of the last result.
    fn digest(&self) -> Result<Digest, ModuleError>;

    /// Records what is known after one operation and the same in every one.
    fn record(&self, _host: Host) -> Result<(), ModuleError> {
        Ok(())
    }
}

/// A scenario with the series of its stages.
pub(super) fn described(scenario: Scenario) -> Scenario {
    let stage =
        "from the end of the stage before, or the start, to the end of this one; `other` is the rest of the whole";
    let clock = "from before the first stage until all intermediate results are freed";
    let of_stage = "bytes that are allocated in this stage, however soon they are freed, once per process";
    allocated::described(scenario.times_itself(Unit::Nanoseconds, clock))
        .metric(Metric::new("stage", Unit::Nanoseconds, stage).label("name"))
        .metric(Metric::new(allocated::OF_STAGE, Unit::Bytes, of_stage).label("name"))
}

/// A session whose operation is all stages once.
pub(super) struct StagedSession<S> {
    stages: S,
    whole: bench_plugin::Series,
    parts: Vec<(&'static str, bench_plugin::Series)>,
    first: Digest,
}

impl<S: Stages> StagedSession<S> {
    /// Opens the scenario `name`, and runs all stages without recording their times, but what they allocate.
    pub(super) fn open(name: &str, mut stages: S, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let mut operation = || {
            counted(|| {
                let mut clock = Clock::start();
                stages.run(&mut clock).map(|()| clock)
            })
        };
        let (ran, first) = operation();
        let (mut clock, mut next) = (ran?, first);
        if S::REUSES_BUFFERS {
            let (ran, counts) = operation();
            (clock, next) = (ran?, counts);
        }
        allocated::record(host, first, next)?;
        for (name, bytes) in clock.allocated() {
            host.series(allocated::OF_STAGE, &[("name", name)])?.record(bytes);
        }
        let parts = clock.stop().1.into_iter();
        let parts = parts.map(|(name, _)| Ok((name, host.series("stage", &[("name", name)])?)));
        let parts = parts.collect::<Result<Vec<_>, ModuleError>>()?;
        let first = stages.digest()?;
        stages.record(host)?;
        Ok(Box::new(Self { stages, whole: host.series(name, &[])?, parts, first }))
    }
}

impl<S: Stages> Session for StagedSession<S> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let mut clock = Clock::start();
            self.stages.run(&mut clock)?;
            let (whole, parts) = clock.stop();
            self.whole.record(whole);
            for ((_, series), (_, ns)) in self.parts.iter().zip(parts) {
                series.record(ns);
            }
        }
        let bytes = times * self.stages.bytes();
        Ok(Outcome { operations: times, bytes, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut checks = self.stages.checks()?;
        checks.push(Check::equal("same-result-as-at-first", &self.first, &self.stages.digest()?));
        Ok(checks)
    }
}

/// The stages of one operation, for tests.
#[cfg(test)]
pub(super) fn stages_of(stages: &mut impl Stages) -> (u64, Vec<(&'static str, u64)>) {
    let mut clock = Clock::start();
    stages.run(&mut clock).unwrap();
    clock.stop()
}
