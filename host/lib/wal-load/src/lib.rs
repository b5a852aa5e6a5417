//! What a write-ahead log is driven with, whoever's log it is: payloads that can be checked, a schedule for open loops, the
//! bare loops that a log is compared with, and the sessions that the probes of several logs share. It must not know any log.
//!
//! A probe implements [`Journal`] for its log, describes its scenarios with [`scenario`], and opens sessions with
//! [`write_latency`] and [`batch_throughput`]. So the same clock starts and stops at the same places for each of them.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "the bare loops write to mapped memory")]

mod folder;
mod journal;
mod latency;
mod meter;
mod payload;
mod raw;
pub mod scenario;
mod schedule;
mod throughput;

pub use folder::Folder;
pub use journal::Journal;
pub use latency::{LatencyOptions, write_latency};
pub use meter::{Bench, Meter, Stopwatch, elapsed_ns};
pub use payload::{Payloads, ReadBack, pattern};
pub use raw::{RawCommits, RawPages};
pub use schedule::{Pace, Schedule};
pub use throughput::{ThroughputOptions, batch_throughput};
