//! The machine as a condition of the figures: what limits, slows or interrupts a run. Every fact is read here, once, and is absent
//! where the system does not say it.

mod cgroup;
mod processors;
mod storage;
mod warning;
mod witness;

pub use cgroup::{Cgroup, Throttling};
pub use processors::{aslr, boost, clock_ticks, huge_pages, kinds, smt, steal, stolen_share};
pub use storage::{FileSystem, file_system};
pub use warning::{Warning, WarningRecord, warnings};
pub use witness::{Reading, Witness};

use std::path::Path;

/// The trimmed text of a file; nothing where it is not there, cannot be read, or is empty.
pub(crate) fn read(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
