//! What a fleet expects of a queue: it leases groups of cells to agents, and keeps the blocks that they measured, even if messages come
//! late, twice or never.

#[cfg(test)]
mod contract;
mod embedded;
#[cfg(feature = "nats")]
mod jetstream;

pub use embedded::{Blocks, Embedded};
#[cfg(feature = "nats")]
pub use jetstream::Jetstream;

use serde::{Deserialize, Serialize};
use std::{fmt, io};

/// An agent, by its number in the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AgentId(pub u32);

/// A class of equal machines, by its number in the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClassId(pub u32);

/// What a block of an agent's run file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// One repetition of a cell.
    Repetition {
        /// The number of the cell in the plan.
        cell: u32,
        /// The number of the repetition.
        process: u32,
    },
    /// Records that belong to no cell, such as the head and the rooflines, numbered in the order of the file.
    Note(u32),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repetition { cell, process } => write!(f, "cell {cell}, process {process}"),
            Self::Note(number) => write!(f, "part {number} of its notes"),
        }
    }
}

/// The name under which a block is kept. The first block that is stored under a subject wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The agent that measured it.
    pub agent: AgentId,
    /// What it holds.
    pub part: Part,
}

/// How long an agent may keep groups without sending a message. Both are of the same monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The time at which it begins.
    pub now_ns: u64,
    /// The time at which it ends.
    pub until_ns: u64,
}

/// The outcome of storing a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is the first of its subject, and is kept.
    First,
    /// The same block is kept already.
    Known,
    /// Another block is kept under this subject; this one is not.
    Different,
}

/// The outcome of reporting a finished group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// The agent is the first to finish the group, so its blocks are those of the run.
    First,
    /// An agent finished it before; what this one measured of the group does not count.
    Known {
        /// The agent whose blocks count.
        by: AgentId,
    },
}

/// How many groups of a class are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Groups that no agent has.
    pub waiting: u32,
    /// An agent measures them.
    pub leased: u32,
    /// They are measured.
    pub finished: u32,
    /// Several agents were lost while they measured them, so they are not tried again.
    pub given_up: u32,
}

impl Progress {
    /// Whether nothing is left to measure.
    pub fn is_over(&self) -> bool {
        self.waiting == 0 && self.leased == 0
    }
}

/// The number of agents that may be lost with a group before it is given up, because it may be what ends them.
pub const LOSSES_MAX: usize = 2;

/// The reason why a queue cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No groups were submitted for this class.
    #[error("no groups of cells were submitted for class {0} of machines")]
    UnknownClass(u32),
    /// The class has fewer groups.
    #[error("class {class} of machines has no group {group}")]
    UnknownGroup {
        /// The class.
        class: u32,
        /// The group.
        group: u32,
    },
    /// A block cannot be kept.
    #[error("cannot keep a block of agent {agent}")]
    Keep {
        /// The agent.
        agent: u32,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The server that keeps the queue does not do what it is asked.
    #[error("{0}")]
    Server(String),
}

/// A queue of a fleet. Messages may come late or twice: no method assumes that the caller still holds a lease.
pub trait Queue {
    /// Adds a class, whose groups have the numbers below `groups`. A class that was submitted before stays as it is.
    fn submit(&mut self, class: ClassId, groups: u32) -> Result<(), QueueError>;

    /// Leases at most `hand` waiting groups of `class` to `agent`: first those that came back, then in the order of their numbers.
    fn claim(&mut self, class: ClassId, agent: AgentId, hand: u32, lease: Lease) -> Result<Vec<u32>, QueueError>;

    /// Extends the lease of `agent`.
    fn renew(&mut self, agent: AgentId, lease: Lease) -> Result<(), QueueError>;

    /// Keeps `block` if it is the first of its subject.
    fn store(&mut self, subject: Subject, block: &[u8]) -> Result<Stored, QueueError>;

    /// Notes that `agent` has measured the whole group, even if its lease has ended. The first one counts.
    fn complete(&mut self, class: ClassId, group: u32, agent: AgentId) -> Result<Completed, QueueError>;

    /// Takes the groups of an agent that was lost, for others to measure them anew, and returns them. A group that was lost by
    /// [`LOSSES_MAX`] different agents is given up.
    fn release(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError>;

    /// Takes the groups of an agent that was ended from outside, for others to measure them anew, and returns them. That says nothing of these
    /// groups, so none of them counts as lost.
    fn take_back(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError>;

    /// Releases the agents whose lease has ended at `now_ns`, with the groups that each of them held.
    fn expire(&mut self, now_ns: u64) -> Result<Vec<(AgentId, Vec<u32>)>, QueueError>;

    /// The earliest time at which a lease may end.
    fn wake_ns(&self) -> Option<u64>;

    /// The state of a class.
    fn progress(&self, class: ClassId) -> Result<Progress, QueueError>;

    /// The agent that finished a group first; `None` while none has.
    fn owner(&self, class: ClassId, group: u32) -> Option<AgentId>;
}

impl<Q: Queue + ?Sized> Queue for Box<Q> {
    fn submit(&mut self, class: ClassId, groups: u32) -> Result<(), QueueError> {
        (**self).submit(class, groups)
    }

    fn claim(&mut self, class: ClassId, agent: AgentId, hand: u32, lease: Lease) -> Result<Vec<u32>, QueueError> {
        (**self).claim(class, agent, hand, lease)
    }

    fn renew(&mut self, agent: AgentId, lease: Lease) -> Result<(), QueueError> {
        (**self).renew(agent, lease)
    }

    fn store(&mut self, subject: Subject, block: &[u8]) -> Result<Stored, QueueError> {
        (**self).store(subject, block)
    }

    fn complete(&mut self, class: ClassId, group: u32, agent: AgentId) -> Result<Completed, QueueError> {
        (**self).complete(class, group, agent)
    }

    fn release(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError> {
        (**self).release(agent)
    }

    fn take_back(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError> {
        (**self).take_back(agent)
    }

    fn expire(&mut self, now_ns: u64) -> Result<Vec<(AgentId, Vec<u32>)>, QueueError> {
        (**self).expire(now_ns)
    }

    fn wake_ns(&self) -> Option<u64> {
        (**self).wake_ns()
    }

    fn progress(&self, class: ClassId) -> Result<Progress, QueueError> {
        (**self).progress(class)
    }

    fn owner(&self, class: ClassId, group: u32) -> Option<AgentId> {
        (**self).owner(class, group)
    }
}
