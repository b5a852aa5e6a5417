//! The resource usage of operations, summed over all processes.

use bench_sink::runfile::{AccountRecord, HardwareRecord, OutlierRecord};

/// What an operation of a cell used and did. What could not be counted is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountView {
    /// Why nothing at all was counted, if nothing was.
    pub absent: Option<String>,
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
    /// What happened during the slowest samples, or why they were not looked at.
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
            absent: record.absent.clone(),
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
    type Of = fn(&AccountRecord) -> Option<u64>;
    // What a file says may be any number.
    let watched = |of: Of| both((a.watched, of(&a)), (b.watched, of(&b)), u64::saturating_add);
    let counted = |of: Of| both((a.counted, of(&a)), (b.counted, of(&b)), u64::saturating_add);
    AccountRecord {
        cell: a.cell,
        process: a.process,
        watched: a.watched.saturating_add(b.watched),
        cpu_ns: watched(|one| one.cpu_ns),
        memory_bytes_before: a.memory_bytes_before.max(b.memory_bytes_before),
        memory_bytes_peak: a.memory_bytes_peak.max(b.memory_bytes_peak),
        memory_bytes_max: a.memory_bytes_max.max(b.memory_bytes_max),
        faults_minor: watched(|one| one.faults_minor),
        faults_major: watched(|one| one.faults_major),
        switches_voluntary: watched(|one| one.switches_voluntary),
        switches_involuntary: watched(|one| one.switches_involuntary),
        counted: a.counted.saturating_add(b.counted),
        lifted_bytes: counted(|one| one.lifted_bytes),
        lowered_bytes: counted(|one| one.lowered_bytes),
        instructions: counted(|one| one.instructions),
        code_bytes: a.code_bytes.max(b.code_bytes),
        // What one of them counted is there, with the number of its operations.
        absent: a.absent.filter(|_| b.absent.is_some()),
        hardware: both((a.watched, a.hardware), (b.watched, b.hardware), sum_hardware),
        outliers: either(a.outliers, b.outliers),
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
            HardwareRecord::Counted { cycles, instructions, cache_misses, branch_misses, reading_ns },
            HardwareRecord::Counted {
                cycles: more_cycles,
                instructions: more_instructions,
                cache_misses: more_cache_misses,
                branch_misses: more_branch_misses,
                reading_ns: other_reading_ns,
            },
        ) => HardwareRecord::Counted {
            cycles: cycles.saturating_add(more_cycles),
            instructions: instructions.saturating_add(more_instructions),
            cache_misses: cache_misses.saturating_add(more_cache_misses),
            branch_misses: branch_misses.saturating_add(more_branch_misses),
            // The longer one, where both are known.
            reading_ns: [reading_ns, other_reading_ns].into_iter().flatten().reduce(f64::max),
        },
        (HardwareRecord::Absent(why), _) | (_, HardwareRecord::Absent(why)) => HardwareRecord::Absent(why),
    }
}

/// The slowest samples of one process, because their shares are of its samples alone; a reason only where none was looked into.
fn either(a: Option<OutlierRecord>, b: Option<OutlierRecord>) -> Option<OutlierRecord> {
    match (a, b) {
        (Some(OutlierRecord::Absent(_)), Some(b)) => Some(b),
        (a, b) => a.or(b),
    }
}

fn sum_calls(mut a: Vec<(String, u64)>, b: Vec<(String, u64)>) -> Vec<(String, u64)> {
    for (name, calls) in b {
        match a.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total = total.saturating_add(calls),
            None => a.push((name, calls)),
        }
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::runfile::OutlierCounts;

    #[test]
    fn what_one_process_counted_stands_for_both() {
        let absent = || AccountRecord::without_counts(0, 0, "it crashed");
        let counts = |reading_ns| HardwareRecord::Counted {
            cycles: 20,
            instructions: 50,
            cache_misses: 1,
            branch_misses: 2,
            reading_ns,
        };
        let counted = |reading_ns| AccountRecord {
            watched: 10,
            hardware: Some(counts(reading_ns)),
            outliers: Some(OutlierRecord::Absent("too long".to_owned())),
            ..AccountRecord::default()
        };
        let both = |a, b| merge([a, b]).unwrap();
        assert_eq!(both(absent(), absent()).absent.as_deref(), Some("it crashed"));
        for merged in [both(absent(), counted(Some(900.0))), both(counted(Some(900.0)), absent())] {
            assert_eq!((merged.absent, merged.watched, merged.hardware), (None, 10, Some(counts(Some(900.0)))));
        }
        let check = |a, b, expect: Option<f64>| {
            let Some(HardwareRecord::Counted { cycles, reading_ns, .. }) = both(counted(a), counted(b)).hardware else {
                panic!("both counted");
            };
            assert_eq!((cycles, reading_ns), (40, expect));
        };
        check(Some(900.0), Some(700.0), Some(900.0));
        check(None, Some(700.0), Some(700.0));
        check(Some(700.0), None, Some(700.0));
        check(None, None, None);
    }

    #[test]
    fn slowest_samples_are_of_the_process_that_was_looked_into() {
        let absent = || Some(OutlierRecord::Absent("too long".to_owned()));
        let looked = || {
            Some(OutlierRecord::Counted(OutlierCounts {
                samples: 1_000,
                batch: 1,
                threshold_ns: 9,
                slow: 10,
                causes: Vec::new(),
                unexplained: 10,
                reading_ns: 1.0,
            }))
        };
        assert_eq!(either(absent(), looked()), looked());
        assert_eq!(either(looked(), absent()), looked());
        assert_eq!(either(None, absent()), absent());
        assert_eq!(either(absent(), None), absent());
    }
}
