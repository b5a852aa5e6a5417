//! Reads the resource usage of this process: processor time, memory, page faults, context switches. Of counters, take the difference of
//! two readings for an interval; the maximum of the memory can start anew.

use nix::sys::resource::{UsageWho, getrusage};
use procfs_core::FromRead;
use procfs_core::process::Stat;

/// The resource usage of this process since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Maximum resident memory, in bytes, since the start or since [`restart_memory_max`].
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
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::of(Stat::from_file("/proc/self/stat").ok().as_ref(), &status, switches())
    }

    /// The usage since `earlier`, except for the memory, which is the maximum of `self`.
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

    /// What `/proc/self/stat` and `/proc/self/status` (proc(5)) tell, and the context switches. The status is searched line by line, because a
    /// sandbox that imitates the kernel may leave out lines without which no library reads the others.
    fn of(stat: Option<&Stat>, status: &str, switches: Option<[u64; 2]>) -> Self {
        let status = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        Self {
            memory_bytes_max: status("VmHWM").map(|kib| kib * 1024),
            faults_minor: stat.map(|stat| stat.minflt),
            faults_major: stat.map(|stat| stat.majflt),
            switches_voluntary: switches.map(|[voluntary, _]| voluntary),
            switches_involuntary: switches.map(|[_, involuntary]| involuntary),
        }
    }
}

/// The context switches of all threads, also of those that have ended: voluntary ones, and involuntary ones. What proc(5) has of a process
/// is of its main thread alone.
fn switches() -> Option<[u64; 2]> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let counts = [usage.voluntary_context_switches(), usage.involuntary_context_switches()];
    let [voluntary, involuntary] = counts.map(|count| u64::try_from(count).ok());
    Some([voluntary?, involuntary?])
}

/// The processor time of all threads of this process since its start, in nanoseconds, in user and system mode together.
pub fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (seconds, ns) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or_default() * 1_000_000_000 + ns.unwrap_or_default()
}

/// Makes the maximum of the resident memory start anew from what is resident now. False where the system cannot do so.
pub fn restart_memory_max() -> bool {
    // Since Linux 4.0 (proc_pid_clear_refs(5)).
    cfg!(target_os = "linux") && std::fs::write("/proc/self/clear_refs", "5").is_ok()
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
    fn faults_are_of_this_process_and_the_maximum_is_in_bytes() {
        // A name with parentheses, and the fields of Linux 2.0.
        let stat = format!("7 (a) b (c)) S 1 2 3 4 5 6 1234 99 5 98 10 20{}", " 0".repeat(22));
        let stat = Stat::from_read(stat.as_bytes()).unwrap();
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t8\n";
        let usage = Usage::of(Some(&stat), status, Some([3, 4]));
        let expect = Usage {
            memory_bytes_max: Some(2 << 20),
            faults_minor: Some(1234),
            faults_major: Some(5),
            switches_voluntary: Some(3),
            switches_involuntary: Some(4),
        };
        assert_eq!(usage, expect);
        assert_eq!(usage.since(&expect).faults_minor, Some(0));
        assert_eq!(Usage::of(None, "", None), Usage::default(), "missing values are absent");
        assert_eq!(usage.since(&Usage::default()).faults_minor, None);
    }

    #[test]
    fn switches_of_threads_that_have_ended_are_counted() {
        const SLEEPS: u64 = 50;
        let before = Usage::now();
        let thread = std::thread::spawn(|| {
            (0..SLEEPS).for_each(|_| std::thread::park_timeout(std::time::Duration::from_micros(100)));
        });
        thread.join().unwrap();
        let used = Usage::now().since(&before);
        assert!(used.switches_voluntary.unwrap() >= SLEEPS, "{used:?}");
    }

    #[test]
    fn processor_time_is_that_of_what_was_computed() {
        let before = cpu_ns();
        std::hint::black_box((0..1_000_000_u64).fold(0, |sum, number| sum ^ std::hint::black_box(number)));
        assert!(cpu_ns() > before);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_maximum_that_starts_anew_forgets_freed_memory() {
        if !restart_memory_max() {
            eprintln!("skipped: /proc/self/clear_refs cannot be written; use a kernel with CONFIG_PROC_PAGE_MONITOR");
            return;
        }
        // Tests share a process, so that others may add to what is resident: the buffer is much larger.
        const BYTES: usize = 256 << 20;
        let pages = vec![1_u8; BYTES];
        assert!(pages.iter().step_by(4096).all(|byte| *byte == 1));
        let with_pages = Usage::now().memory_bytes_max.unwrap();
        drop(pages);
        assert!(restart_memory_max());
        let without = Usage::now().memory_bytes_max.unwrap();
        assert!(without + (BYTES as u64) / 2 < with_pages, "{without} of {with_pages}");
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
