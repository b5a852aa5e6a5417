//! Chooses the CPUs of the two processes, and puts the caller back on its own.

use bench_model::ModuleError;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::cell::Cell;
use vocabulary::peers::Placement;

/// The CPU of each process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpus {
    /// The CPU of the process that starts the other.
    pub own: usize,
    /// The CPU of the other process.
    pub peer: usize,
}

impl Cpus {
    /// Chooses among the CPUs this thread may run on: one for both, or two on two cores where there are two.
    pub fn choose(placement: Placement) -> Result<Self, ModuleError> {
        let allowed = sched_getaffinity(None)
            .map_err(|errno| ModuleError::Other(format!("the allowed CPUs cannot be read: {errno}")))?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
        let Some(own) = allowed.next() else {
            return Err(ModuleError::Other("the set of allowed CPUs is empty".to_owned()));
        };
        if placement == Placement::Same {
            return Ok(Self { own, peer: own });
        }
        if PINS.get().0 > 0 {
            return Err(ModuleError::Unavailable(
                "placement=cross: another open session of this worker has pinned its thread, and the peers of two would share its \
                 CPUs; measure the arms with `run` and compare two runs, or use placement=same"
                    .to_owned(),
            ));
        }
        let others: Vec<_> = allowed.collect();
        let siblings = siblings(own);
        let peer = others.iter().find(|cpu| !siblings.contains(cpu)).or(others.first());
        peer.map(|peer| Self { own, peer: *peer }).ok_or_else(|| {
            ModuleError::Unavailable(format!(
                "placement=cross needs two CPUs and only CPU {own} is allowed; widen the affinity (taskset) or the \
                 cgroup's cpuset, or use placement=same"
            ))
        })
    }
}

/// The hardware threads that share a core with `cpu`; empty where the kernel does not tell.
fn siblings(cpu: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim()
        .split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

/// Pins the calling thread.
pub fn pin(cpu: usize) -> rustix::io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set)
}

thread_local! {
    /// How many pins the thread has, and the CPUs that it may use without them.
    static PINS: Cell<(u32, Option<CpuSet>)> = const { Cell::new((0, None)) };
}

/// Pins the calling thread until it is dropped, which must happen on the same thread. It is free again when the last of its pins is
/// dropped.
#[derive(Debug)]
pub struct Pinned(());

impl Pinned {
    /// Pins it to `cpu`.
    pub fn to(cpu: usize) -> Result<Self, ModuleError> {
        let failed = |errno| ModuleError::Other(format!("the thread cannot be pinned to CPU {cpu}: {errno}"));
        let before = sched_getaffinity(None).map_err(failed)?;
        pin(cpu).map_err(failed)?;
        let (count, first) = PINS.get();
        PINS.set((count + 1, first.or(Some(before))));
        Ok(Self(()))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let (count, first) = PINS.get();
        PINS.set((count.saturating_sub(1), first.filter(|_| count > 1)));
        if let (1, Some(before)) = (count, first) {
            // If the CPU was taken away meanwhile, the thread stays where it is; a drop cannot report that.
            let _ = sched_setaffinity(None, &before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_is_free_again_when_its_last_pin_is_dropped() {
        let allowed = || sched_getaffinity(None).unwrap();
        let before = allowed();
        let cpu = Cpus::choose(Placement::Same).unwrap().own;
        let (first, second) = (Pinned::to(cpu).unwrap(), Pinned::to(cpu).unwrap());
        let error = Cpus::choose(Placement::Cross).unwrap_err().to_string();
        assert!(error.contains("has pinned its thread"), "{error}");
        drop(first);
        assert_eq!(allowed().count(), 1);
        drop(second);
        assert_eq!(allowed(), before);
    }
}
