//! Calibrates starting a process that does nothing, and waiting until it has exited.

use super::{Effort, absent, measured, sample};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;
use std::process::{Command, Stdio};

pub(super) fn spawn(effort: Effort) -> LimitRecord {
    let mut failure = None;
    let samples = sample(effort.slow_samples, 1, || {
        let ended = Command::new("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        failure = failure.take().or(ended.err());
    });
    match failure {
        None => measured(MachineLimit::Spawn, samples, "`true` started and waited for"),
        Some(error) => absent(MachineLimit::Spawn, format!("cannot start `true`: {error}")),
    }
}
