//! Disturbances by the machine during one repetition, read before and after it, never while something is timed. Child processes of the
//! worker are not included.

use super::contention::ProcessorUse;
use super::{Cgroup, Throttling, clock_ticks, steal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Disturbances during one repetition. Values that the system does not report are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The duration of the repetition.
    pub wall_ns: u64,
    /// The time for which threads of the worker were ready and waited for a processor, summed over the threads that exist at the
    /// end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_queue_ns: Option<u64>,
    /// Involuntary context switches of the worker's threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches_involuntary: Option<u64>,
    /// Steal: processor time that the hypervisor gave to others, as a mean over the processors that the worker could use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen_ns: Option<u64>,
    /// Periods in which the control group ran, and those in which it was throttled: of the one that was throttled most. Absent if the worker
    /// was not in the same group with a quota at the begin and at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_periods: Option<(u64, u64)>,
    /// The time for which the system was suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_ns: Option<u64>,
    /// The time for which the process that waits for the worker was stopped, and perhaps the worker with it. Only that process knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_ns: Option<u64>,
    /// The time that processes outside of the worker's group ran, as a mean over all processors of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_busy_ns: Option<u64>,
}

/// A reading of the counters, to be compared with a later one.
#[derive(Clone, Debug)]
pub struct Reading {
    taken: Instant,
    since_boot: Option<Duration>,
    /// By thread: nanoseconds in the run queue, and involuntary switches.
    threads: BTreeMap<u32, (u64, u64)>,
    /// Ticks of steal, by processor that this process may use.
    steal: BTreeMap<u32, u64>,
    /// By folder of each control group that has a quota.
    throttling: BTreeMap<PathBuf, Throttling>,
    processors: Option<ProcessorUse>,
}

/// A smaller difference between the clocks with and without suspension is due to reading them one after the other.
const SUSPENDED_NS_MIN: u64 = 10_000_000;

/// A repetition is void if the machine withheld at least this share of its time.
const STANDSTILL_SHARE: f64 = 0.5;

/// Minimum number of periods, of 0.1 s each, for which a quota is considered.
const PERIODS_MIN: u64 = 3;

/// A smaller share of the time is not mentioned as an explanation.
const NOTABLE_SHARE: f64 = 0.01;

impl Reading {
    /// Reads the counters now.
    pub fn now() -> Self {
        let allowed = allowed_cpus();
        Self {
            taken: Instant::now(),
            since_boot: since_boot(),
            threads: threads(),
            steal: steal().into_iter().filter(|(cpu, _)| allowed.is_empty() || allowed.contains(cpu)).collect(),
            throttling: Cgroup::of_self().throttling(),
            processors: ProcessorUse::now(),
        }
    }
}

impl Witness {
    /// The disturbances since `earlier`.
    pub fn since(earlier: &Reading) -> Self {
        Self::between(earlier, &Reading { steal: steal(), ..Reading::now() })
    }

    /// Uses the processors of the earlier reading, because a worker binds itself to one of them in between.
    fn between(earlier: &Reading, later: &Reading) -> Self {
        let wall = later.taken.saturating_duration_since(earlier.taken);
        let sum = |of: fn(&(u64, u64)) -> u64| {
            let since =
                |(thread, now): (&u32, &(u64, u64))| of(now).saturating_sub(earlier.threads.get(thread).map_or(0, of));
            (!later.threads.is_empty()).then(|| later.threads.iter().map(since).sum::<u64>())
        };
        let suspended = earlier.since_boot.zip(later.since_boot).map(|(earlier, later)| later.saturating_sub(earlier));
        Self {
            wall_ns: nanoseconds(wall),
            run_queue_ns: sum(|(waited_ns, _)| *waited_ns),
            switches_involuntary: sum(|(_, switches)| *switches),
            stolen_ns: stolen_ns(&earlier.steal, &later.steal),
            throttled_periods: throttled_periods(&earlier.throttling, &later.throttling),
            suspended_ns: suspended.map(|suspended| {
                let ns = nanoseconds(suspended.saturating_sub(wall));
                if ns < SUSPENDED_NS_MIN { 0 } else { ns }
            }),
            stopped_ns: None,
            others_busy_ns: earlier
                .processors
                .zip(later.processors)
                .map(|(earlier, later)| later.of_others_ns(&earlier)),
        }
    }

    /// Whether the machine withheld the processor for so long that the figures are meaningless.
    pub fn stood_still(&self) -> bool {
        self.withheld_share() >= STANDSTILL_SHARE
    }

    /// The largest of the shares of time that steal, throttling, suspension and stops took.
    pub fn withheld_share(&self) -> f64 {
        let throttled = self.throttled_periods.filter(|(periods, _)| *periods >= PERIODS_MIN);
        let throttled = throttled.map_or(0.0, |(periods, throttled)| throttled as f64 / periods as f64);
        // The wall time does not include suspension.
        let suspended_ns = self.suspended_ns.unwrap_or_default() as f64;
        let suspended = suspended_ns / (self.wall_ns as f64 + suspended_ns).max(1.0);
        // The wall time may not include it, if the worker went on.
        let stopped_ns = self.stopped_ns.unwrap_or_default();
        let stopped = stopped_ns as f64 / (self.wall_ns.max(stopped_ns) as f64).max(1.0);
        self.share(self.stolen_ns).max(throttled).max(suspended).max(stopped)
    }

