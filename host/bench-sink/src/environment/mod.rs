//! Reads the properties of the machine that limit, slow or interrupt a run. A property that the system does not report is absent.

mod cgroup;
mod contention;
mod hypervisor;
mod memory;
mod processors;
mod storage;
mod warning;
mod witness;

pub use cgroup::{Cgroup, Throttling};
pub use hypervisor::hypervisor;
pub use memory::{machine_memory_bytes, memory_bytes};
pub use processors::{aslr, boost, clock_ticks, huge_pages, kinds, smt, steal, stolen_share};
pub use storage::{FileSystem, file_system};
pub use warning::{Warning, WarningRecord, warnings};
pub use witness::{Reading, Witness, usable_cpus};

use std::path::Path;

/// Identifies the running kernel: another after each boot. Processes with equal ones share a machine.
pub fn boot_id() -> Option<String> {
    read("/proc/sys/kernel/random/boot_id")
}

/// The trimmed text of a file; `None` if it does not exist, cannot be read, or is empty.
pub(crate) fn read(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
