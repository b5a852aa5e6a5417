//! Why a peer cannot be started, or does not answer.

use bench_model::ModuleError;
use shm_ring::{Corrupt, RingError};
use std::time::Duration;

/// Why a peer cannot be started, or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It cannot run on the requested CPUs.
    #[error(transparent)]
    Placement(#[from] ModuleError),
    /// A ring cannot be opened.
    #[error("the rings to the peer: {0}")]
    Ring(#[from] RingError),
    /// The process cannot be started.
    #[error("the peer process cannot be started: {0}; see the limit of processes (ulimit -u) and the free memory")]
    Start(std::io::Error),
    /// There are too many of them.
    #[error("this process already has {} peers, the most allowed; drop one first", crate::PEERS_MAX)]
    TooMany,
    /// The process has ended.
    #[error("the peer process {pid} {end}, and {waited_for} never came; open the session again")]
    Gone {
        /// Its process id.
        pid: u32,
        /// The end of the process, as text.
        end: String,
        /// The message that was expected.
        waited_for: &'static str,
    },
    /// The process runs and does not answer.
    #[error("the peer process {pid} has been silent for {} s, and {waited_for} did not come; check whether something stopped it", patience.as_secs_f64())]
    Silent {
        /// Its process id.
        pid: u32,
        /// The time the caller waited.
        patience: Duration,
        /// The message that was expected.
        waited_for: &'static str,
    },
    /// The message is empty or too long.
    #[error("a message of {len} bytes cannot be sent to the peer; send 1 to {most}")]
    Length {
        /// Its length.
        len: usize,
        /// The longest length.
        most: usize,
    },
    /// The ring from the peer is damaged.
    #[error("the ring from the peer is damaged: {0}")]
    Corrupt(#[from] Corrupt),
    /// The answer is not a tally.
    #[error(
        "the peer answered with {found} bytes that are not a tally; receive all answers before asking for the tally"
    )]
    NoTally {
        /// The length of the answer.
        found: usize,
    },
}

impl PeerError {
    /// Whether the machine lacks something, as opposed to a failure.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Placement(ModuleError::Unavailable(_)) | Self::Ring(RingError::Unsupported))
    }
}
