//! Which run is resumed: the one that was named, or the newest that is not finished and was begun with the same words. It looks
//! at the beginning and the end of run files alone.

use super::ANEW;
use super::words::Words;
use crate::paths;
use anyhow::Context;
use bench_sink::runfile::{Glimpse, ReadError, RunRecord};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A run that could be resumed.
pub(super) struct Found {
    pub(super) directory: PathBuf,
    pub(super) run: RunRecord,
    pub(super) is_finished: bool,
}

impl Found {
    /// The run in `directory`, where one was begun there.
    fn at(directory: &Path) -> Result<Option<Self>, ReadError> {
        let found = |glimpse: Glimpse| {
            let is_finished = glimpse.is_finished();
            Self { directory: directory.to_owned(), run: glimpse.run, is_finished }
        };
        Ok(Glimpse::of(directory)?.map(found))
    }
}

/// The run in `directory`.
pub(super) fn named(directory: &Path) -> anyhow::Result<Found> {
    let shown = directory.display();
    match Found::at(directory) {
        Err(ReadError::Io { source, .. })
            if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            anyhow::bail!("{shown} is no run directory; what is run is said before --resume, a run directory behind it")
        }
        found => found?.with_context(|| format!("{shown}: the run was stopped before it began; {ANEW}")),
    }
}

/// The newest unfinished run in `out` that was begun with the words that are `given`; the newest finished one where there is no
/// other.
pub(super) fn newest(out: &Path, given: &Words) -> anyhow::Result<Found> {
    let mut finished = None;
    let runs = match paths::runs(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        runs => runs.with_context(|| format!("cannot read {}; name a run directory behind --resume", out.display()))?,
    };
    for directory in runs {
        // What cannot be read was begun by another program, or is no run.
        let Ok(Some(found)) = Found::at(&directory) else { continue };
        match Words::of(&found.run.command) {
            Ok(begun) if given.name_the_same_as(&begun) => {}
            _ => continue,
        }
        if !found.is_finished {
            return Ok(found);
        }
        finished.get_or_insert(found);
    }
    finished.with_context(|| {
        format!(
            "there is no run of {} in {} to resume; {ANEW}, or name a run directory behind it",
            given.named(),
            out.display()
        )
    })
}
