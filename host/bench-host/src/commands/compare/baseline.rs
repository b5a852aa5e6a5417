//! Compares a run with a named baseline.

use super::{is_run, runs};
use crate::cli::CompareArgs;
use crate::{Exit, baselines, paths};
use std::path::PathBuf;

pub(super) fn run(arguments: &CompareArgs, name: &str) -> anyhow::Result<Exit> {
    runs::ensure_nothing_to_measure(arguments)?;
    let out = &arguments.common.shown.out;
    let baseline = baselines::directory(out, name)?;
    let candidate = match &arguments.what[..] {
        [] => paths::run_directory(None, out)?,
        [one] => PathBuf::from(one),
        more => anyhow::bail!("{} runs were given; --baseline compares one", more.len()),
    };
    anyhow::ensure!(
        is_run(&candidate),
        "{} is not a run directory; measure first with `bench-host run`, then compare with the baseline `{name}`",
        candidate.display()
    );
    anyhow::ensure!(
        candidate.file_name() != baseline.file_name(),
        "{} is the baseline `{name}` itself; make another run, or name one",
        candidate.display()
    );
    runs::compare(arguments, &baseline, &candidate)
}
