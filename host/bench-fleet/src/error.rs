//! Why shards cannot be merged.

use bench_sink::runfile::{ReadError, WriteError};
use std::io;
use std::path::PathBuf;

/// The reason why run directories cannot be merged. Each error names a directory and says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A run file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The merged run cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What an agent kept of itself cannot be read.
    #[error("cannot read {}", .0.display())]
    Card(PathBuf, #[source] io::Error),
    /// There is no complete head in the run file.
    #[error("{}: the run was interrupted before it measured anything; measure the shard again", .0.display())]
    Headless(PathBuf),
    /// The run measured a whole plan.
    #[error("{}: not a shard; run each shard with `--shard K/N`", .0.display())]
    NotAShard(PathBuf),
    /// Another run, plan, program or number of shards.
    #[error("{} and {} are shards of different runs: {what}; merge only shards of one command line, program and set of modules", first.display(), other.display())]
    Different {
        /// The first directory.
        first: PathBuf,
        /// The directory that differs from it.
        other: PathBuf,
        /// What differs.
        what: String,
    },
    /// Two directories hold the same shard with different content.
    #[error("{} and {} both hold shard {number}, with different results; merge only one of them", first.display(), other.display())]
    Twice {
        /// The first directory.
        first: PathBuf,
        /// The other directory.
        other: PathBuf,
        /// The number of the shard.
        number: u32,
    },
    /// Two directories hold what one agent of a fleet kept, with different content.
    #[error("{} and {} are both of agent {agent}, with different content; merge only the folder that the agent itself kept", first.display(), other.display())]
    AgentTwice {
        /// The first directory.
        first: PathBuf,
        /// The other directory.
        other: PathBuf,
        /// The name of the agent.
        agent: String,
    },
    /// A repetition is in two shards.
    #[error("{} and {} both hold cell {cell}, process {process}; merge only shards of one run", first.display(), other.display())]
    Overlap {
        /// The first directory.
        first: PathBuf,
        /// The other directory.
        other: PathBuf,
        /// The number of the cell.
        cell: u32,
        /// The number of the repetition.
        process: u32,
    },
    /// Some shards are not there.
    #[error("shard {missing} of {of} is missing; measure it with `--shard {missing}/{of}`, then merge all shards")]
    Missing {
        /// The first one that is missing.
        missing: u32,
        /// The number of shards.
        of: u32,
    },
    /// A shard was interrupted.
    #[error("{}: the shard did not end; finish it with `--resume {}`", .0.display(), .0.display())]
    Unfinished(PathBuf),
    /// The shards were measured by unlike machines.
    #[error("{} and {} were measured on unlike machines: {what}; give --across-machines to merge them nevertheless", first.display(), other.display())]
    Machines {
        /// The first directory.
        first: PathBuf,
        /// The other directory.
        other: PathBuf,
        /// What differs.
        what: String,
    },
    /// Two shards were measured at the same time by one machine.
    #[error("{} and {} were measured at the same time on one machine, so they disturbed each other; give --share-machine to merge them nevertheless", first.display(), other.display())]
    SharedMachine {
        /// The first directory.
        first: PathBuf,
        /// The other directory.
        other: PathBuf,
    },
}