    /// The share of the time that threads waited for a processor.
    pub fn run_queue_share(&self) -> f64 {
        self.share(self.run_queue_ns)
    }

    /// The share of all processors' time that other processes used.
    pub fn others_busy_share(&self) -> f64 {
        self.share(self.others_busy_ns)
    }

    fn share(&self, ns: Option<u64>) -> f64 {
        ns.unwrap_or_default() as f64 / (self.wall_ns as f64).max(1.0)
    }

    /// The disturbances that may explain a failed repetition; `None` if the machine was quiet.
    pub fn explanation(&self) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let stolen = self.share(self.stolen_ns);
        if stolen >= NOTABLE_SHARE {
            parts.push(format!("the hypervisor gave {} of the processors' time to others", percent(stolen)));
        }
        if let Some((periods, throttled @ 1..)) = self.throttled_periods {
            parts.push(format!("the processor quota was used up in {throttled} of {periods} periods"));
        }
        if let Some(ns @ 1..) = self.suspended_ns {
            parts.push(format!("the system was suspended for {:.1} s", ns as f64 / 1e9));
        }
        if let Some(ns @ 1..) = self.stopped_ns {
            parts.push(format!("bench-host was stopped for {:.1} s", ns as f64 / 1e9));
        }
        if self.run_queue_share() >= NOTABLE_SHARE {
            let mut part =
                format!("its threads waited for a processor for {} of the time", percent(self.run_queue_share()));
            if let Some(switches @ 1..) = self.switches_involuntary {
                let _ = write!(part, " and were preempted {switches} times");
            }
            parts.push(part);
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The periods, and the throttled ones, of the group that was throttled most, among those in which the process was both times: it may have
/// moved into another one in between, whose counts began at another time.
fn throttled_periods(
    earlier: &BTreeMap<PathBuf, Throttling>,
    later: &BTreeMap<PathBuf, Throttling>,
) -> Option<(u64, u64)> {
    let since = later.iter().filter_map(|(folder, counts)| counts.since(earlier.get(folder)?));
    let most = since.max_by_key(|counts| (counts.throttled_ns, counts.throttled_periods))?;
    Some((most.periods, most.throttled_periods))
}

fn stolen_ns(earlier: &BTreeMap<u32, u64>, later: &BTreeMap<u32, u64>) -> Option<u64> {
    let ticks: u64 =
        earlier.iter().map(|(cpu, ticks)| later.get(cpu).map_or(0, |now| now.saturating_sub(*ticks))).sum();
    let ns = ticks.saturating_mul(1_000_000_000) / clock_ticks();
    (!earlier.is_empty()).then(|| ns / earlier.len() as u64)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds in the run queue and involuntary switches, by thread of this process. Empty if the system does not tell.
fn threads() -> BTreeMap<u32, (u64, u64)> {
    let thread = |entry: std::io::Result<fs::DirEntry>| {
        let folder = entry.ok()?.path();
        let thread = folder.file_name()?.to_str()?.parse().ok()?;
        let waited_ns = super::read(folder.join("schedstat"))?.split_whitespace().nth(1)?.parse().ok()?;
        let status = super::read(folder.join("status"))?;
        let switches = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
        Some((thread, (waited_ns, switches.trim().parse().ok()?)))
    };
    fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(thread).collect()
}

#[cfg(target_os = "linux")]
fn since_boot() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Option<Duration> {
    None
}

/// The number of processors that this process may use, however much of their time a quota leaves it.
pub fn usable_cpus() -> u32 {
    match allowed_cpus().len() {
        0 => std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32),
        count => count as u32,
    }
}

#[cfg(target_os = "linux")]
fn allowed_cpus() -> Vec<u32> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(None);
    set.map_or_else(|_| Vec::new(), |set| (0..CpuSet::MAX_CPU as u32).filter(|cpu| set.is_set(*cpu as usize)).collect())
}

#[cfg(not(target_os = "linux"))]
fn allowed_cpus() -> Vec<u32> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn quiet() -> Witness {
        Witness { wall_ns: SECOND, ..Witness::default() }
    }

    fn check(witness: Witness, stood_still: bool, explanation: Option<&str>) {
        assert_eq!((witness.stood_still(), witness.explanation().as_deref()), (stood_still, explanation));
    }

