//! Reads the resource usage of this process: memory, page faults, context switches. The counters are never reset; take the difference
//! of two readings for an interval.

/// The resource usage of this process since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Maximum resident memory, in bytes.
    pub memory_bytes_max: Option<u64>,
    /// Page faults without I/O.
    pub faults_minor: Option<u64>,
    /// Page faults with I/O.
    pub faults_major: Option<u64>,
    /// Voluntary context switches: it waited.
    pub switches_voluntary: Option<u64>,
    /// Involuntary context switches: another thread ran.
    pub switches_involuntary: Option<u64>,
}

impl Usage {
    /// The usage up to now. Values that the system does not report are absent.
    pub fn now() -> Self {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
        Self::parse(&read("stat"), &read("status"))
    }

    /// The usage since `earlier`, except for the memory, which is the maximum since the start.
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Self {
            memory_bytes_max: self.memory_bytes_max,
            faults_minor: less(self.faults_minor, earlier.faults_minor),
            faults_major: less(self.faults_major, earlier.faults_major),
            switches_voluntary: less(self.switches_voluntary, earlier.switches_voluntary),
            switches_involuntary: less(self.switches_involuntary, earlier.switches_involuntary),
        }
    }

    /// Parses `/proc/self/stat` and `/proc/self/status` (proc(5)).
    fn parse(stat: &str, status: &str) -> Self {
        // The second field is the program's name in parentheses, which may contain parentheses; the third follows the last one.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let stat = |field: usize| after_name.split_whitespace().nth(field - 3)?.parse().ok();
        let status = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        Self {
            memory_bytes_max: status("VmHWM").map(|kib| kib * 1024),
            faults_minor: stat(10),
            faults_major: stat(12),
            switches_voluntary: status("voluntary_ctxt_switches"),
            switches_involuntary: status("nonvoluntary_ctxt_switches"),
        }
    }
}

/// The resident memory of this process now, in bytes.
pub fn memory_bytes_now() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?;
    kib.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_if_the_program_name_has_parentheses() {
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 1234 99 5 98 10 20";
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        let usage = Usage::parse(stat, status);
        let expect = Usage {
            memory_bytes_max: Some(2 << 20),
            faults_minor: Some(1234),
            faults_major: Some(5),
            switches_voluntary: Some(3),
            switches_involuntary: Some(4),
        };
        assert_eq!(usage, expect);
        assert_eq!(usage.since(&expect).faults_minor, Some(0));
        assert_eq!(Usage::parse("", ""), Usage::default(), "missing values are absent");
        assert_eq!(usage.since(&Usage::default()).faults_minor, None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn touched_pages_are_counted() {
        let before = Usage::now();
        let pages = vec![1_u8; 64 << 20];
        let used = Usage::now().since(&before);
        assert!(pages.iter().step_by(4096).all(|byte| *byte == 1));
        assert!(used.faults_minor.unwrap() > 0, "{used:?}");
        assert!(used.memory_bytes_max.unwrap() >= 64 << 20, "{used:?}");
    }
}
