//! Counts the resource usage of a scenario's operations. Nothing is timed here, so that the cost of counting is in no figure.

use super::outliers::outliers;
use super::{bound_cpu, verify};
use crate::{Module, Task};
use bench_engine::hardware::{HardwareCounters, HardwareCounts};
use bench_engine::usage::{self, Usage};
use bench_engine::{Clock, MonotonicClock, first};
use bench_model::ModuleError;
use bench_sink::runfile::{AccountRecord, HardwareRecord, OutlierRecord};

/// The number of operations that are counted: enough to include rare events, few enough to count.
const COUNTED: u64 = 8;

/// Operations are observed until this much time has passed, or this many were executed.
const WATCHED_NS: u64 = 20_000_000;
const WATCHED_MAX: u64 = 1 << 24;

/// How often the hardware counters are read to find out what a reading costs.
const READINGS: u32 = 100;

/// Counts operations of `task` in a session of its own, and reads the resource usage of others. The system counts per process, so the
/// process must not do anything else.
pub fn account(module: &mut dyn Module, task: &Task<'_>) -> Result<AccountRecord, ModuleError> {
    // On the processor that the figures are measured on.
    bound_cpu(task.scenario);
    let Watched { operations: watched, used, cpu_ns, memory_bytes_before, memory_bytes_peak, hardware, outliers } =
        watch(module, task)?;
    let counts = module.count(task.scenario, task.arguments, COUNTED)?;
    Ok(AccountRecord {
        cell: task.repetition.cell,
        process: task.repetition.process,
        watched,
        cpu_ns: Some(cpu_ns),
        memory_bytes_before,
        memory_bytes_peak,
        memory_bytes_max: used.memory_bytes_max,
        faults_minor: used.faults_minor,
        faults_major: used.faults_major,
        switches_voluntary: used.switches_voluntary,
        switches_involuntary: used.switches_involuntary,
        absent: None,
        counted: COUNTED,
        host_calls: counts.host_calls,
        lifted_bytes: counts.lifted_bytes,
        lowered_bytes: counts.lowered_bytes,
        instructions: counts.instructions,
        code_bytes: counts.code_bytes,
        hardware: Some(hardware),
        outliers: Some(outliers),
    })
}

/// What a warm session used.
struct Watched {
    operations: u64,
    /// Its memory is the maximum since the start of the process.
    used: Usage,
    /// Processor time of the operations.
    cpu_ns: u64,
    /// Resident memory before the operations, and the maximum during them; absent where the system cannot tell the latter from earlier.
    memory_bytes_before: Option<u64>,
    memory_bytes_peak: Option<u64>,
    hardware: HardwareRecord,
    outliers: OutlierRecord,
}

/// Watches a warm session, and then its slowest samples.
fn watch(module: &mut dyn Module, task: &Task<'_>) -> Result<Watched, ModuleError> {
    let mut session = module.open(task.scenario, task.arguments)?;
    let failed = |reason: String| ModuleError::Other(reason);
    first(session.as_mut()).map_err(|error| failed(error.to_string()))?;
    verify(session.as_mut(), &mut Vec::new()).map_err(|failure| failed(failure.reason))?;
    let clock = MonotonicClock::new();
    let start = clock.now_ns();
    let mut counters = HardwareCounters::open();
    let counted_before = counters.as_mut().ok().and_then(HardwareCounters::read);
    let (mut times, mut watched, before) = (1, 0, Usage::now());
    let memory_bytes_before = usage::restart_memory_max().then(usage::memory_bytes_now).flatten();
    let cpu_before = usage::cpu_ns();
    while clock.now_ns() - start < WATCHED_NS && watched < WATCHED_MAX {
        watched += session.iterate(times)?.operations;
        times *= 2;
    }
    let cpu_ns = usage::cpu_ns() - cpu_before;
    let used = Usage::now().since(&before);
    let memory_bytes_peak = memory_bytes_before.and(used.memory_bytes_max);
    let used = Usage { memory_bytes_max: used.memory_bytes_max.max(before.memory_bytes_max), ..used };
    let hardware = match &mut counters {
        Err(why) => HardwareRecord::Absent(why.clone()),
        Ok(open) => match (counted_before, open.read()) {
            (Some(before), Some(after)) => counted(&before, &after, reading_ns(open, &clock)),
            _ => HardwareRecord::Absent("others used the counters meanwhile".to_owned()),
        },
    };
    let outliers = outliers(session.as_mut())?;
    Ok(Watched { operations: watched, used, cpu_ns, memory_bytes_before, memory_bytes_peak, hardware, outliers })
}

/// The time of reading the counters once, after the operations.
fn reading_ns(counters: &mut HardwareCounters, clock: &impl Clock) -> f64 {
    let from = clock.now_ns();
    for _ in 0..READINGS {
        counters.read();
    }
    (clock.now_ns() - from) as f64 / f64::from(READINGS)
}

fn counted(before: &HardwareCounts, after: &HardwareCounts, reading_ns: f64) -> HardwareRecord {
    HardwareRecord::Counted {
        cycles: after.cycles - before.cycles,
        instructions: after.instructions - before.instructions,
        cache_misses: after.cache_misses - before.cache_misses,
        branch_misses: after.branch_misses - before.branch_misses,
        reading_ns: Some(reading_ns),
    }
}
