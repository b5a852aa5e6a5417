//! Why a peer cannot be had, or does not do what it is asked. It must not know what it was asked for.

use bench_model::ModuleError;
use shm_ring::{Corrupt, RingError};
use std::time::Duration;

/// Why a peer cannot be had, or does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It cannot run where it is to run.
    #[error(transparent)]
    Placement(#[from] ModuleError),
    /// A ring cannot be had.
    #[error("the rings to the peer: {0}")]
    Ring(#[from] RingError),
    /// There is no second process.
    #[error(
        "the peer process cannot be started: {0}; see the limit of processes (ulimit -u) and the memory that is free"
    )]
    Start(std::io::Error),
    /// It has ended.
    #[error("the peer process {pid} {end}, and {waited_for} never came; open the session again")]
    Gone {
        /// Its process id.
        pid: u32,
        /// How it ended.
        end: String,
        /// What it owed.
        waited_for: &'static str,
    },
    /// It is there and does nothing.
    #[error("the peer process {pid} has been silent for {} s, and {waited_for} did not come; see whether something stopped it", patience.as_secs_f64())]
    Silent {
        /// Its process id.
        pid: u32,
        /// How long it was waited for.
        patience: Duration,
        /// What it owed.
        waited_for: &'static str,
    },
    /// A message of a length that cannot be sent.
    #[error("a message of {len} bytes cannot be sent to the peer; send 1 to {most}")]
    Length {
        /// Its length.
        len: usize,
        /// The length of the longest that can.
        most: usize,
    },
    /// The ring from the peer holds what the peer did not write.
    #[error("the ring from the peer is damaged: {0}")]
    Corrupt(#[from] Corrupt),
    /// Something came that was not asked for.
    #[error("the peer answered with {found} bytes that are no tally; take all answers before the tally is asked for")]
    NoTally {
        /// The length of what came.
        found: usize,
    },
}

impl PeerError {
    /// Whether this machine cannot, rather than something having gone wrong.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Placement(ModuleError::Unavailable(_)) | Self::Ring(RingError::Unsupported))
    }
}
