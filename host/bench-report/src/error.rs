//! Why a run cannot be shown. It says which record is at fault; it does not know what anybody does about it.

use crate::Side;
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
        /// The cause.
        #[source]
        source: HistogramError,
    },
    /// It holds no cells that were interleaved.
    #[error(
        "{}: no arms of this run were interleaved; name two runs, or measure again with `bench-host compare SCENARIO`",
        directory.display()
    )]
    NotPaired {
        /// The run directory.
        directory: PathBuf,
    },
    /// One side of a comparison has no run at all.
    #[error("side {side} of the comparison has no run; name at least one run directory for each side")]
    NoSide {
        /// The side.
        side: Side,
    },
    /// Two runs were made on different machines.
    #[error(
        "{a} and {b} were made on different machines: {difference}; with `--across-machines` they are compared all the same"
    )]
    OtherMachine {
        /// One run.
        a: String,
        /// The other.
        b: String,
        /// What is unlike.
        difference: String,
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
