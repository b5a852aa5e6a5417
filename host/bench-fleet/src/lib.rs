//! One run that several machines measure. Either each measures a shard, and the run files of all shards become one; or agents, which are
//! child processes here or at the other end of `ssh`, or connect to a server, take groups of cells from a queue, and what they measured is
//! merged the same way.

// Helpers that unit tests share with the other tests name the crate.
#[cfg(test)]
extern crate self as bench_fleet;

#[cfg(feature = "nats")]
mod address;
mod agent;
mod aside;
mod classes;
mod clock;
mod collect;
mod coordinator;
mod error;
mod fleet;
mod inspect;
mod loopback;
#[cfg(test)]
#[path = "../tests/made_up/mod.rs"]
mod made_up;
mod merge;
#[cfg(feature = "nats")]
mod nats;
#[cfg(all(test, feature = "nats"))]
#[path = "../tests/nats_server/mod.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod nats_server;
mod own;
mod pace;
mod part;
mod place;
mod protocol;
mod queue;
mod status;
mod verify;
mod watchers;

#[cfg(feature = "nats")]
pub use address::NatsAddress;
pub use agent::{AgentTask, Orders, Received, Served, Uplink, listen, serve};
pub use classes::{ClassError, classify};
pub use clock::wall_ns;
pub use collect::{Collected, Collector, FleetFolder, ShardOf, contradiction, has_head, write_shard};
pub use coordinator::{AgentState, COMMON_GROUP, Coordinator, Event, HAND_MAX, Order, Simulated, simulate};
pub use error::MergeError;
pub use fleet::{AgentLoss, Fleet, FleetError, FleetObserver, JOIN, LossKind, RESTARTS, Visitor};
pub use inspect::{Inspector, PlannedCell};
pub use loopback::Loopback;
pub use merge::{Checks, Merged, merge, merge_stopped};
#[cfg(feature = "nats")]
pub use nats::{
    AgentLink, Guests, Invitation, LinkReader, LinkWriter, Login, NatsError, Pings, Reception, RunStream, Server,
    is_name, join_link, wait_for_invitation,
};
pub use own::{AgentCard, OwnBlocks, own_blocks};
pub use pace::Pace;
pub use place::{AgentPlace, Place, agents};
pub use protocol::{FromAgent, HostCard, LEASE_MAX, ModuleDigest, PROTOCOL, ProtocolError, Spec, ToAgent, check_lease};
#[cfg(feature = "nats")]
pub use queue::Jetstream;
pub use queue::{
    AgentId, Blocks, ClassId, Completed, Embedded, LOSSES_MAX, Lease, Part, Progress, Queue, QueueError, Stored,
    Subject,
};
pub use status::{AgentStatus, ClassStatus, FleetStatus, RunLock};
pub use verify::{Verified, VerifyError, verify};
pub use watchers::Watchers;
