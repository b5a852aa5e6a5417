//! What a component may use. A component that wants more is stopped with a reason that names the limit.

use wasmtime::{ResourceLimiter, Result};

/// What a component may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, in all.
    pub memory_bytes_max: usize,
    /// Elements of one table.
    pub table_elements_max: usize,
    /// Bytes that one call may hand over to the host: samples, log lines, returned text.
    pub handed_over_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes_max: 1 << 30, table_elements_max: 100_000, handed_over_bytes_max: 64 << 20 }
    }
}

/// Instances, memories and tables of one store; a component out of a toolchain has a handful.
pub(crate) const INSTANCES_MAX: usize = 64;

/// Counts what one store uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limiter {
    limits: Limits,
    memory_bytes: usize,
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, memory_bytes: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let wanted = self.memory_bytes + desired.saturating_sub(current);
        if wanted > self.limits.memory_bytes_max {
            let mib = |bytes: usize| bytes.div_ceil(1 << 20);
            return Err(wasmtime::Error::msg(format!(
                "asked for {} MiB of memory, and the limit is {} MiB (--memory allows more)",
                mib(wanted),
                mib(self.limits.memory_bytes_max)
            )));
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        if desired > self.limits.table_elements_max {
            return Err(wasmtime::Error::msg(format!(
                "asked for a table of {desired} elements, and the limit is {}",
                self.limits.table_elements_max
            )));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        INSTANCES_MAX
    }
}
