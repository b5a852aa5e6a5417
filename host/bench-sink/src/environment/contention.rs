//! How busy other processes keep the processors, read from `/proc` before and after a repetition.

use super::{clock_ticks, read};
use procfs_core::FromRead;
use procfs_core::process::Stat;
use std::fs;

/// Ticks of processor time up to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessorUse {
    /// Of everything that ran on any processor; what a hypervisor gave to others is not included.
    all: u64,
    /// Of the processes in the group of this process, and of those that they have waited for.
    own: u64,
    /// The number of processors.
    cpus: u64,
}

impl ProcessorUse {
    /// The use up to now; `None` if the system does not tell.
    pub(super) fn now() -> Option<Self> {
        let (all, cpus) = busy_ticks(&read("/proc/stat")?)?;
        Some(Self { all, own: own_ticks()?, cpus })
    }

    /// Nanoseconds that other processes ran from `earlier` to now, as a mean over the processors. Ticks are coarse: of a hundredth of a second
    /// each, where the kernel has a hundred of them.
    pub(super) fn of_others_ns(&self, earlier: &Self) -> u64 {
        let (all, own) = (self.all.saturating_sub(earlier.all), self.own.saturating_sub(earlier.own));
        all.saturating_sub(own).saturating_mul(1_000_000_000) / clock_ticks() / self.cpus.max(1)
    }
}

/// The ticks in which a processor did anything, over all processors, and the number of processors.
fn busy_ticks(stat: &str) -> Option<(u64, u64)> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user nice system idle iowait irq softirq
    let ticks: Vec<u64> = all.split_whitespace().take(7).map_while(|ticks| ticks.parse().ok()).collect();
    let [user, nice, system, _, _, irq, softirq] = ticks[..] else { return None };
    let is_one = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    let cpus = stat.lines().filter(is_one).count() as u64;
    (cpus > 0).then_some((user + nice + system + irq + softirq, cpus))
}

/// The ticks of this process's group.
fn own_ticks() -> Option<u64> {
    let stat = |process: &str| Stat::from_file(format!("/proc/{process}/stat")).ok();
    let group = stat("self")?.pgrp;
    let entries = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let processes = entries.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    // A process may have ended since the folder was read.
    let of_group = processes.filter_map(|process| stat(&process)).filter(|stat| stat.pgrp == group);
    Some(of_group.map(|stat| ticks_of(&stat)).sum())
}

/// The ticks of a process and of the children that it has waited for (proc(5)).
fn ticks_of(stat: &Stat) -> u64 {
    let of_children = [stat.cutime, stat.cstime].map(|ticks| u64::try_from(ticks).unwrap_or_default());
    stat.utime + stat.stime + of_children[0] + of_children[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_stolen_time_is_not_busy() {
        let stat = "cpu  10 1 10 700 50 2 3 90 5 0\ncpu0 5 1 5 350 25 1 1 45\ncpu1 5 0 5 350 25 1 2 45\nintr 5\n";
        assert_eq!(busy_ticks(stat), Some((26, 2)));
        assert_eq!(busy_ticks("cpu 1 2 3"), None);
    }

    #[test]
    fn process_is_read_with_its_group_and_ended_children() {
        // A name with parentheses, and the fields of Linux 2.0.
        let text = format!("7 (a) b (c)) S 1 42 3 4 5 6 7 8 9 10 100 20 3 4 20{}", " 0".repeat(19));
        let stat = Stat::from_read(text.as_bytes()).unwrap();
        assert_eq!((stat.pgrp, ticks_of(&stat)), (42, 127));
    }

    #[test]
    fn use_of_others_is_the_mean_over_processors_without_the_own() {
        let earlier = ProcessorUse { all: 100, own: 10, cpus: 2 };
        let later = ProcessorUse { all: 100 + 3 * clock_ticks(), own: 10 + clock_ticks(), cpus: 2 };
        assert_eq!(later.of_others_ns(&earlier), 1_000_000_000);
        assert_eq!(earlier.of_others_ns(&later), 0, "a counter that goes back is no use");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells_how_busy_it_is() {
        assert!(ProcessorUse::now().is_some());
    }
}
