//! Samples of the stacks of components without a profiler of the system: a thread advances the engine's epoch, and code that notices it
//! records its own stack. It sees components only, and code that checks epochs is slower, so no figure is taken meanwhile. The engine's own
//! guest profiler works the same way.

use crate::engine::Runtime;
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};
use wasmtime::{AsContext, Store, UpdateDeadline, WasmBacktrace};

/// The time between two samples.
pub const INTERVAL: Duration = Duration::from_millis(1);

/// More samples than this are not recorded.
const SAMPLES_MAX: usize = 1 << 20;

/// The stack of a component at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSample {
    /// Since the first engine of this process was made whose code is sampled.
    pub time: Duration,
    /// The names of the functions, the caller first.
    pub functions: Vec<String>,
}

/// When that was.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

static SAMPLES: Mutex<Vec<GuestSample>> = Mutex::new(Vec::new());

/// Takes all samples that this process has recorded so far.
pub fn take_guest_samples() -> Vec<GuestSample> {
    std::mem::take(&mut *SAMPLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Advances the epoch of an engine until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticker(#[expect(dead_code, reason = "dropping it ends the thread")] Sender<()>);

impl Ticker {
    pub(crate) fn start(engine: &wasmtime::Engine) -> Self {
        LazyLock::force(&BEGUN);
        let (sender, receiver) = channel();
        let engine = engine.clone();
        std::thread::spawn(move || {
            // Nothing is ever sent; the wait ends early when the other end is dropped.
            while receiver.recv_timeout(INTERVAL) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        });
        Self(sender)
    }
}

impl Runtime {
    /// Lets the code of `store` record its stack whenever the epoch has advanced.
    pub(crate) fn sample<T: 'static>(store: &mut Store<T>) {
        store.epoch_deadline_callback(|context| {
            let backtrace = WasmBacktrace::capture(context.as_context());
            record(BEGUN.elapsed(), &backtrace);
            Ok(UpdateDeadline::Continue(1))
        });
        store.set_epoch_deadline(1);
    }
}

fn record(time: Duration, backtrace: &WasmBacktrace) {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => name.to_owned(),
        None => format!("function[{}]", frame.func_index()),
    };
    let functions: Vec<String> = backtrace.frames().iter().rev().map(name).collect();
    let mut samples = SAMPLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !functions.is_empty() && samples.len() < SAMPLES_MAX {
        samples.push(GuestSample { time, functions });
    }
}
