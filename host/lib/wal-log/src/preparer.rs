//! Hands spare segments from the thread that makes them to the appenders that need them.

use crate::LogError;
use crate::segment::Segment;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

/// What both sides know.
#[derive(Debug, Default)]
pub(crate) struct Preparer {
    state: Mutex<State>,
    /// The making side waits for work.
    work: Condvar,
    /// The needing side waits for a segment.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    spares: VecDeque<Segment>,
    /// How often somebody found no spare. Each time is worth an attempt, also after one that failed.
    demands: u64,
    /// The demands that failed attempts were for, and how the last one failed.
    failed_demands: u64,
    failure: Option<LogError>,
    has_work: bool,
    is_working: bool,
    is_stopped: bool,
}

impl Preparer {
    /// With segments that are there already.
    pub(crate) fn new(spares: Vec<Segment>) -> Self {
        let state = State { spares: spares.into(), has_work: true, ..State::default() };
        Self { state: Mutex::new(state), ..Self::default() }
    }

    /// A spare segment, if there is one.
    pub(crate) fn take(&self) -> Option<Segment> {
        crate::lock(&self.state).spares.pop_front()
    }

    /// Returns when there is a spare segment, or why none could be made.
    pub(crate) fn wait_for_spare(&self) -> Result<(), LogError> {
        let mut state = crate::lock(&self.state);
        if !state.spares.is_empty() {
            return Ok(());
        }
        state.demands += 1;
        let demand = state.demands;
        state.has_work = true;
        self.work.notify_one();
        loop {
            if !state.spares.is_empty() {
                return Ok(());
            }
            if state.is_stopped {
                return Err(LogError::Stopped);
            }
            if state.failed_demands >= demand {
                return Err(state.failure.as_ref().map_or(LogError::Stopped, LogError::duplicate));
            }
            state = crate::wait(&self.done, state);
        }
    }

    /// Tells the making side to look for work.
    pub(crate) fn nudge(&self) {
        crate::lock(&self.state).has_work = true;
        self.work.notify_one();
    }

    /// Returns when the making side has nothing left to do, or how it failed last.
    pub(crate) fn settle(&self) -> Result<(), LogError> {
        let mut state = crate::lock(&self.state);
        state.demands += 1;
        state.has_work = true;
        self.work.notify_one();
        while (state.has_work || state.is_working) && !state.is_stopped {
            state = crate::wait(&self.done, state);
        }
        state.failure.as_ref().map_or(Ok(()), |failure| Err(failure.duplicate()))
    }

    pub(crate) fn stop(&self) {
        crate::lock(&self.state).is_stopped = true;
        self.work.notify_one();
        self.done.notify_all();
    }

    /// Waits for work; the demands that it is for, or `None` when it is time to end.
    pub(crate) fn next(&self) -> Option<u64> {
        let mut state = crate::lock(&self.state);
        while !state.has_work && !state.is_stopped {
            state = crate::wait(&self.work, state);
        }
        state.has_work = false;
        state.is_working = true;
        (!state.is_stopped).then_some(state.demands)
    }

    /// How many spare segments there are.
    pub(crate) fn spares(&self) -> usize {
        crate::lock(&self.state).spares.len()
    }

    pub(crate) fn offer(&self, segment: Segment) {
        crate::lock(&self.state).spares.push_back(segment);
        self.done.notify_all();
    }

    /// The work that [`Preparer::next`] returned is done.
    pub(crate) fn finish(&self, demands: u64, result: Result<(), LogError>) {
        let mut state = crate::lock(&self.state);
        state.is_working = false;
        state.failure = result.err();
        if state.failure.is_some() {
            state.failed_demands = demands;
        }
        drop(state);
        self.done.notify_all();
    }
}
