//! One run that several machines measure: each measures a shard of the plan, and the run files of all shards become one; or a queue
//! hands out groups of cells.

mod error;
mod merge;
mod part;
mod queue;

pub use error::MergeError;
pub use merge::{Checks, Merged, merge, merge_stopped};
pub use queue::{
    AgentId, Blocks, ClassId, Completed, Embedded, LOSSES_MAX, Lease, Part, Progress, Queue, QueueError, Stored,
    Subject,
};
