//! Calibrates the clock, the cheapest system call, and the transfer of a cache line between two cores.

use super::{Effort, absent, measured, nanoseconds, sample};
use crate::placement::{bind, fastest_cpus};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

pub(super) fn clock(effort: Effort) -> LimitRecord {
    let samples = sample(effort.samples, 1_000, || {
        std::hint::black_box(Instant::now());
    });
    measured(MachineLimit::Clock, samples, "one reading of the monotonic clock, mean of 1000")
}

pub(super) fn syscall(effort: Effort) -> LimitRecord {
    let samples = sample(effort.samples, 1_000, || {
        std::hint::black_box(rustix::process::getppid());
    });
    measured(MachineLimit::Syscall, samples, "getppid, mean of 1000")
}

/// Two cache lines without other data, because processors prefetch lines in pairs.
#[repr(align(128))]
struct Line(AtomicU64);

pub(super) fn cache_line(effort: Effort) -> LimitRecord {
    let [first, second, ..] = fastest_cpus()[..] else {
        return absent(MachineLimit::CacheLine, "needs two processors of one kind; this process may use fewer");
    };
    const EXCHANGES: u64 = 1_000;
    let rounds = u64::from(effort.samples) * EXCHANGES;
    let line = Line(AtomicU64::new(0));
    let samples = thread::scope(|scope| {
        // The second thread answers each odd number with the next even one.
        scope.spawn(|| {
            bind(second);
            (0..rounds).for_each(|round| exchange(&line, 2 * round + 1));
        });
        let asking = scope.spawn(|| {
            bind(first);
            let mut next = 0;
            let mut timed = |_| {
                let start = Instant::now();
                for _ in 0..EXCHANGES {
                    line.0.store(2 * next + 1, Ordering::Release);
                    wait_for(&line, 2 * next + 2);
                    next += 1;
                }
                nanoseconds(start.elapsed()) / (2 * EXCHANGES) as f64
            };
            (0..effort.samples).map(&mut timed).collect::<Vec<_>>()
        });
        asking.join().unwrap_or_default()
    });
    let detail = format!("one way between cpu{first} and cpu{second}, spinning, mean of {}", 2 * EXCHANGES);
    measured(MachineLimit::CacheLine, samples, detail)
}

fn exchange(line: &Line, number: u64) {
    wait_for(line, number);
    line.0.store(number + 1, Ordering::Release);
}

fn wait_for(line: &Line, number: u64) {
    while line.0.load(Ordering::Acquire) != number {
        std::hint::spin_loop();
    }
}
