//! Hands spare segments from the thread that makes them to the appenders that need them.

use crate::LogError;
use crate::segment::Segment;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

/// The state that both sides share.
#[derive(Debug, Default)]
pub(crate) struct Preparer {
    state: Mutex<State>,
    /// The helper waits for work.
    work: Condvar,
    /// Appenders wait for a segment.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    spares: VecDeque<Segment>,
    /// How often no spare segment was found. Each time causes an attempt, also after a failed one.
    demands: u64,
    /// The demands of failed attempts, and the error of the last one.
    failed_demands: u64,
    failure: Option<LogError>,
    has_work: bool,
    is_working: bool,
    is_stopped: bool,
}

impl Preparer {
    /// Starts with existing spare segments.
    pub(crate) fn new(spares: Vec<Segment>) -> Self {
        let state = State { spares: spares.into(), has_work: true, ..State::default() };
        Self { state: Mutex::new(state), ..Self::default() }
    }

    /// Takes a spare segment, if there is one.
    pub(crate) fn take_spare(&self) -> Option<Segment> {
        crate::lock(&self.state).spares.pop_front()
    }

    /// Returns one that [`Preparer::take_spare`] took and that is unchanged.
    pub(crate) fn put_back(&self, spare: Segment) {
        crate::lock(&self.state).spares.push_front(spare);
    }

    /// Waits for a spare segment; returns the error where none could be made.
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

    /// Wakes the helper.
    pub(crate) fn nudge(&self) {
        crate::lock(&self.state).has_work = true;
        self.work.notify_one();
    }

    /// Waits until the helper has nothing left to do; returns its last error.
    pub(crate) fn wait_until_idle(&self) -> Result<(), LogError> {
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

    /// The number of spare segments.
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
