//! Finds the processors that this process may use, and binds threads to them. Placement influences figures, so it is recorded in
//! every cell.

/// The processors that this process may use, ascending. Empty if the system does not tell.
pub fn allowed_cpus() -> Vec<u32> {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity};
        if let Ok(set) = sched_getaffinity(None) {
            return (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).map(|cpu| cpu as u32).collect();
        }
    }
    Vec::new()
}

/// The allowed processors of the fastest kind. On a machine with fast and slow processors, figures of the two kinds cannot be
/// compared.
pub fn fastest_cpus() -> Vec<u32> {
    fastest_of(allowed_cpus(), &bench_sink::environment::kinds())
}

/// The `kinds` are in descending order of speed.
fn fastest_of(allowed: Vec<u32>, kinds: &[(u64, Vec<u32>)]) -> Vec<u32> {
    let of_kind = |kind: &[u32]| allowed.iter().copied().filter(|cpu| kind.contains(cpu)).collect::<Vec<_>>();
    kinds.iter().map(|(_, kind)| of_kind(kind)).find(|cpus| !cpus.is_empty()).unwrap_or(allowed)
}

/// Restricts the calling thread, and everything that it starts from now on, to `cpus`; or the reason why that fails.
pub fn restrict(cpus: &[u32]) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_setaffinity};
        let allowed = allowed_cpus();
        if let Some(other) = cpus.iter().find(|cpu| !allowed.contains(cpu)) {
            let allowed: Vec<_> = allowed.iter().map(u32::to_string).collect();
            return Err(format!("this process may not use processor {other}, only {}", allowed.join(",")));
        }
        let mut set = CpuSet::new();
        cpus.iter().for_each(|cpu| set.set(*cpu as usize));
        sched_setaffinity(None, &set).map_err(|error| error.to_string())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = cpus;
        Err("this system does not bind processes to processors".to_owned())
    }
}

/// Binds the calling thread, and all threads that it starts from now on, to `cpu`. Returns whether that succeeded.
pub fn bind(cpu: u32) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_setaffinity};
        let mut set = CpuSet::new();
        set.set(cpu as usize);
        sched_setaffinity(None, &set).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = cpu;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn only_allowed_processors_can_be_used() {
        // On a thread of its own, whose affinity ends with it.
        let restricted = std::thread::spawn(|| {
            let allowed = allowed_cpus();
            let last = *allowed.last().unwrap();
            assert!(restrict(&[last, 1_023]).unwrap_err().contains("may not use processor 1023"));
            restrict(&[last]).unwrap();
            (allowed_cpus(), vec![last])
        });
        let (found, expect) = restricted.join().unwrap();
        assert_eq!(found, expect);
    }

    #[test]
    fn fastest_allowed_kind_is_selected() {
        let kinds = [(5_000, vec![0, 1]), (3_000, vec![2, 3, 4])];
        let check = |allowed: &[u32], kinds: &[(u64, Vec<u32>)], expect: &[u32]| {
            assert_eq!(fastest_of(allowed.to_vec(), kinds), expect);
        };
        check(&[0, 1, 2, 3, 4], &kinds, &[0, 1]);
        check(&[1, 3], &kinds, &[1]);
        check(&[3, 4], &kinds, &[3, 4]);
        check(&[0, 1, 2], &[], &[0, 1, 2]);
        check(&[], &kinds, &[]);
    }
}
