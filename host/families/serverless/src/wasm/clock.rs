//! The monotonic clock of handlers. That of WASI wakes who waits for it from the run-time that the call is in: without one it panics, and
//! the server's is blocked by the call.

use super::reactor::reactor;
use bench_wasm::State;
use bench_wasm::wasmtime::component::{HasData, Linker, Resource};
use bench_wasm::wasmtime::{Error, Result};
use bench_wasm::wasmtime_wasi::async_trait;
use bench_wasm::wasmtime_wasi::clocks::{WasiClocksCtxView, WasiClocksView};
use bench_wasm::wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{Host, add_to_linker};
use bench_wasm::wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use std::future::pending;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::{Instant, Sleep, sleep_until};

/// Links the clock in place of that of WASI.
pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let linked = add_to_linker::<State, Clock>(linker, view);
    linker.allow_shadowing(false);
    linked
}

struct Clock;

impl HasData for Clock {
    type Data<'a> = View<'a>;
}

/// The clock of one session, which tells the time as WASI's does.
struct View<'a>(WasiClocksCtxView<'a>);

fn view(state: &mut State) -> View<'_> {
    View(state.clocks())
}

impl Host for View<'_> {
    fn now(&mut self) -> Result<u64> {
        self.0.now()
    }

    fn resolution(&mut self) -> Result<u64> {
        self.0.resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let now = self.now()?;
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, ns: u64) -> Result<Resource<DynPollable>> {
        let deadline = Deadline::after(Duration::from_nanos(ns)).map_err(Error::msg)?;
        let deadline = self.0.table.push(deadline)?;
        subscribe(self.0.table, deadline)
    }
}

/// A time that a handler waits for.
enum Deadline {
    /// It has come. That is said at once, because no other task of this thread could make anything ready meanwhile.
    Past,
    /// It will come; the run-time knows when.
    At(Instant, &'static Runtime),
    /// It is too far away to be told.
    Never,
}

impl Deadline {
    fn after(duration: Duration) -> std::result::Result<Self, String> {
        if duration.is_zero() {
            return Ok(Self::Past);
        }
        let at = Instant::now().checked_add(duration);
        at.map_or(Ok(Self::Never), |at| Ok(Self::At(at, reactor()?)))
    }
}

#[async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        match self {
            Self::Past => {}
            Self::At(instant, runtime) => timer(*instant, runtime).await,
            Self::Never => pending().await,
        }
    }
}

/// A timer of `runtime`, whichever polls it.
fn timer(instant: Instant, runtime: &Runtime) -> Sleep {
    let _inside = runtime.enter();
    sleep_until(instant)
}

#[cfg(test)]
mod tests {
    use super::super::call::wait;
    use super::*;
    use tokio::runtime::Builder;

    #[test]
    fn deadline_comes_while_the_run_time_around_it_is_blocked() {
        let waits = || {
            for duration in [Duration::ZERO, Duration::from_millis(1), Duration::ZERO] {
                let mut deadline = Deadline::after(duration).expect("there is a reactor");
                wait(None, deadline.ready());
            }
        };
        waits();
        // Without timers, as that of the server.
        let around = Builder::new_current_thread().build().expect("there is a run-time");
        around.block_on(async { waits() });
    }

    #[test]
    fn time_that_cannot_be_told_never_comes() {
        let never = Deadline::after(Duration::MAX).expect("there is a reactor");
        assert!(matches!(never, Deadline::Never));
    }
}
