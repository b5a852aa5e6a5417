//! Reads the properties of the processors that influence their speed, and the time that the hypervisor gave to others (steal).

use super::read;
use std::collections::BTreeMap;
use std::path::Path;

/// Maximum difference of the highest frequencies of processors of the same kind, because some cores of a die are faster.
const ONE_KIND_SHARE: f64 = 0.85;

const CPUS: &str = "/sys/devices/system/cpu";

/// Whether two threads share a core.
pub fn smt() -> Option<bool> {
    flag(&read(format!("{CPUS}/smt/active"))?)
}

/// Whether the frequency may rise above the nominal one.
pub fn boost() -> Option<bool> {
    let has_no_turbo = || flag(&read(format!("{CPUS}/intel_pstate/no_turbo"))?).map(|off| !off);
    read(format!("{CPUS}/cpufreq/boost")).and_then(|text| flag(&text)).or_else(has_no_turbo)
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Address space randomisation: 0 off, 1 on except for the heap, 2 on.
pub fn aslr() -> Option<u8> {
    read("/proc/sys/kernel/randomize_va_space")?.parse().ok()
}

/// When transparent huge pages are used: `always`, `madvise`, `never`.
pub fn huge_pages() -> Option<String> {
    chosen(&read("/sys/kernel/mm/transparent_hugepage/enabled")?)
}

/// The word in brackets.
fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

/// The kinds of processors, fastest first, if there are several: the capacity or highest frequency of each kind, and its
/// processors.
pub fn kinds() -> Vec<(u64, Vec<u32>)> {
    kinds_in(Path::new(CPUS))
}

fn kinds_in(folder: &Path) -> Vec<(u64, Vec<u32>)> {
    let speeds = |file: &str| {
        let speed = |cpu: u32| read(folder.join(format!("cpu{cpu}")).join(file))?.parse::<u64>().ok();
        let mut kinds: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for cpu in (0..).take_while(|cpu| folder.join(format!("cpu{cpu}")).is_dir()) {
            kinds.entry(speed(cpu)?).or_default().push(cpu);
        }
        Some(kinds)
    };
    let kinds = speeds("cpu_capacity").or_else(|| speeds("cpufreq/cpuinfo_max_freq")).unwrap_or_default();
    let mut alike: Vec<(u64, Vec<u32>)> = Vec::new();
    for (speed, cpus) in kinds.into_iter().rev() {
        match alike.last_mut() {
            Some((fastest, known)) if speed as f64 >= ONE_KIND_SHARE * *fastest as f64 => known.extend(cpus),
            _ => alike.push((speed, cpus)),
        }
    }
    if alike.len() > 1 { alike } else { Vec::new() }
}

/// Ticks of steal by processor, since the system started.
pub fn steal() -> BTreeMap<u32, u64> {
    steal_of(&read("/proc/stat").unwrap_or_default())
}

/// Ticks of `/proc/stat` per second.
pub fn clock_ticks() -> u64 {
    rustix::param::clock_ticks_per_second().max(1)
}

fn steal_of(stat: &str) -> BTreeMap<u32, u64> {
    let line = |line: &str| {
        let (name, ticks) = line.split_once(' ')?;
        // user nice system idle iowait irq softirq steal
        Some((name.strip_prefix("cpu")?.parse().ok()?, ticks.split_whitespace().nth(7)?.parse().ok()?))
    };
    stat.lines().filter_map(line).collect()
}

/// The share of the processors' time that the hypervisor gave to others since the system started.
pub fn stolen_share() -> Option<f64> {
    stolen_share_of(&read("/proc/stat")?)
}

fn stolen_share_of(stat: &str) -> Option<f64> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // The fields after the eighth are included in the first two.
    let ticks: Vec<u64> = all.split_whitespace().take(8).map_while(|ticks| ticks.parse().ok()).collect();
    let total: u64 = ticks.iter().sum();
    (ticks.len() == 8 && total > 0).then(|| ticks[7] as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_the_eighth_number_of_each_processor() {
        let stat = "cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1 2 3 4 5 6 7 8 9 0\ncpu1 1 2 3 4 5 6 7 80\nintr 5 cpu2\n";
        assert_eq!(steal_of(stat), BTreeMap::from([(0, 8), (1, 80)]));
        assert_eq!(stolen_share_of(stat), Some(0.1));
        assert_eq!(stolen_share_of("cpu 1 2 3"), None, "an old kernel does not report it");
        assert!(steal_of("").is_empty());
    }

    #[test]
    fn kinds_are_listed_only_if_there_are_several() {
        let machine = |speeds: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            for (cpu, speed) in speeds.iter().enumerate() {
                let own = folder.path().join(format!("cpu{cpu}/cpufreq"));
                std::fs::create_dir_all(&own).unwrap();
                std::fs::write(own.join("cpuinfo_max_freq"), speed).unwrap();
            }
            kinds_in(folder.path())
        };
        assert_eq!(machine(&["3000", "5000", "3000"]), [(5000, vec![1]), (3000, vec![0, 2])]);
        assert_eq!(machine(&["5700", "5500", "4000", "5600"]), [(5700, vec![0, 3, 1]), (4000, vec![2])]);
        assert_eq!(machine(&["3000", "3000"]), []);
        assert_eq!(machine(&["3000", ""]), [], "the speed of one is unknown");
        assert_eq!(machine(&[]), []);
    }

    #[test]
    fn choices_and_flags_of_the_kernel_are_parsed() {
        assert_eq!(chosen("always [madvise] never").as_deref(), Some("madvise"));
        assert_eq!(chosen("always"), None);
        assert_eq!(["0", "1", "notimplemented"].map(flag), [Some(false), Some(true), None]);
    }
}
