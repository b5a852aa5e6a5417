//! One run that several machines measure: each measures a shard of the plan, and the run files of all shards become one.

mod error;
mod merge;
mod part;

pub use error::MergeError;
pub use merge::{Checks, Merged, merge};
