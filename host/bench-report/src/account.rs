//! The resource usage of operations, summed over all processes.

use bench_sink::runfile::{AccountRecord, HardwareRecord, OutlierRecord};

/// What an operation of a cell used and did. What could not be counted is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountView {
    /// Operations that were counted: what follows, up to the bytes, is of one of them.
    pub counted: u64,
    /// Instructions of the module, as the engine counts them.
    pub instructions: Option<f64>,
    /// Calls of the host, by import, where the arm has imports.
    pub host_calls: Option<Vec<(String, f64)>>,
    /// Bytes that the host's own functions took out of the module's memory.
    pub lifted_bytes: Option<f64>,
    /// Bytes that the host's own functions put into the module's memory.
    pub lowered_bytes: Option<f64>,
    /// Operations during which the process was watched: processor time, faults and switches are of one of them.
    pub watched: u64,
    /// Processor time, in all threads of the process.
    pub cpu_ns: Option<f64>,
    /// Memory that a process had resident before the watched operations, with the host's own.
    pub memory_bytes_before: Option<u64>,
    /// The most memory a process had resident during the watched operations.
    pub memory_bytes_peak: Option<u64>,
    /// Page faults without a read.
    pub faults_minor: Option<f64>,
    /// Page faults that had to read.
    pub faults_major: Option<f64>,
    /// Context switches because it waited.
    pub switches_voluntary: Option<f64>,
    /// Context switches because another ran.
    pub switches_involuntary: Option<f64>,
    /// The most memory a process ever had resident, with the host's own.
    pub memory_bytes_max: Option<u64>,
    /// Machine code of the whole module.
    pub code_bytes: Option<u64>,
    /// What the processor counted of the watched operations, or why nothing.
    pub hardware: Option<HardwareRecord>,
    /// What happened during the slowest samples.
    pub outliers: Option<OutlierRecord>,
}

impl AccountView {
    /// `record`, brought to one operation.
    pub fn of(record: &AccountRecord) -> Self {
        let counted = |total: Option<u64>| per_operation(total?, record.counted);
        let watched = |total: Option<u64>| per_operation(total?, record.watched);
        let calls = record.host_calls.as_ref().filter(|_| record.counted > 0);
        let call = |(name, total): &(String, u64)| (name.clone(), *total as f64 / record.counted as f64);
        Self {
            counted: record.counted,
            instructions: counted(record.instructions),
            host_calls: calls.map(|calls| calls.iter().map(call).collect()),
            lifted_bytes: counted(record.lifted_bytes),
            lowered_bytes: counted(record.lowered_bytes),
            watched: record.watched,
            cpu_ns: watched(record.cpu_ns),
            memory_bytes_before: record.memory_bytes_before,
            memory_bytes_peak: record.memory_bytes_peak,
            faults_minor: watched(record.faults_minor),
            faults_major: watched(record.faults_major),
            switches_voluntary: watched(record.switches_voluntary),
            switches_involuntary: watched(record.switches_involuntary),
            memory_bytes_max: record.memory_bytes_max,
            code_bytes: record.code_bytes,
            hardware: record.hardware.clone(),
            outliers: record.outliers.clone(),
        }
    }
}

/// One account of all of `records`; none of none. It keeps the cell and the process of the first.
pub(crate) fn merge(records: impl IntoIterator<Item = AccountRecord>) -> Option<AccountRecord> {
    records.into_iter().reduce(sum)
}

fn per_operation(total: u64, operations: u64) -> Option<f64> {
    (operations > 0).then(|| total as f64 / operations as f64)
}

fn sum(a: AccountRecord, b: AccountRecord) -> AccountRecord {
    let watched = |of: fn(&AccountRecord) -> Option<u64>| both((a.watched, of(&a)), (b.watched, of(&b)), |a, b| a + b);
    let counted = |of: fn(&AccountRecord) -> Option<u64>| both((a.counted, of(&a)), (b.counted, of(&b)), |a, b| a + b);
    AccountRecord {
        cell: a.cell,
        process: a.process,
        watched: a.watched + b.watched,
        cpu_ns: watched(|one| one.cpu_ns),
        memory_bytes_before: a.memory_bytes_before.max(b.memory_bytes_before),
        memory_bytes_peak: a.memory_bytes_peak.max(b.memory_bytes_peak),
        memory_bytes_max: a.memory_bytes_max.max(b.memory_bytes_max),
        faults_minor: watched(|one| one.faults_minor),
        faults_major: watched(|one| one.faults_major),
        switches_voluntary: watched(|one| one.switches_voluntary),
        switches_involuntary: watched(|one| one.switches_involuntary),
        counted: a.counted + b.counted,
        lifted_bytes: counted(|one| one.lifted_bytes),
        lowered_bytes: counted(|one| one.lowered_bytes),
        instructions: counted(|one| one.instructions),
        code_bytes: a.code_bytes.max(b.code_bytes),
        hardware: both((a.watched, a.hardware), (b.watched, b.hardware), sum_hardware),
        // One process is looked into.
        outliers: a.outliers.or(b.outliers),
        host_calls: both((a.counted, a.host_calls), (b.counted, b.host_calls), sum_calls),
    }
}

/// A figure over the operations of both. Where one of them counted operations and lacks the figure there is none: the sum
/// would be of fewer operations than it is divided by.
fn both<T>(a: (u64, Option<T>), b: (u64, Option<T>), add: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        ((0, None), (_, figure)) | ((_, figure), (0, None)) => figure,
        ((_, a), (_, b)) => Some(add(a?, b?)),
    }
}

fn sum_hardware(a: HardwareRecord, b: HardwareRecord) -> HardwareRecord {
    match (a, b) {
        (
            HardwareRecord::Counted { cycles, instructions, cache_misses, branch_misses },
            HardwareRecord::Counted {
                cycles: more_cycles,
                instructions: more_instructions,
                cache_misses: more_cache_misses,
                branch_misses: more_branch_misses,
            },
        ) => HardwareRecord::Counted {
            cycles: cycles + more_cycles,
            instructions: instructions + more_instructions,
            cache_misses: cache_misses + more_cache_misses,
            branch_misses: branch_misses + more_branch_misses,
        },
        (HardwareRecord::Absent(why), _) | (_, HardwareRecord::Absent(why)) => HardwareRecord::Absent(why),
    }
}

fn sum_calls(mut a: Vec<(String, u64)>, b: Vec<(String, u64)>) -> Vec<(String, u64)> {
    for (name, calls) in b {
        match a.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += calls,
            None => a.push((name, calls)),
        }
    }
    a
}
