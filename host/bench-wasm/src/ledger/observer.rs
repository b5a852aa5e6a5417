//! The observer at a component's boundary: reads the clock at each crossing, and sums up the times between two crossings by kind.

use crate::state::State;
use quanta::Clock;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::{CallHook, Store};

/// Calls into the component by one call of the host: reallocations for its arguments, the function itself, its post-return. Where the call
/// makes an instance, the functions that start its core modules are before these.
const ENTRIES_MAX: usize = 16;

/// Observes one store.
#[derive(Debug)]
pub(crate) struct Observer {
    clock: Clock,
    phase: Phase,
    /// Calls into the component that have not returned.
    depth: u32,
    /// The last reading within a call of the host.
    last: u64,
    /// Events within the call of the host that is going on, of which no time is taken.
    nested: u64,
    seen: Seen,
    /// Where it leaves what it has seen when its store is dropped.
    left: Option<Arc<Mutex<Seen>>>,
}

/// The state since the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The component runs, or nothing does.
    Outside,
    /// The host was called and its function does not run yet; functions outside of capabilities have no other phase.
    Lift,
    /// The function of a capability runs.
    Body,
    /// It has returned, and the component does not run yet.
    Lower,
}

/// The observations since the last [`Observer::take`]: readings of the clock and their differences, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The times at which the component was entered and left, alternating.
    marks: [u64; 2 * ENTRIES_MAX],
    marked: usize,
    /// Calls of capabilities.
    pub(crate) stamped: HostCalls,
    /// Before their functions ran: the host reads arguments.
    pub(crate) lift: u64,
    /// While they ran.
    pub(crate) body: u64,
    /// Calls of the host outside of capabilities: of WASI, and of the engine itself.
    pub(crate) unstamped: HostCalls,
    /// While they ran, with their arguments and results.
    pub(crate) whole: u64,
    /// After the functions of capabilities had run: the host writes results.
    pub(crate) lower: u64,
}

/// How many calls of the host there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostCalls {
    pub(crate) calls: u64,
    /// Events within them, of which no time was taken.
    pub(crate) nested: u64,
}

impl Seen {
    /// The times at which the component was entered and left, alternating; `None` if it was entered more often than can be kept.
    pub(crate) fn marks(&self) -> Option<&[u64]> {
        self.marks.get(..self.marked)
    }

    /// Adds what was seen after this.
    pub(crate) fn add(&mut self, later: &Self) {
        for mark in later.marks.iter().take(later.marked) {
            self.mark(*mark);
        }
        self.marked += later.marked.saturating_sub(later.marks.len());
        for (calls, later) in [(&mut self.stamped, later.stamped), (&mut self.unstamped, later.unstamped)] {
            calls.calls += later.calls;
            calls.nested += later.nested;
        }
        self.lift += later.lift;
        self.body += later.body;
        self.whole += later.whole;
        self.lower += later.lower;
    }

    fn mark(&mut self, time: u64) {
        if let Some(mark) = self.marks.get_mut(self.marked) {
            *mark = time;
        }
        self.marked += 1;
    }

    /// With these marks, and with so much of lift, body, lower and whole.
    #[cfg(test)]
    pub(crate) fn of(marks: &[u64], [lift, body, lower, whole]: [u64; 4]) -> Self {
        let mut seen = Self { marked: marks.len(), lift, body, lower, whole, ..Self::default() };
        seen.marks[..marks.len()].copy_from_slice(marks);
        seen
    }
}

impl Observer {
    /// Installs an observer in `store`, for the lifetime of the store.
    pub(crate) fn attach(store: &mut Store<State>, clock: &Clock) {
        Self::new(clock).install(store);
    }

    /// Installs an observer in a store of one operation; what it has seen is added to `left` when the store is dropped.
    pub(crate) fn attach_to_one(store: &mut Store<State>, clock: &Clock, left: Arc<Mutex<Seen>>) {
        let mut observer = Self::new(clock);
        observer.left = Some(left);
        observer.install(store);
    }

    fn install(self, store: &mut Store<State>) {
        store.data_mut().observer = Some(self);
        store.call_hook(|mut context, event| {
            if let Some(observer) = &mut context.data_mut().observer {
                observer.event(event);
            }
            Ok(())
        });
    }

    fn new(clock: &Clock) -> Self {
        let seen = Seen::default();
        Self { clock: clock.clone(), phase: Phase::Outside, depth: 0, last: 0, nested: 0, seen, left: None }
    }

    /// Takes the observations since the last call.
    pub(crate) fn take(&mut self) -> Seen {
        std::mem::take(&mut self.seen)
    }

    /// The function of a capability begins.
    pub(crate) fn body_starts(&mut self) {
        if self.phase == Phase::Lift {
            self.seen.lift += self.lap();
            self.phase = Phase::Body;
        }
    }

    /// The function of a capability ends.
    pub(crate) fn body_ends(&mut self) {
        if self.phase == Phase::Body {
            self.seen.body += self.lap();
            self.phase = Phase::Lower;
        }
    }

