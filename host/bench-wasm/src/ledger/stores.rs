//! Observes the stores of a session each of whose operations has one of its own.

use super::observer::{Observer, Seen};
use crate::state::State;
use quanta::Clock;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Store;

/// Observes the stores of a session, from when a cost breakdown has it begin.
#[derive(Clone, Debug, Default)]
pub struct StoreObserver(Option<Observing>);

#[derive(Clone, Debug)]
struct Observing {
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
}

impl StoreObserver {
    /// Observes `store` from now on, if it has begun.
    pub fn observe(&self, store: &mut Store<State>) {
        if let Some(Observing { clock, seen }) = &self.0 {
            Observer::attach_to_one(store, clock, Arc::clone(seen));
        }
    }

    /// Has it observe the stores that it is shown.
    pub(crate) fn begin(&mut self, clock: &Clock) {
        self.0 = Some(Observing { clock: clock.clone(), seen: Arc::default() });
    }

    /// Takes what was seen in the stores that have been dropped since the last call; `None` if it has not begun.
    pub(crate) fn take(&self) -> Option<Seen> {
        let Observing { seen, .. } = self.0.as_ref()?;
        Some(std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
