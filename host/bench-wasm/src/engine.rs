//! The engine, set up as every figure of this host is made: pooled, copy-on-write, without fuel, epochs or concurrency,
//! which would cost ten per cent and more of what is measured. A deadline is kept by killing the worker instead.

use crate::limits::INSTANCES_MAX;
use crate::{Cache, Limits, LoadError};
use std::path::Path;
use wasmtime::component::Component as Compiled;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// An engine, and where its code is kept.
#[derive(Debug)]
pub struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    cache: Option<Cache>,
}

/// The reservation of one linear memory, beyond which no limit can go: all that 32 bits address.
const MEMORY_RESERVATION: usize = 4 << 30;

impl Runtime {
    /// An engine for components under `limits`, whose code is kept in `cache` where there is one.
    pub fn new(limits: Limits, cache: Option<Cache>) -> Result<Self, LoadError> {
        let limits = Limits { memory_bytes_max: limits.memory_bytes_max.min(MEMORY_RESERVATION), ..limits };
        let engine = Engine::new(&config(&limits)).map_err(|error| LoadError::Engine(error.to_string()))?;
        Ok(Self { engine, limits, cache })
    }

    /// The code of the component in `bytes`, whose digest is `sha256`: mapped where it was compiled before.
    pub(crate) fn compile(&self, path: &Path, bytes: &[u8], sha256: &str) -> Result<Compiled, LoadError> {
        let compile_error = |error: wasmtime::Error| LoadError::compile(path, &error);
        let Some(cache) = &self.cache else {
            return Compiled::from_binary(&self.engine, bytes).map_err(compile_error);
        };
        if let Some(component) = cache.map(&self.engine, sha256) {
            return Ok(component);
        }
        let code = self.engine.precompile_component(bytes).map_err(compile_error)?;
        match cache.keep(&self.engine, sha256, &code) {
            Ok(component) => Ok(component),
            Err(error) => {
                tracing::warn!(%error, file = %path.display(), "compiled code is not kept; the next start compiles again");
                Compiled::from_binary(&self.engine, bytes).map_err(compile_error)
            }
        }
    }
}

fn config(limits: &Limits) -> Config {
    let instances = INSTANCES_MAX as u32;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances)
        .total_memories(instances)
        .total_tables(instances)
        .max_core_instances_per_component(instances)
        .max_memories_per_component(instances)
        .max_tables_per_component(instances)
        .max_memory_size(MEMORY_RESERVATION)
        .table_elements(limits.table_elements_max);
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_init_cow(true)
        .consume_fuel(false)
        .epoch_interruption(false)
        .concurrency_support(false);
    config
}
