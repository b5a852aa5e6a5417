//! Sessions that read the clock around each append, so that what a log is compared with (a raw loop, a raw write and sync, an
//! open loop's schedule) is interleaved with it and timed apart.
//!
//! A probe implements [`Journal`](crate::Journal) for its log, describes its scenarios with [`crate::scenario`], and opens
//! sessions with [`append`] and [`append_batch`]: the clock starts and stops at the same places for each of them.

mod append;
mod append_batch;
mod folder;
mod meter;
mod raw;
mod schedule;

pub use append::{AppendOptions, append};
pub use append_batch::{BatchOptions, append_batch};
pub use folder::Folder;
pub use meter::{Bench, Meter, Stopwatch, elapsed_ns};
pub use raw::{RawCommits, RawPages};
pub use schedule::{ArrivalRate, Schedule};