    fn event(&mut self, event: CallHook) {
        match event {
            CallHook::CallingWasm => {
                if self.depth == 0 {
                    self.mark();
                } else {
                    self.nested += 1;
                }
                self.depth += 1;
            }
            CallHook::ReturningFromWasm => {
                // A task of WASI 0.3 may have begun before it was observed.
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.mark();
                } else {
                    self.nested += 1;
                }
            }
            CallHook::CallingHost if self.depth == 1 => {
                self.last = self.clock.raw();
                self.phase = Phase::Lift;
            }
            CallHook::ReturningFromHost if self.depth == 1 => self.host_returns(),
            // Of a function that the host calls while it is itself called: reallocation, and what that calls.
            CallHook::CallingHost | CallHook::ReturningFromHost => self.nested += 1,
        }
    }

    fn host_returns(&mut self) {
        let lap = self.lap();
        let calls = if self.phase == Phase::Lower {
            self.seen.lower += lap;
            &mut self.seen.stamped
        } else {
            self.seen.whole += lap;
            &mut self.seen.unstamped
        };
        calls.calls += 1;
        calls.nested += std::mem::take(&mut self.nested);
        self.phase = Phase::Outside;
    }

    fn mark(&mut self) {
        self.seen.mark(self.clock.raw());
    }

    /// The time since the last reading, which is now.
    fn lap(&mut self) -> u64 {
        let now = self.clock.raw();
        // Counters of two processors can differ where a thread is moved; a difference below zero is none.
        now.saturating_sub(std::mem::replace(&mut self.last, now))
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some(left) = &self.left {
            left.lock().unwrap_or_else(PoisonError::into_inner).add(&self.seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallHook::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};

    enum Event {
        Hook(CallHook),
        BodyStarts,
        BodyEnds,
    }

    /// Tells an observer of events, one a tick.
    fn seen(events: impl IntoIterator<Item = Event>) -> Seen {
        let (clock, time) = Clock::mock();
        let mut observer = Observer::new(&clock);
        for event in events {
            time.increment(1);
            match event {
                Event::Hook(event) => observer.event(event),
                Event::BodyStarts => observer.body_starts(),
                Event::BodyEnds => observer.body_ends(),
            }
        }
        assert_eq!((observer.depth, observer.nested, observer.phase), (0, 0, Phase::Outside));
        let seen = observer.take();
        assert_eq!(observer.take(), Seen::default(), "it begins again");
        seen
    }

    fn hooks(hooks: &[CallHook]) -> impl Iterator<Item = Event> {
        hooks.iter().map(|hook| Event::Hook(*hook))
    }

    #[test]
    fn call_of_a_capability_has_three_spans() {
        // The result is put where the component allocates, for which its memory grows.
        let before = hooks(&[CallingWasm, CallingHost]);
        let after = [CallingWasm, CallingHost, ReturningFromHost, ReturningFromWasm];
        let after = hooks(&after).chain(hooks(&[ReturningFromHost, ReturningFromWasm]));
        let seen = seen(before.chain([Event::BodyStarts, Event::BodyEnds]).chain(after));
        assert_eq!((seen.lift, seen.body, seen.lower, seen.whole), (1, 1, 5, 0));
        assert_eq!(seen.stamped, HostCalls { calls: 1, nested: 4 });
        assert_eq!(seen.unstamped, HostCalls::default());
        assert_eq!(seen.marks(), Some(&[1, 10][..]));
    }

    #[test]
    fn other_call_of_the_host_has_one_span() {
        let seen = seen(hooks(&[
            CallingWasm,
            CallingHost,
            CallingWasm,
            ReturningFromWasm,
            ReturningFromHost,
            CallingHost,
            ReturningFromHost,
            ReturningFromWasm,
        ]));
        assert_eq!((seen.lift, seen.body, seen.lower, seen.whole), (0, 0, 0, 3 + 1));
        assert_eq!((seen.stamped, seen.unstamped), (HostCalls::default(), HostCalls { calls: 2, nested: 2 }));
    }

    #[test]
    fn reallocation_by_the_host_is_not_a_call_of_the_component() {
        assert_eq!(seen([Event::BodyStarts, Event::BodyEnds]), Seen::default());
    }

    #[test]
    fn number_of_kept_entries_is_bounded() {
        let entries = |times: usize| seen((0..times).flat_map(|_| hooks(&[CallingWasm, ReturningFromWasm])));
        let all: Vec<u64> = (1..=2 * ENTRIES_MAX as u64).collect();
        assert_eq!(entries(ENTRIES_MAX).marks(), Some(&all[..]));
        assert_eq!(entries(ENTRIES_MAX + 1).marks(), None);
    }

    #[test]
    fn observers_of_stores_leave_what_they_have_seen() {
        let (clock, time) = Clock::mock();
        let left = Arc::new(Mutex::new(Seen::default()));
        let one = |hooks: &[CallHook]| {
            let mut observer = Observer::new(&clock);
            observer.left = Some(Arc::clone(&left));
            for hook in hooks {
                time.increment(1);
                observer.event(*hook);
            }
        };
        one(&[CallingWasm, CallingHost, ReturningFromHost, ReturningFromWasm]);
        one(&[CallingWasm, ReturningFromWasm]);
        let mut seen = std::mem::take(&mut *left.lock().unwrap());
        assert_eq!((seen.marks(), seen.whole), (Some(&[1, 4, 5, 6][..]), 1));
        assert_eq!(seen.unstamped, HostCalls { calls: 1, nested: 0 });
        (0..ENTRIES_MAX).for_each(|_| one(&[CallingWasm, ReturningFromWasm]));
        let full = std::mem::take(&mut *left.lock().unwrap());
        assert!(full.marks().is_some());
        seen.add(&full);
        assert_eq!(seen.marks(), None, "there are two too many");
    }
}
