//! Finds the run to resume: the named one, or the newest unfinished run that was started with the same arguments. Reads only the
//! beginning and the end of run files.

use super::ANEW;
use super::command_line::CommandLine;
use crate::paths;
use anyhow::Context;
use bench_sink::runfile::{ReadError, RunRecord, RunSummary};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A run that could be resumed.
pub(super) struct Found {
    pub(super) directory: PathBuf,
    pub(super) run: RunRecord,
    pub(super) is_finished: bool,
}

impl Found {
    /// The run in `directory`, if there is one.
    fn at(directory: &Path) -> Result<Option<Self>, ReadError> {
        let found = |summary: RunSummary| {
            let is_finished = summary.is_finished();
            Self { directory: directory.to_owned(), run: summary.run, is_finished }
        };
        Ok(RunSummary::of(directory)?.map(found))
    }
}

/// The run in `directory`.
pub(super) fn run_in(directory: &Path) -> anyhow::Result<Found> {
    let shown = directory.display();
    match Found::at(directory) {
        Err(ReadError::Io { source, .. })
            if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            anyhow::bail!(
                "{shown} is not a run directory; put suites and files before --resume, and a run directory after it"
            )
        }
        found => {
            found?.with_context(|| format!("{shown}: the run was interrupted before it measured anything; {ANEW}"))
        }
    }
}

/// The newest unfinished run in `out` that was started with the `given` arguments; if all are finished, the newest one.
pub(super) fn newest(out: &Path, given: &CommandLine) -> anyhow::Result<Found> {
    let mut finished = None;
    let runs = match paths::runs(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        runs => runs.with_context(|| format!("cannot read {}; give a run directory after --resume", out.display()))?,
    };
    for directory in runs {
        // A run that cannot be read was written by another program, or is not a run.
        let Ok(Some(found)) = Found::at(&directory) else { continue };
        match CommandLine::of(&found.run.command) {
            Ok(begun) if given.name_the_same_as(&begun) => {}
            _ => continue,
        }
        if !found.is_finished {
            return Ok(found);
        }
        finished.get_or_insert(found);
    }
    finished.with_context(|| {
        format!("no run of {} in {} to resume; {ANEW}, or give a run directory after it", given.named(), out.display())
    })
}
