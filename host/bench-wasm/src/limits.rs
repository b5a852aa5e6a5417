//! The resource limits of components. A component that exceeds one is stopped with an error that names the limit.

use wasmtime::{ResourceLimiter, Result};

/// The resource limits of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Total bytes of linear memory.
    pub memory_bytes_max: usize,
    /// Elements of one table.
    pub table_elements_max: usize,
    /// Core instances, memories and tables, each.
    pub instances_max: usize,
    /// Bytes that one call may pass to the host: samples, log lines, returned text.
    pub handed_over_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 1 << 30,
            table_elements_max: 300_000,
            instances_max: INSTANCES_MAX,
            handed_over_bytes_max: 64 << 20,
        }
    }
}

impl Limits {
    /// The same without those that a pool needs, because it reserves room for all.
    pub(crate) fn on_demand(self) -> Self {
        Self { table_elements_max: TABLE_ELEMENTS_ON_DEMAND_MAX, instances_max: INSTANCES_ON_DEMAND_MAX, ..self }
    }
}

/// Maximum number of instances, memories and tables of one store in a pool; components of common toolchains have a few.
pub(crate) const INSTANCES_MAX: usize = 64;

/// The same outside of a pool.
const INSTANCES_ON_DEMAND_MAX: usize = 10_000;

/// The elements of one table that does not come from a pool.
const TABLE_ELEMENTS_ON_DEMAND_MAX: usize = 10_000_000;

/// What to do about an error of the engine, if it is that a store has too many instances, memories or tables.
pub(crate) fn advice(reason: &str) -> &'static str {
    if reason.contains("count too high at ") { "; link fewer core modules, memories and tables into it" } else { "" }
}

/// Maximum number of resources that the host holds for one store at the same time, such as fields, bodies, streams and files.
pub(crate) const RESOURCES_MAX: usize = 1 << 16;

/// Counts the resource usage of one store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limiter {
    limits: Limits,
    memory_bytes: usize,
    /// By how much a memory was last allowed to grow. The system may refuse it afterwards.
    growth: usize,
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, memory_bytes: 0, growth: 0 }
    }

    /// The size of all linear memories.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes as u64
    }
}

impl ResourceLimiter for Limiter {
    /// The engine asks before it looks at the maximum that the memory itself has.
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.growth = 0;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.memory_bytes + desired.saturating_sub(current);
        if wanted > self.limits.memory_bytes_max {
            let mib = |bytes: usize| bytes.div_ceil(1 << 20);
            return Err(wasmtime::Error::msg(format!(
                "requested {} MiB of memory, but the limit is {} MiB; allow more with --memory",
                mib(wanted),
                mib(self.limits.memory_bytes_max)
            )));
        }
        self.growth = wanted - self.memory_bytes;
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.memory_bytes -= std::mem::take(&mut self.growth);
        Ok(())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        if desired > self.limits.table_elements_max {
            let limit = self.limits.table_elements_max;
            // A component that needs it from the start has instances of its own instead of those of the pool.
            let next = if desired <= TABLE_ELEMENTS_ON_DEMAND_MAX {
                format!(
                    "; declare the table with as many from the start, where up to {TABLE_ELEMENTS_ON_DEMAND_MAX} are allowed"
                )
            } else {
                String::new()
            };
            return Err(wasmtime::Error::msg(format!(
                "requested a table of {desired} elements, but the limit is {limit}{next}"
            )));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances_max
    }

    fn tables(&self) -> usize {
        self.limits.instances_max
    }

    fn memories(&self) -> usize {
        self.limits.instances_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_limited_together() {
        let mut limiter = Limiter::new(Limits { memory_bytes_max: 100 << 20, ..Limits::default() });
        assert!(limiter.memory_growing(0, 60 << 20, None).is_ok_and(|is_allowed| is_allowed));
        let second = limiter.memory_growing(0, 60 << 20, None).unwrap_err().to_string();
        assert_eq!(second, "requested 120 MiB of memory, but the limit is 100 MiB; allow more with --memory");
        assert!(limiter.memory_growing(60 << 20, 100 << 20, None).is_ok_and(|is_allowed| is_allowed));
        assert_eq!(limiter.memory_bytes(), 100 << 20);
    }

    #[test]
    fn memory_that_did_not_grow_is_not_counted() {
        let mut limiter = Limiter::new(Limits { memory_bytes_max: 100 << 20, ..Limits::default() });
        assert!(limiter.memory_growing(0, 1 << 20, Some(2 << 20)).is_ok_and(|is_allowed| is_allowed));
        assert!(limiter.memory_growing(1 << 20, 3 << 20, Some(2 << 20)).is_ok_and(|is_allowed| !is_allowed));
        limiter.memory_grow_failed(wasmtime::Error::msg("its own maximum")).unwrap();
        assert_eq!(limiter.memory_bytes(), 1 << 20);
        assert!(limiter.memory_growing(1 << 20, 2 << 20, Some(2 << 20)).is_ok_and(|is_allowed| is_allowed));
        for _ in 0..2 {
            limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
            assert_eq!(limiter.memory_bytes(), 1 << 20);
        }
    }
}
