//! Which processors there are for us, and binding a thread to one of them. Placement decides a figure, so it is a field of
//! every cell.

/// The processors this process may use, ascending. Empty where the system does not say.
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

/// Binds the calling thread to `cpu`, and all threads it starts from now on. Returns whether that could be done.
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
