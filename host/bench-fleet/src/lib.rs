//! One run that several machines measure. Either each measures a shard, and the run files of all shards become one; or agents, which are
//! child processes here or at the other end of `ssh`, take groups of cells from a queue, and what they measured is merged the same way.

mod agent;
mod classes;
mod clock;
mod collect;
mod coordinator;
mod error;
mod fleet;
mod loopback;
mod merge;
mod own;
mod part;
mod place;
mod protocol;
mod queue;
mod status;
mod verify;
mod watchers;

pub use agent::{AgentTask, Orders, Received, Served, Uplink, listen, serve};
pub use classes::{ClassError, classify};
pub use clock::wall_ns;
pub use collect::{Collected, Collector, FleetFolder, ShardOf, contradiction, has_head, write_shard};
pub use coordinator::{AgentState, COMMON_GROUP, Coordinator, Event, HAND_MAX, Order};
pub use error::MergeError;
pub use fleet::{Fleet, FleetError, FleetObserver, JOIN, RESTARTS, Visitor};
pub use loopback::Loopback;
pub use merge::{Checks, Merged, merge, merge_stopped};
pub use own::own_blocks;
pub use place::{AgentPlace, Place, agents};
pub use protocol::{FromAgent, HostCard, ModuleDigest, PROTOCOL, ProtocolError, Spec, ToAgent};
pub use queue::{
    AgentId, Blocks, ClassId, Completed, Embedded, LOSSES_MAX, Lease, Part, Progress, Queue, QueueError, Stored,
    Subject,
};
pub use status::{AgentStatus, ClassStatus, FleetStatus, RunLock};
pub use verify::{Verified, VerifyError, verify};
pub use watchers::Watchers;
