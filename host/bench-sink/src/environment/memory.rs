//! Reads how much memory there is: that of the machine, and that which the control group leaves.

use super::{Cgroup, read};

/// The memory of the machine, in bytes.
pub fn machine_memory_bytes() -> Option<u64> {
    parse(&read("/proc/meminfo")?)
}

/// The memory that this process can use, in bytes: that of the machine, or the limit of its control group if that is less.
pub fn memory_bytes() -> Option<u64> {
    machine_memory_bytes().into_iter().chain(Cgroup::of_self().memory_limit_bytes()).min()
}

/// Parses `/proc/meminfo` (proc_meminfo(5)).
fn parse(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(total.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_in_bytes() {
        assert_eq!(parse("MemFree: 1 kB\nMemTotal:       2 kB\n"), Some(2048));
        assert_eq!(parse("MemTotal:       2 MB"), None);
        assert_eq!(parse(""), None);
    }
}
