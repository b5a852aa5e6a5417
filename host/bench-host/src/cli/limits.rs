//! The options that bound what modules may use, of every command that starts workers.

use super::values::{bytes, duration_ns};
use bench_engine::worker::Isolation;
use clap::Args;

/// What a module may use.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitArgs {
    /// Maximum memory of a component, in bytes, such as `512Mi`
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "1Gi")]
    pub(crate) memory: u64,
    /// Maximum size of a scratch folder, in bytes, such as `20Gi`; a worker that writes more is ended [default: half of the room that
    /// its file system has, at most 64Gi]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) scratch: Option<u64>,
    /// Time that a worker may take in addition to its measured time before it is killed [default: 30s, and as long as it makes
    /// progress with the operations of --iterations]
    #[arg(long, value_name = "DURATION", value_parser = duration_ns)]
    pub(crate) deadline: Option<u64>,
    /// How far workers are kept apart from the rest of the machine: `none`; `standard`, a control group and fewer rights; `strict`, also
    /// a filter of system calls, which makes each of them slower
    #[arg(long, value_name = "LEVEL", default_value_t)]
    pub(crate) isolation: Isolation,
}

impl Default for LimitArgs {
    fn default() -> Self {
        Self { memory: 1 << 30, scratch: None, deadline: None, isolation: Isolation::default() }
    }
}
