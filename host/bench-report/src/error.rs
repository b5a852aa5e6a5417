//! Why a run cannot be shown. It says which record is at fault; it does not know what anybody does about it.

use bench_sink::HistogramError;
use bench_sink::runfile::ReadError;
use std::path::PathBuf;

/// A run file that no report can be made of.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It cannot be read at all.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It does not say what was run.
    #[error("{}: the run file has no `run` record; the run was stopped before it began", directory.display())]
    NoRun {
        /// The run directory.
        directory: PathBuf,
    },
    /// A series holds something else than samples.
    #[error("cell {cell}, process {process}: the samples of `{metric}` cannot be read")]
    Histogram {
        /// The cell.
        cell: u32,
        /// The repetition.
        process: u32,
        /// What was measured.
        metric: String,
        /// Why.
        #[source]
        source: HistogramError,
    },
    /// A record contradicts another, or itself.
    #[error("cell {cell}, process {process}: {reason}")]
    Inconsistent {
        /// The cell.
        cell: u32,
        /// The repetition.
        process: u32,
        /// What does not fit.
        reason: String,
    },
}

impl ReportError {
    pub(crate) fn inconsistent(cell: u32, process: u32, reason: impl Into<String>) -> Self {
        Self::Inconsistent { cell, process, reason: reason.into() }
    }
}
