//! The time that compiling a component may take, and the messages meanwhile.

use crate::output;
use crate::progress::is_watched;
use crate::worker::{Kind, ModuleSpec};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The time that the compiler may take for a mebibyte, on a slow machine that does other things too.
const PER_MEBIBYTE: Duration = Duration::from_secs(10);

/// How many times longer it takes in the build of the first table, in which it is not optimised.
const UNOPTIMISED: u32 = 5;

/// The longest time that the compiler may take.
const MAX: Duration = Duration::from_secs(30 * 60);

/// The time before the first message, and between two.
const SILENCE: Duration = Duration::from_secs(2);

impl ModuleSpec {
    /// The time that a worker may take to compile it, in addition to everything else: in proportion to its size, because it is compiled
    /// only where its code is not cached.
    pub(crate) fn compile_time(&self) -> Duration {
        let bytes = std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
        let is_compiled = matches!(self.kind, Kind::Component);
        let times = if option_env!("BENCH_HOST_BUILD").is_some() { UNOPTIMISED } else { 1 };
        if is_compiled { compile_time(bytes, times) } else { Duration::ZERO }
    }
}

fn compile_time(bytes: u64, times: u32) -> Duration {
    (times * PER_MEBIBYTE).mul_f64(bytes as f64 / f64::from(1 << 20)).min(MAX)
}

/// Runs `body`, which may compile the component at `file`, and says so on a terminal if it takes long.
pub(crate) fn notify<T>(file: &Path, body: impl FnOnce() -> T) -> T {
    if !is_watched(false) {
        return body();
    }
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let started = Instant::now();
            while waiting.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
                let seconds = started.elapsed().as_secs();
                let file = file.display();
                output::line(&format!("bench-host: {file}: compiling, {seconds} s so far; this happens once"));
            }
        });
        let result = body();
        drop(done);
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_component_has_more_time_up_to_a_maximum() {
        for (bytes, seconds) in [(0, 0), (1 << 20, 10), (30 << 20, 300), (1 << 40, 1800)] {
            assert_eq!(compile_time(bytes, 1), Duration::from_secs(seconds), "{bytes}");
        }
        assert_eq!(compile_time(1 << 20, UNOPTIMISED), Duration::from_secs(50));
    }
}
