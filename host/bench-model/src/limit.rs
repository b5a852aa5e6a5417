//! Rooflines: what the machine itself can do, for comparison with figures.

use std::{fmt, str::FromStr};

/// A roofline of the machine, measured before and after every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MachineLimit {
    /// One reading of the monotonic clock.
    Clock,
    /// The cheapest system call.
    Syscall,
    /// One transfer of a cache line between two cores, one way.
    CacheLine,
    /// One byte read sequentially by one core from its caches.
    MemoryRead,
    /// One byte copied by one core, within its caches.
    MemoryCopy,
    /// One 4 KiB write and `fdatasync`.
    Fdatasync,
    /// Starting a process that does nothing and waiting until it has exited.
    Spawn,
    /// Calling an empty function of a component.
    ComponentCall,
}

impl MachineLimit {
    /// All rooflines, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Clock,
        Self::Syscall,
        Self::CacheLine,
        Self::MemoryRead,
        Self::MemoryCopy,
        Self::Fdatasync,
        Self::Spawn,
        Self::ComponentCall,
    ];

    /// The name in descriptors, run files and targets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Syscall => "syscall",
            Self::CacheLine => "cache-line",
            Self::MemoryRead => "memory-read",
            Self::MemoryCopy => "memory-copy",
            Self::Fdatasync => "fdatasync",
            Self::Spawn => "spawn",
            Self::ComponentCall => "component-call",
        }
    }

    /// Whether the roofline is a time per byte, so that an operation is compared with its number of bytes times the roofline.
    pub fn is_per_byte(self) -> bool {
        matches!(self, Self::MemoryRead | Self::MemoryCopy)
    }
}

impl fmt::Display for MachineLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MachineLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|limit| limit.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|limit| limit.as_str()).collect();
            format!("unknown roofline `{text}`; use one of {}", known.join(", "))
        })
    }
}
