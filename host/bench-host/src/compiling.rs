//! The time that compiling a component may take, and the messages meanwhile.

use crate::output;
use crate::progress::is_watched;
use crate::worker::{Kind, ModuleSpec, Reply, Request};
use bench_engine::Interrupt;
use bench_engine::worker::{COMPILING, Doing, WorkerEnd, Workers};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
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

/// Calls a worker that describes a module, and says on a terminal if it has been compiling for long.
pub(crate) fn describe(
    workers: &Workers,
    request: &Request,
    deadline: Duration,
    interrupt: &Interrupt,
) -> WorkerEnd<Reply> {
    notify(false, |observe| workers.call_observed(None, request, deadline, interrupt, observe))
}

/// Runs `body`, which passes on what its worker does, and says on a terminal if the worker has been compiling for long.
pub(crate) fn notify<T>(is_quiet: bool, body: impl FnOnce(&dyn Fn(&Doing)) -> T) -> T {
    if !is_watched(is_quiet) {
        return body(&|_| ());
    }
    let (sender, received) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || say(&received));
        let result = body(&|doing| {
            let file = doing.arm().filter(|_| doing.is(COMPILING)).map(str::to_owned);
            // The receiver is there until the sender is dropped.
            let _ = sender.send(file);
        });
        drop(sender);
        result
    })
}

/// Says from time to time that a file is being compiled, while the last that was received is one.
fn say(received: &Receiver<Option<String>>) {
    let mut compiling: Option<(String, Instant)> = None;
    loop {
        let next = match compiling {
            Some(_) => received.recv_timeout(SILENCE),
            None => received.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(file) => compiling = file.map(|file| (file, Instant::now())),
            Err(RecvTimeoutError::Timeout) => {
                compiling.iter().for_each(|(file, since)| output::line(&message(file, since.elapsed())));
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn message(file: &str, elapsed: Duration) -> String {
    format!("bench-host: {file}: compiling, {} s so far; this happens once", elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saying_ends_with_the_call_and_a_later_step_ends_the_compiling() {
        let (sender, received) = mpsc::channel();
        let saying = thread::spawn(move || say(&received));
        for file in [Some("lib.wasm".to_owned()), None, Some("other.wasm".to_owned())] {
            sender.send(file).expect("it is listened to");
        }
        drop(sender);
        saying.join().expect("it ends");
        let text = message("lib.wasm", Duration::from_millis(4_999));
        assert_eq!(text, "bench-host: lib.wasm: compiling, 4 s so far; this happens once");
    }

    #[test]
    fn large_component_has_more_time_up_to_a_maximum() {
        for (bytes, seconds) in [(0, 0), (1 << 20, 10), (30 << 20, 300), (1 << 40, 1800)] {
            assert_eq!(compile_time(bytes, 1), Duration::from_secs(seconds), "{bytes}");
        }
        assert_eq!(compile_time(1 << 20, UNOPTIMISED), Duration::from_secs(50));
    }
}
