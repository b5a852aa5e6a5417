//! Reads the limits and the throttling of this process's control groups, in both versions of the interface. The tightest limit
//! between the group and the root counts.

use super::read;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folders of this process's control groups, from its own up to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroup {
    /// With the files of the processor controller.
    cpu: Vec<PathBuf>,
    /// With the files of the memory controller.
    memory: Vec<PathBuf>,
}

/// How often a quota was used up, since the group was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttling {
    /// Periods in which the group wanted to run.
    pub periods: u64,
    /// Periods in which it was throttled.
    pub throttled_periods: u64,
    /// The time for which it was throttled, summed over processors.
    pub throttled_ns: u64,
}

impl Throttling {
    /// The counts since `earlier` of the same group; `None` if they went back, because then it is another one that has its name.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            periods: self.periods.checked_sub(earlier.periods)?,
            throttled_periods: self.throttled_periods.checked_sub(earlier.throttled_periods)?,
            throttled_ns: self.throttled_ns.checked_sub(earlier.throttled_ns)?,
        })
    }
}

/// A memory limit above this counts as none: version 1 shows a number near 2⁶³ if the memory is not limited.
const MEMORY_BYTES_MAX: u64 = 1 << 60;

impl Cgroup {
    /// The groups of this process, mounted at `/sys/fs/cgroup`.
    pub fn of_self() -> Self {
        read("/proc/self/cgroup").map_or_else(Self::default, |text| Self::parse(&text, Path::new("/sys/fs/cgroup")))
    }

    /// Parses `/proc/self/cgroup` (cgroups(7)), with the hierarchies mounted below `mount`.
    fn parse(text: &str, mount: &Path) -> Self {
        let (mut cpu, mut memory) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let mut fields = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            let has = |name: &str| controllers.split(',').any(|controller| controller == name);
            // Version 2 is one hierarchy without a list of controllers.
            let is_unified = controllers.is_empty();
            let root = if is_unified { mount.to_owned() } else { mount.join(controllers) };
            if is_unified || has("cpu") {
                cpu.extend(folders(&root, path));
            }
            if is_unified || has("memory") {
                memory.extend(folders(&root, path));
            }
        }
        Self { cpu, memory }
    }

    /// The quota in processors, if there is one: 0.3 for 30 ms in each period of 100 ms.
    pub fn cpu_quota(&self) -> Option<f64> {
        self.cpu.iter().filter_map(|folder| quota(folder)).reduce(f64::min)
    }

    /// The memory limit in bytes, if there is one.
    pub fn memory_limit_bytes(&self) -> Option<u64> {
        let limit = |folder: &PathBuf| {
            let text = read(folder.join("memory.max")).or_else(|| read(folder.join("memory.limit_in_bytes")))?;
            text.parse::<u64>().ok().filter(|bytes| *bytes < MEMORY_BYTES_MAX)
        };
        self.memory.iter().filter_map(limit).min()
    }

    /// The throttling of each group that has a quota, by its folder: counts of different groups have no difference.
    pub fn throttling(&self) -> BTreeMap<PathBuf, Throttling> {
        let limited = self.cpu.iter().filter(|folder| quota(folder).is_some());
        let counts = |folder: &PathBuf| Some((folder.clone(), throttling(&read(folder.join("cpu.stat"))?)?));
        limited.filter_map(counts).collect()
    }
}

/// `path` below `root`, and all existing folders above it.
fn folders(root: &Path, path: &str) -> Vec<PathBuf> {
    // A path outside of the process's namespace does not exist here; the mounted root is that of the namespace.
    let path = if path.split('/').any(|part| part == "..") { "" } else { path.trim_start_matches('/') };
    let own = root.join(path);
    let up = own.ancestors().take_while(|folder| folder.starts_with(root));
    up.filter(|folder| folder.is_dir()).map(Path::to_owned).collect()
}

fn quota(folder: &Path) -> Option<f64> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| *number > 0.0);
    if let Some(text) = read(folder.join("cpu.max")) {
        let (quota, period) = text.split_once(' ')?;
        return Some(number(quota)? / number(period)?);
    }
    // -1 stands for no quota.
    Some(number(&read(folder.join("cpu.cfs_quota_us"))?)? / number(&read(folder.join("cpu.cfs_period_us"))?)?)
}

fn throttling(stat: &str) -> Option<Throttling> {
    let field = |name: &str| {
        let value = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.trim().parse::<u64>().ok()
    };
    let throttled_ns =
        field("throttled_usec").map(|us| us.saturating_mul(1_000)).or_else(|| field("throttled_time"))?;
    Some(Throttling { periods: field("nr_periods")?, throttled_periods: field("nr_throttled")?, throttled_ns })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Creates a hierarchy of these files.
    fn mounted(files: &[(&str, &str)]) -> tempfile::TempDir {
        let mount = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = mount.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        mount
    }

    #[test]
    fn tightest_limit_up_to_the_root_counts() {
        let mount = mounted(&[
            ("a/cpu.max", "200000 100000\n"),
            ("a/memory.max", "4096\n"),
            ("a/b/cpu.max", "30000 100000\n"),
            ("a/b/memory.max", "max\n"),
            ("a/b/c/cpu.max", "max 100000\n"),
            ("a/b/cpu.stat", "usage_usec 9\nnr_periods 10\nnr_throttled 4\nthrottled_usec 250\n"),
            ("a/b/c/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n"),
        ]);
        let cgroup = Cgroup::parse("0::/a/b/c\n", mount.path());
        assert_eq!((cgroup.cpu_quota(), cgroup.memory_limit_bytes()), (Some(0.3), Some(4096)));
        let expect = Throttling { periods: 10, throttled_periods: 4, throttled_ns: 250_000 };
        assert_eq!(cgroup.throttling(), BTreeMap::from([(mount.path().join("a/b"), expect)]));
    }

    #[test]
    fn version_1_has_a_hierarchy_for_each_controller() {
        let mount = mounted(&[
            ("cpu,cpuacct/a/cpu.cfs_quota_us", "50000"),
            ("cpu,cpuacct/a/cpu.cfs_period_us", "100000"),
            ("cpu,cpuacct/a/cpu.stat", "nr_periods 2\nnr_throttled 1\nthrottled_time 77\n"),
            ("cpu,cpuacct/cpu.cfs_quota_us", "-1"),
            ("memory/a/memory.limit_in_bytes", "9223372036854771712"),
        ]);
        let cgroup = Cgroup::parse("5:cpu,cpuacct:/a\n3:memory:/a\n1:name=systemd:/\n", mount.path());
        assert_eq!((cgroup.cpu_quota(), cgroup.memory_limit_bytes()), (Some(0.5), None));
        assert_eq!(cgroup.throttling().values().map(|counts| counts.throttled_ns).collect::<Vec<_>>(), [77]);
    }

    #[test]
    fn missing_limits_are_absent() {
        let mount = mounted(&[("cpu.stat", "usage_usec 1\n"), ("a/cpu.max", "max 100000")]);
        for text in ["0::/a", "0::/../elsewhere", "", "garbage"] {
            let cgroup = Cgroup::parse(text, mount.path());
            let found = (cgroup.cpu_quota(), cgroup.memory_limit_bytes(), cgroup.throttling());
            assert_eq!(found, (None, None, BTreeMap::new()), "{text}");
        }
    }
}
