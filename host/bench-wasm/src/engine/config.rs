//! The configuration of engines.

use super::Room;
use crate::limits::INSTANCES_MAX;
use crate::{EngineOption, Limits, Profiling, Settings};
use wasmtime::{
    Config, Enabled, Inlining, InstanceAllocationStrategy, OperatorCost, OptLevel, PoolingAllocationConfig,
    ProfilingStrategy, RegallocAlgorithm, Strategy, VariableOperatorCost,
};

/// Up to this number of written bytes of a memory or table are reset when the instance is dropped, instead of being returned to the
/// system. The next instance in its place then finds mapped pages, because a page fault takes many times as long as writing a page.
/// The kernel tells which pages were written, if it can.
const KEPT_RESIDENT_BYTES: usize = 2 << 20;

/// The address space reserved for one linear memory: 4 GiB, the maximum with 32-bit addresses.
pub(super) const MEMORY_RESERVATION: usize = 4 << 30;

/// Stacks of calls that are awaited: of each instance one that runs and one that is kept. A pool protects the end of each of its stacks
/// when it is made, so the engine's default of 1,000 costs every process 1,000 system calls.
const STACKS: u32 = 2 * INSTANCES_MAX as u32;

/// Maximum number of stacks of a pool for many, whose calls are not awaited.
const STACKS_OF_MANY_MAX: u32 = 1_000;

/// The bytes that the engine's own state of one instance may have. Only a bound: no more is allocated than is needed.
const INSTANCE_STATE_MAX: usize = 256 << 20;

/// The elements of one table in a pool for many, which reserves room for all tables.
const TABLE_ELEMENTS_OF_MANY_MAX: usize = 100_000;

/// The address space in which a memory can grow in place, where address space is limited.
const SMALL_GROWTH: u64 = 1 << 20;

/// What an operator costs where operators are counted: one, however many bytes or elements it copies.
pub(super) fn one_an_operator() -> OperatorCost {
    let mut cost = OperatorCost::new();
    cost.variable = VariableOperatorCost {
        memory_copy_per_byte: 0,
        memory_fill_per_byte: 0,
        memory_init_per_byte: 0,
        memory_grow_per_page: 0,
        table_copy_per_element: 0,
        table_fill_per_element: 0,
        table_init_per_element: 0,
        table_grow_per_element: 0,
        array_copy_per_element: 0,
        array_fill_per_element: 0,
        array_new_data_per_element: 0,
        array_init_data_per_element: 0,
        array_new_elem_per_element: 0,
        array_init_elem_per_element: 0,
        array_new_default_per_element: 0,
        array_new_per_element: 0,
    };
    cost
}

/// Whether the system limits the address space of this process.
pub(super) fn address_space_is_limited() -> bool {
    rustix::process::getrlimit(rustix::process::Resource::As).current.is_some()
}

/// Whether instances come from a pool with these settings.
pub(super) fn uses_pool(settings: &Settings) -> bool {
    !settings.has(EngineOption::OnDemand) && !settings.has_explicit_bounds()
}

/// The configuration of an engine with these limits and settings.
pub(super) fn config(limits: &Limits, settings: &Settings) -> Config {
    let allocation = match uses_pool(settings) {
        true => InstanceAllocationStrategy::Pooling(pool(limits)),
        false => InstanceAllocationStrategy::OnDemand,
    };
    let mut config = Config::new();
    config
        .profiler(match settings.profiling() {
            Profiling::PerfMap => ProfilingStrategy::PerfMap,
            Profiling::Off | Profiling::GuestSamples => ProfilingStrategy::None,
        })
        .allocation_strategy(allocation)
        .memory_init_cow(!settings.has(EngineOption::NoCow))
        .consume_fuel(settings.has(EngineOption::Fuel))
        .epoch_interruption(settings.has(EngineOption::Epoch))
        .concurrency_support(settings.has(EngineOption::Concurrency));
    generate_code(&mut config, settings);
    if settings.has_explicit_bounds() {
        // Without signals, the engine refuses the guards against speculation: they end in a fault.
        config.signals_based_traps(settings.has(EngineOption::Spectre)).memory_reservation(0).memory_guard_size(0);
    }
    if settings.has(EngineOption::OnDemand) && address_space_is_limited() {
        // Memories then have no room to grow in place, and each access is checked.
        config.memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(SMALL_GROWTH);
    }
    config
}

/// Sets how code is generated.
fn generate_code(config: &mut Config, settings: &Settings) {
    if settings.has(EngineOption::Winch) {
        config.strategy(Strategy::Winch);
        return;
    }
    config.strategy(Strategy::Cranelift).cranelift_opt_level(OptLevel::Speed);
    if settings.has(EngineOption::OptNone) {
        config.cranelift_opt_level(OptLevel::None);
    }
    if settings.has(EngineOption::Regalloc) {
        config.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }
    if settings.has(EngineOption::Inlining) {
        config.compiler_inlining(Inlining::Yes);
    }
    config.cranelift_nan_canonicalization(settings.has(EngineOption::Nan));
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances = INSTANCES_MAX as u32;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances)
        .total_memories(instances)
        .total_tables(instances)
        .total_stacks(STACKS)
        .max_core_instances_per_component(instances)
        .max_memories_per_component(instances)
        .max_tables_per_component(instances)
        .max_core_instance_size(INSTANCE_STATE_MAX)
        .max_component_instance_size(INSTANCE_STATE_MAX)
        .max_memory_size(MEMORY_RESERVATION)
        .linear_memory_keep_resident(KEPT_RESIDENT_BYTES)
        .table_keep_resident(KEPT_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto)
        .table_elements(limits.table_elements_max);
    pool
}

/// A pool for many components, each with one memory.
pub(super) fn pool_for_many(limits: &Limits, room: Room) -> PoolingAllocationConfig {
    let Room { count, cores: of_each } = room;
    let cores = count.saturating_mul(of_each);
    let mut pool = pool(limits);
    pool.total_component_instances(count)
        .total_core_instances(cores)
        .total_memories(count)
        .total_tables(cores)
        .total_stacks(count.clamp(STACKS, STACKS_OF_MANY_MAX))
        .max_core_instances_per_component(of_each)
        .max_tables_per_component(of_each)
        .table_elements(limits.table_elements_max.min(TABLE_ELEMENTS_OF_MANY_MAX))
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    pool
}
