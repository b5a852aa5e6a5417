//! Observes an instance at its boundary: the times in the component and in functions of the host that it calls.

use crate::functions::Crossings;
use bench_wasm::State;
use bench_wasm::wasmtime::{CallHook, Store};
use std::time::Instant;

/// The observer of one store.
#[derive(Debug, Default)]
pub(super) struct Observer {
    /// Calls into the component that have not returned: one, and those by which the host allocates in it.
    depth: u32,
    /// The last crossing within the call.
    since: Option<Instant>,
    seen: Crossings,
}

impl Observer {
    /// Observes all later calls of `store`.
    pub(super) fn attach(store: &mut Store<State>) {
        store.call_hook(|mut context, event| {
            context.data_mut().slot::<Self>().event(event, Instant::now());
            Ok(())
        });
    }

    /// What was seen since the last call of this.
    pub(super) fn take(&mut self) -> Crossings {
        std::mem::take(&mut self.seen)
    }

    fn event(&mut self, event: CallHook, now: Instant) {
        match event {
            CallHook::CallingWasm => {
                self.depth += 1;
                if self.depth == 1 {
                    self.since = Some(now);
                }
            }
            CallHook::ReturningFromWasm => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.seen.component_ns += self.lap(now);
                }
            }
            CallHook::CallingHost if self.depth == 1 => self.seen.component_ns += self.lap(now),
            CallHook::ReturningFromHost if self.depth == 1 => {
                self.seen.host_ns += self.lap(now);
                self.seen.host_calls += 1;
            }
            // Of a function that the host calls while it is itself called.
            CallHook::CallingHost | CallHook::ReturningFromHost => {}
        }
    }

    /// Nanoseconds since the last crossing, which is now.
    fn lap(&mut self, now: Instant) -> u64 {
        let since = self.since.replace(now);
        since.map_or(0, |since| now.saturating_duration_since(since).as_nanos() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn time_belongs_to_the_component_or_to_the_function_that_it_calls() {
        use CallHook::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};
        let mut observer = Observer::default();
        let begin = Instant::now();
        // The second call of the host puts its result where the component allocates, for which its memory grows.
        let events = [
            (0, CallingWasm),
            (1, CallingHost),
            (3, ReturningFromHost),
            (7, CallingHost),
            (8, CallingWasm),
            (9, CallingHost),
            (10, ReturningFromHost),
            (11, ReturningFromWasm),
            (15, ReturningFromHost),
            (31, ReturningFromWasm),
        ];
        for (at_ns, event) in events {
            observer.event(event, begin + Duration::from_nanos(at_ns));
        }
        let expect = Crossings { component_ns: 1 + 4 + 16, host_ns: 2 + 8, host_calls: 2 };
        assert_eq!(observer.take(), expect);
        assert_eq!(observer.take(), Crossings::default(), "it begins again");
    }
}
