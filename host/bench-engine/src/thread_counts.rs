//! What happened to this thread: counts that a disturbance increases, read between samples and never while one is taken.

use std::fs::File;
use std::time::{Duration, Instant};

/// Counts of the calling thread since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadCounts {
    /// Page faults, with and without I/O.
    pub faults: u64,
    /// Involuntary context switches: another thread ran.
    pub switches_involuntary: u64,
    /// Voluntary context switches: it waited.
    pub switches_voluntary: u64,
    /// The processor that it ran on last.
    pub processor: u64,
    /// Ticks that the hypervisor gave to others, and periods in which a control group was throttled; read again only when
    /// [`COARSE`] has passed, because reading them is slow and the kernel counts them in ticks.
    pub withheld: u64,
}

/// How often coarse counts are read.
pub const COARSE: Duration = Duration::from_millis(10);

/// Open files of the calling thread, from which its counts are read.
#[derive(Debug)]
pub struct ThreadWatch {
    stat: File,
    status: File,
    withheld: u64,
    withheld_read: Instant,
}

impl ThreadWatch {
    /// Opens the files; `None` if the system does not have them. It watches the thread that calls this.
    pub fn open() -> Option<Self> {
        let open = |name: &str| File::open(format!("/proc/thread-self/{name}")).ok();
        let mut watch =
            Self { stat: open("stat")?, status: open("status")?, withheld: withheld(), withheld_read: Instant::now() };
        watch.read().map(|_| watch)
    }

    /// The counts now.
    pub fn read(&mut self) -> Option<ThreadCounts> {
        if self.withheld_read.elapsed() >= COARSE {
            self.withheld = withheld();
            self.withheld_read = Instant::now();
        }
        let mut counts = parse(&text(&self.stat)?, &text(&self.status)?)?;
        counts.withheld = self.withheld;
        Some(counts)
    }
}

#[cfg(unix)]
fn text(file: &File) -> Option<String> {
    use std::os::unix::fs::FileExt;
    let mut buffer = [0; 4096];
    let read = file.read_at(&mut buffer, 0).ok()?;
    String::from_utf8(buffer[..read].to_vec()).ok()
}

/// Parses `/proc/thread-self/stat` and `/proc/thread-self/status` (proc(5)).
fn parse(stat: &str, status: &str) -> Option<ThreadCounts> {
    // The second field is the program's name in parentheses, which may contain parentheses; the third follows the last one.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let switches = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.trim().parse::<u64>().ok()
    };
    Some(ThreadCounts {
        faults: field(10)? + field(12)?,
        switches_involuntary: switches("nonvoluntary_ctxt_switches")?,
        switches_voluntary: switches("voluntary_ctxt_switches")?,
        processor: field(39)?,
        withheld: 0,
    })
}

/// Ticks of steal over all processors, and throttled periods of the control groups.
fn withheld() -> u64 {
    let steal: u64 = bench_sink::environment::steal().values().sum();
    let throttling = bench_sink::environment::Cgroup::of_self().throttling();
    let throttled: u64 = throttling.values().map(|counts| counts.throttled_periods).sum();
    steal + throttled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_if_the_program_name_has_parentheses() {
        let rest: Vec<String> = (4..=52).map(|number| number.to_string()).collect();
        let stat = format!("7 (a) b (c)) S {}", rest.join(" "));
        let status = "Name:\ta\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        let expect =
            ThreadCounts { faults: 22, switches_involuntary: 4, switches_voluntary: 3, processor: 39, withheld: 0 };
        assert_eq!(parse(&stat, status), Some(expect));
        assert_eq!(parse("", ""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn touched_pages_are_counted_for_this_thread() {
        let mut watch = ThreadWatch::open().unwrap();
        let before = watch.read().unwrap();
        let pages = vec![1_u8; 16 << 20];
        let after = watch.read().unwrap();
        assert!(pages.iter().step_by(4096).all(|byte| *byte == 1));
        assert!(after.faults > before.faults, "{before:?} {after:?}");
    }
}
