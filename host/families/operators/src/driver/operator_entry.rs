//! One operator's place: the operator itself or what it has kept, and the events that wait for it. It must not know when an
//! operator is unloaded, only how.

use crate::operators::{Factory, Operator, Plane};
use bench_model::ModuleError;
use control_plane::{Event, Scope, Subscription};
use std::collections::VecDeque;
use std::sync::Arc;

/// An event that waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) event: Event,
    /// How many operators have acted, one on the other's write, up to it.
    pub(super) depth: u32,
    /// How often its operator has failed on it.
    pub(super) failures: u32,
}

/// What there is of an operator.
pub(super) enum OperatorState {
    Loaded(Box<dyn Operator>),
    /// What it has kept.
    Unloaded(Box<[u8]>),
    /// It has crashed, and is started anew for its next event.
    Nothing,
}

/// A watch.
pub(super) struct Watching {
    pub(super) scope: Scope,
    /// Of the last change that has arrived, or of the list that it began with.
    pub(super) version: u64,
    #[expect(dead_code, reason = "the watch ends when this is dropped")]
    pub(super) subscription: Subscription,
}

/// An operator's place.
pub(super) struct OperatorEntry {
    pub(super) held: OperatorState,
    pub(super) plane: Arc<dyn Plane>,
    arguments: Box<[(String, String)]>,
    pub(super) watches: Vec<Watching>,
    pub(super) queue: VecDeque<Pending>,
    /// When it last had something to do.
    pub(super) active_ns: u64,
}

impl OperatorEntry {
    pub(super) fn new(
        operator: Box<dyn Operator>,
        plane: Arc<dyn Plane>,
        arguments: Vec<(String, String)>,
        active_ns: u64,
    ) -> Self {
        let (watches, queue) = (Vec::new(), VecDeque::new());
        Self { held: OperatorState::Loaded(operator), plane, arguments: arguments.into(), watches, queue, active_ns }
    }

    pub(super) fn is_unloaded(&self) -> bool {
        matches!(self.held, OperatorState::Unloaded(_))
    }

    pub(super) fn is_loaded(&self) -> bool {
        matches!(self.held, OperatorState::Loaded(_))
    }

    pub(super) fn process(&self) -> Option<u32> {
        match &self.held {
            OperatorState::Loaded(operator) => operator.process(),
            _ => None,
        }
    }

    /// The operator, which takes up what it has kept, or starts anew, where it is not loaded. What it has kept is kept until
    /// it has taken it up.
    pub(super) fn awake(
        &mut self,
        factory: &mut dyn Factory,
        plane: Arc<dyn Plane>,
    ) -> Result<&mut dyn Operator, ModuleError> {
        match &self.held {
            OperatorState::Loaded(_) => (),
            OperatorState::Unloaded(state) => {
                let mut operator = factory.make(plane)?;
                operator.resume(state)?;
                self.held = OperatorState::Loaded(operator);
            }
            OperatorState::Nothing => {
                let mut operator = factory.make(plane)?;
                // Its watches are as they were.
                operator.start(&self.arguments)?;
                self.held = OperatorState::Loaded(operator);
            }
        }
        match &mut self.held {
            OperatorState::Loaded(operator) => Ok(operator.as_mut()),
            _ => unreachable!("it was just loaded"),
        }
    }

    /// Suspends and drops the operator, for which no event waits; how many bytes it keeps. `None` where it was not loaded. One
    /// that cannot be suspended stays loaded, unless it has crashed.
    pub(super) fn unload(&mut self) -> Option<Result<u64, ModuleError>> {
        let OperatorState::Loaded(operator) = &mut self.held else { return None };
        Some(match operator.suspend() {
            Ok(state) => {
                let bytes = state.len() as u64;
                self.held = OperatorState::Unloaded(state.into());
                // It is empty; its room is not wanted for as long as nothing comes.
                self.queue = VecDeque::new();
                Ok(bytes)
            }
            Err(error) => {
                if matches!(error, ModuleError::Crashed(_)) {
                    self.held = OperatorState::Nothing;
                }
                Err(error)
            }
        })
    }
}
