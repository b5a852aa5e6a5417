//! Samples the memory of this process and of others ten times a second, in a thread of its own, by phase. The kernel walks all of the
//! memory for a sample, so with thousands of operators samples are taken less often, for at most a tenth of the time.

use bench_engine::{Clock, MonotonicClock};
use std::fs;
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The time between two samples, unless one takes more than a tenth of it.
const PERIOD: Duration = Duration::from_millis(100);

/// Between two samples is at least so many times as much time as the last one took.
const PAUSE: u32 = 10;

/// The error number of a process that ended between opening and reading its file (ESRCH).
const NO_PROCESS: i32 = 3;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) phase: &'static str,
    /// Nanoseconds of the clock that the sampler was given.
    pub(super) at_ns: u64,
    pub(super) memory: Memory,
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Proportional set size: resident pages, each divided by the number of processes that share it.
    pub(super) pss_bytes: u64,
    /// Resident pages that are not shared.
    pub(super) private_bytes: u64,
}

/// A message to the thread: take one more sample, then begin a phase.
struct Order {
    phase: &'static str,
    /// The processes that are measured in addition to this one.
    processes: Vec<u32>,
}

/// Samples memory until it is stopped.
pub(super) struct Sampler {
    orders: SyncSender<Order>,
    done: Receiver<()>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Memory {
    /// The memory of this process and of `others`; `None` if the system does not tell that of one of them.
    pub(super) fn now(others: &[u32]) -> Option<Self> {
        let mut sum = Self::parse(&fs::read_to_string("/proc/self/smaps_rollup").ok()?)?;
        for other in others {
            let text = match fs::read_to_string(format!("/proc/{other}/smaps_rollup")) {
                Ok(text) => text,
                // A process that has ended meanwhile has no memory.
                Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(NO_PROCESS) => {
                    continue;
                }
                Err(_) => return None,
            };
            let other = Self::parse(&text)?;
            sum.pss_bytes += other.pss_bytes;
            sum.private_bytes += other.private_bytes;
        }
        Some(sum)
    }

    /// Parses `smaps_rollup` (proc_pid_smaps(5)).
    fn parse(text: &str) -> Option<Self> {
        let kib = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            value.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
        };
        Some(Self { pss_bytes: kib("Pss")?, private_bytes: kib("Private_Clean")? + kib("Private_Dirty")? })
    }
}

impl Sampler {
    /// Starts sampling in the phase `phase`.
    pub(super) fn start(clock: MonotonicClock, phase: &'static str) -> Self {
        let (orders, inbox) = sync_channel(0);
        let (answer, done) = sync_channel(1);
        let thread = thread::spawn(move || sample(clock, phase, &inbox, &answer));
        Self { orders, done, thread }
    }

    /// Ends the phase with a last sample, so that each has at least one, and begins another.
    pub(super) fn enter(&self, phase: &'static str, processes: Vec<u32>) {
        // A thread that has panicked is found when it is joined.
        if self.orders.send(Order { phase, processes }).is_ok() {
            let _ = self.done.recv();
        }
    }

    /// Ends the last phase, and returns all samples.
    pub(super) fn stop(self) -> Vec<Sample> {
        self.enter("", Vec::new());
        drop(self.orders);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn sample(
    clock: MonotonicClock,
    mut phase: &'static str,
    inbox: &Receiver<Order>,
    answer: &SyncSender<()>,
) -> Vec<Sample> {
    let (mut samples, mut processes) = (Vec::new(), Vec::new());
    // Returns the time until the next sample.
    let look = |phase, processes: &[u32], samples: &mut Vec<Sample>| {
        let begin_ns = clock.now_ns();
        let taken = Memory::now(processes).map(|memory| Sample { phase, at_ns: clock.now_ns(), memory });
        samples.extend(taken);
        PERIOD.max(PAUSE * Duration::from_nanos(clock.now_ns() - begin_ns))
    };
    let mut period = PERIOD;
    loop {
        match inbox.recv_timeout(period) {
            Ok(next) => {
                period = look(phase, &processes, &mut samples);
                Order { phase, processes } = next;
                // A receiver that was dropped needs no answer.
                let _ = answer.send(());
            }
            Err(RecvTimeoutError::Timeout) => period = look(phase, &processes, &mut samples),
            Err(RecvTimeoutError::Disconnected) => return samples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_the_system_says() {
        let text = "55d0-7ffd ---p 00000000 00:00 0  [rollup]\nRss:  900 kB\nPss:  300 kB\nPss_Dirty: 7 kB\n\
                    Private_Clean:  20 kB\nPrivate_Dirty:  80 kB\n";
        assert_eq!(Memory::parse(text), Some(Memory { pss_bytes: 300 << 10, private_bytes: 100 << 10 }));
        assert_eq!(Memory::parse("Rss: 1 kB"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn every_phase_has_a_sample_however_short_it_is() {
        let sampler = Sampler::start(MonotonicClock::new(), "a");
        sampler.enter("b", vec![std::process::id()]);
        sampler.enter("c", Vec::new());
        let samples = sampler.stop();
        let phases: Vec<_> = samples.iter().map(|sample| sample.phase).collect();
        assert_eq!(phases, ["a", "b", "c"]);
        let pss = |index: usize| samples[index].memory.pss_bytes;
        assert!(pss(0) > 0 && pss(1) > pss(0), "the second phase counts another process, which is this one again");
    }
}
