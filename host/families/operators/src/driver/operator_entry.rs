//! One operator of the host: the operator or its kept state, and the events that are queued for it.

use crate::operators::{Factory, Operator, Plane};
use bench_model::ModuleError;
use control_plane::{Event, Scope, Subscription};
use std::collections::VecDeque;
use std::sync::Arc;

/// A queued event.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) event: Event,
    /// The length of the sequence of writes, each of which caused the next, that led to the event.
    pub(super) depth: u32,
    /// How often the operator has failed on it.
    pub(super) failures: u32,
}

/// The state of an operator.
pub(super) enum OperatorState {
    Loaded(Box<dyn Operator>),
    /// It is unloaded; this state is kept.
    Unloaded(Box<[u8]>),
    /// It was never started, or it has crashed. A new operator is started for the next event.
    Nothing,
}

/// A watch of the operator.
pub(super) struct Watching {
    pub(super) scope: Scope,
    /// The version of the last event, or of the list at the start of the watch.
    pub(super) version: u64,
    #[expect(dead_code, reason = "the watch ends when this is dropped")]
    pub(super) subscription: Subscription,
}

/// One operator of the host.
pub(super) struct OperatorEntry {
    pub(super) held: OperatorState,
    pub(super) plane: Arc<dyn Plane>,
    /// Names and values as JSON, one piece of memory in place of five.
    arguments: Box<str>,
    pub(super) watches: Vec<Watching>,
    pub(super) queue: VecDeque<Pending>,
    /// The time of its last event.
    pub(super) active_ns: u64,
}

impl OperatorEntry {
    /// An operator that is not started, and that sees the control plane through `plane`.
    pub(super) fn new(plane: Arc<dyn Plane>, arguments: &[(String, String)]) -> Self {
        let arguments = serde_json::to_string(arguments).expect("names and values can be written as JSON").into();
        let (watches, queue) = (Vec::new(), VecDeque::new());
        Self { held: OperatorState::Nothing, plane, arguments, watches, queue, active_ns: 0 }
    }

    /// The names and values that it is started with.
    fn arguments(&self) -> Result<Vec<(String, String)>, ModuleError> {
        serde_json::from_str(&self.arguments)
            .map_err(|error| ModuleError::Other(format!("the arguments of an operator are damaged: {error}")))
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

    /// The operator. If it is not loaded, it is made and restored from its kept state, or started anew. The kept state is dropped
    /// only after it was restored.
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
                // Its watches have not changed.
                operator.start(&self.arguments()?)?;
                self.held = OperatorState::Loaded(operator);
            }
        }
        match &mut self.held {
            OperatorState::Loaded(operator) => Ok(operator.as_mut()),
            _ => unreachable!("it was just loaded"),
        }
    }

    /// Suspends and drops the operator, which has no queued events, and returns the bytes of its kept state; `None` if it was not
    /// loaded. An operator that cannot be suspended stays loaded, unless it has crashed.
    pub(super) fn unload(&mut self) -> Option<Result<u64, ModuleError>> {
        let OperatorState::Loaded(operator) = &mut self.held else { return None };
        Some(match operator.suspend() {
            Ok(state) => {
                let bytes = state.len() as u64;
                self.held = OperatorState::Unloaded(state.into());
                // The empty queue gives its memory back until the next event.
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
