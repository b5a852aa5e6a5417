//! Why a fleet cannot begin or go on.

use crate::classes::ClassError;
use crate::queue::QueueError;
use std::io;

/// The reason why a fleet cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The program of an agent cannot be started.
    #[error("agent {agent} cannot be started: {source}")]
    Start {
        /// The agent.
        agent: String,
        /// The error of the system.
        source: io::Error,
    },
    /// An agent ended before it introduced itself.
    #[error(
        "agent {agent} did not join: {reason}; check that `bench-host --version` works there, or leave it out of --on"
    )]
    NotJoined {
        /// The agent.
        agent: String,
        /// What it printed last, or how it ended.
        reason: String,
    },
    /// Fewer agents came than were expected.
    #[error(
        "only {found} of {expected} agents came within {seconds} s; start others with `bench-host agent --on`, or give a smaller --nodes"
    )]
    TooFew {
        /// How many came.
        found: usize,
        /// How many were expected.
        expected: usize,
        /// How long they were waited for.
        seconds: u64,
    },
    /// An agent was not started elsewhere, or has ended there and is not started again.
    #[error("agent {agent} does not come: {reason}")]
    NotStarted {
        /// The agent.
        agent: String,
        /// What happened to it.
        reason: String,
    },
    /// An agent cannot measure the plan.
    #[error("agent {agent} cannot measure this run: {reason}")]
    Refused {
        /// The agent.
        agent: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Interrupted before anything was measured.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// The agents do not belong together.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
}
