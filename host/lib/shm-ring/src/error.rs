//! Why a ring cannot be opened, takes no message, or yields none.

use std::fmt;

/// Why a ring, or an end of it, cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The capacity is not allowed.
    #[error(
        "a ring of {capacity} bytes cannot be made: the capacity is a power of two from {least} to {most} bytes",
        most = crate::Ring::CAPACITY_MAX
    )]
    Capacity {
        /// The requested capacity.
        capacity: usize,
        /// The smallest capacity with this machine's page size.
        least: usize,
    },
    /// The descriptor is not that of a ring.
    #[error("the file descriptor is not that of a ring: {0}")]
    NotARing(String),
    /// The ring was made by a build with another layout.
    #[error("the ring has layout version {found}, this build knows {known}; build both ends from one source")]
    Version {
        /// The version of the ring.
        found: u32,
        /// The version of this build.
        known: u32,
    },
    /// The shared header contradicts itself.
    #[error("the ring's shared header is damaged: {0}")]
    Damaged(String),
    /// A ring has one producer and one consumer at a time.
    #[error("the ring has a {role} already, in process {pid}; close it first")]
    Busy {
        /// The end.
        role: Role,
        /// The process that holds it.
        pid: u32,
    },
    /// A system call failed.
    #[error("{call} failed")]
    System {
        /// The system call.
        call: &'static str,
        /// The error.
        source: std::io::Error,
    },
    /// This system lacks the kind of shared memory that a ring needs.
    #[error("shared-memory rings need Linux (memfd, file seals and futex)")]
    Unsupported,
}

/// An end of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The writing end.
    Producer,
    /// The reading end.
    Consumer,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        })
    }
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// There is no room now.
    #[error("the ring is full; let the consumer pop and try again")]
    Full,
    /// It does not fit an empty ring.
    #[error("the message is larger than a ring of this capacity takes")]
    TooLarge,
}

/// Why the next message cannot be read. The consumer does not move, so a retry fails in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// There is no valid record at the position.
    #[error("no record starts at byte {position} of the ring's life: found word {word:#018x}")]
    Record {
        /// Bytes since the ring was made.
        position: u64,
        /// The word found there.
        word: u64,
    },
    /// The payload is not what the producer wrote.
    #[error(
        "the message at byte {position} of the ring's life has CRC32C {found:#010x}, its record says {expected:#010x}"
    )]
    Checksum {
        /// Bytes since the ring was made.
        position: u64,
        /// What the producer computed.
        expected: u32,
        /// What the consumer computed.
        found: u32,
    },
}