    #[test]
    fn machine_stands_still_if_it_withholds_half_of_the_time() {
        check(quiet(), false, None);
        let stolen = |ns| Witness { stolen_ns: Some(ns), ..quiet() };
        check(stolen(SECOND / 2), true, Some("the hypervisor gave 50 % of the processors' time to others"));
        check(stolen(SECOND / 10), false, Some("the hypervisor gave 10 % of the processors' time to others"));
        check(stolen(SECOND / 1000), false, None);
        let throttled = |periods, throttled| Witness { throttled_periods: Some((periods, throttled)), ..quiet() };
        check(throttled(10, 7), true, Some("the processor quota was used up in 7 of 10 periods"));
        check(throttled(10, 4), false, Some("the processor quota was used up in 4 of 10 periods"));
        check(throttled(2, 2), false, Some("the processor quota was used up in 2 of 2 periods"));
        check(throttled(10, 0), false, None);
        let suspended = Witness { suspended_ns: Some(3 * SECOND), ..quiet() };
        check(suspended, true, Some("the system was suspended for 3.0 s"));
        let stopped = |ns| Witness { stopped_ns: Some(ns), ..quiet() };
        check(stopped(9 * SECOND), true, Some("bench-host was stopped for 9.0 s"));
        let long = Witness { wall_ns: 90 * SECOND, ..stopped(9 * SECOND) };
        check(long, false, Some("bench-host was stopped for 9.0 s"));
        check(stopped(0), false, None);
    }

    #[test]
    fn waiting_for_a_processor_is_an_explanation_but_not_void() {
        // A module may choose to run several threads on one processor, so this alone is not a standstill.
        let witness = Witness { run_queue_ns: Some(SECOND), switches_involuntary: Some(9), ..quiet() };
        check(
            witness,
            false,
            Some("its threads waited for a processor for 100 % of the time and were preempted 9 times"),
        );
    }

    #[test]
    fn witness_is_the_difference_of_two_readings() {
        let counts = |periods, throttled_periods| {
            BTreeMap::from([(PathBuf::from("/a"), Throttling { periods, throttled_periods, throttled_ns: 0 })])
        };
        let earlier = Reading {
            taken: Instant::now(),
            since_boot: Some(Duration::from_secs(100)),
            threads: BTreeMap::from([(1, (50, 2)), (2, (70, 1))]),
            steal: BTreeMap::from([(0, 5), (1, 5)]),
            throttling: counts(10, 1),
            processors: None,
        };
        let later = Reading {
            taken: earlier.taken + Duration::from_secs(1),
            since_boot: Some(Duration::from_secs(103)),
            // One thread has ended, one is new.
            threads: BTreeMap::from([(1, (80, 3)), (3, (7, 4))]),
            steal: BTreeMap::from([(0, 5 + clock_ticks()), (1, 5), (2, 1_000)]),
            throttling: counts(20, 5),
            processors: None,
        };
        let expect = Witness {
            wall_ns: SECOND,
            run_queue_ns: Some(37),
            switches_involuntary: Some(5),
            stolen_ns: Some(SECOND / 2),
            throttled_periods: Some((10, 4)),
            suspended_ns: Some(2 * SECOND),
            stopped_ns: None,
            others_busy_ns: None,
        };
        assert_eq!(Witness::between(&earlier, &later), expect);
        let silent = Reading {
            since_boot: None,
            threads: BTreeMap::new(),
            steal: BTreeMap::new(),
            throttling: BTreeMap::new(),
            ..earlier.clone()
        };
        assert_eq!(Witness::between(&silent, &silent), Witness::default(), "missing values are absent");
    }

    #[test]
    fn throttling_is_the_difference_within_one_group() {
        /// Of each group the folder, the periods, the throttled ones and their nanoseconds.
        type Groups<'a> = &'a [(&'a str, u64, u64, u64)];
        let counts = |groups: Groups<'_>| -> BTreeMap<PathBuf, Throttling> {
            let count = |&(folder, periods, throttled_periods, throttled_ns): &(&str, u64, u64, u64)| {
                (PathBuf::from(folder), Throttling { periods, throttled_periods, throttled_ns })
            };
            groups.iter().map(count).collect()
        };
        let check = |earlier: Groups<'_>, later: Groups<'_>, expect: Option<(u64, u64)>| {
            assert_eq!(throttled_periods(&counts(earlier), &counts(later)), expect, "{earlier:?} {later:?}");
        };
        check(&[("/a", 10, 1, 5)], &[("/a", 20, 5, 9)], Some((10, 4)));
        // It has moved, below a group that it was in before, or to one that it was not in.
        check(&[("/a", 10, 1, 5), ("/a/b", 900, 800, 700)], &[("/a", 20, 5, 9), ("/a/c", 3, 3, 3)], Some((10, 4)));
        check(&[("/a", 10, 1, 5)], &[("/b", 900, 800, 700)], None);
        // Of several groups, the one that was throttled most meanwhile, not since its creation.
        check(&[("/", 500, 400, 900), ("/a", 10, 0, 0)], &[("/", 510, 401, 910), ("/a", 20, 8, 80)], Some((10, 8)));
        // Another group has the name.
        check(&[("/a", 900, 800, 700)], &[("/a", 20, 5, 9)], None);
        check(&[], &[], None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_reports_the_basic_counters() {
        let before = Reading::now();
        let witness = Witness::since(&before);
        assert!(witness.switches_involuntary.is_some() && witness.suspended_ns == Some(0), "{witness:?}");
    }
}
