//! What every figure of a profile states: the machine, the program and the seed.

use crate::fingerprint::fingerprint;
use anyhow::Context;
use bench_report::machine_name;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::RunSummary;
use std::path::Path;

/// Where the figures of a profile come from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The machine and the program.
    pub(super) fingerprint: Fingerprint,
    /// The seed of the plan whose cells are profiled.
    pub(super) seed: u64,
}

impl Source {
    /// This machine, and a plan of this seed; `results` is the folder of the run directories.
    pub(super) fn here(results: &Path, seed: u64) -> Self {
        Self { fingerprint: fingerprint(results), seed }
    }

    /// The machine and the seed of the run in `directory`.
    pub(super) fn of_run(directory: &Path) -> anyhow::Result<Self> {
        let summary = RunSummary::of(directory)?;
        let run = summary.with_context(|| format!("{} has no head of a run", directory.display()))?.run;
        Ok(Self { fingerprint: run.fingerprint, seed: run.seed })
    }

    /// `A Processor × 2, linux 6.1.0; bench-host 0.1.0; seed 7`.
    pub(super) fn line(&self) -> String {
        let (machine, program) = (machine_name(&self.fingerprint), &self.fingerprint.host_version);
        format!("{machine}; bench-host {program}; seed {}", self.seed)
    }
}
