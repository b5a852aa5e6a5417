//! The host of operators: takes events out of one mailbox, dispatches each to its operator in order, retries failed ones, and unloads
//! idle operators.

use super::operator_entry::{OperatorEntry, OperatorState, Pending, Watching};
use super::plane::{Causes, Named};
use crate::operators::{Factory, Plane};
use bench_engine::Clock;
use bench_model::ModuleError;
use control_plane::{ControlPlane, Delivery, Event, Mailbox, Object, PlaneError, Scope, Token};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Maximum number of retries of a failed event.
pub(super) const RETRIES_MAX: u32 = 3;

/// The delay before the first retry; it doubles with each further one.
pub(super) const BACK_OFF_NS: u64 = 10_000_000;

/// Maximum number of watches of one operator.
const WATCHES_MAX: usize = 1 << WATCH_BITS;
const WATCH_BITS: u32 = 8;

/// The watch of the observer, which is not an operator.
const OBSERVER: Token = Token::MAX;

/// Maximum number of failures whose text is kept; further ones are only counted.
const FAILURES_KEPT: usize = 8;

/// When operators are unloaded and events are refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The idle time after which an operator is unloaded; `None` keeps operators loaded.
    pub(super) idle_ns: Option<u64>,
    /// Maximum length of a sequence of writes that each cause the next. A longer one is a feedback loop.
    pub(super) depth_max: u32,
    /// Returns the memory of unloaded operators from the allocator to the system.
    pub(super) reclaim: fn(),
}

/// Counts of events. An event that was delivered is reconciled, failed or queued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) delivered: u64,
    pub(super) reconciled: u64,
    /// Events that failed in every attempt, or were part of a feedback loop.
    pub(super) failed: u64,
    pub(super) retried: u64,
    /// The reasons of the first failures.
    pub(super) failures: Vec<String>,
}

impl Tally {
    /// Keeps the reason of a failure, up to the maximum number.
    fn keep(&mut self, failure: String) {
        if self.failures.len() < FAILURES_KEPT {
            self.failures.push(failure);
        }
    }
}

/// The result of a step.
#[derive(Debug)]
pub(super) enum Step {
    /// There was nothing to do.
    Nothing,
    /// One event was dispatched to its operator, or refused.
    Dispatched(Dispatched),
    /// The observer's watch has an event.
    Observed(Event),
}

/// The result of dispatching an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dispatched {
    /// Nanoseconds from taking the event until the operator was done.
    pub(super) took_ns: u64,
    /// Whether the operator was unloaded before.
    pub(super) was_unloaded: bool,
    pub(super) is_reconciled: bool,
}

/// Operators and the events that are queued for them.
pub(super) struct Host<'a> {
    pub(super) plane: Arc<dyn ControlPlane>,
    clock: &'a dyn Clock,
    factories: Vec<Box<dyn Factory>>,
    rules: Rules,
    mailbox: Arc<Mailbox>,
    causes: Arc<Causes>,
    slots: Vec<OperatorEntry>,
    /// Operators whose first event can be dispatched.
    ready: VecDeque<usize>,
    /// Operators whose first event is retried, with the time of the retry.
    waiting: BinaryHeap<Reverse<(u64, usize)>>,
    /// When idle operators are looked for again.
    look_ns: u64,
    observer: Option<Watching>,
    /// Events that the observer's watch has missed.
    observed: VecDeque<Event>,
    pub(super) tally: Tally,
}

impl<'a> Host<'a> {
    /// A host without operators. Factory *i* modulo their number makes operator *i*.
    pub(super) fn new(
        plane: Arc<dyn ControlPlane>,
        clock: &'a dyn Clock,
        factories: Vec<Box<dyn Factory>>,
        rules: Rules,
    ) -> Self {
        let (slots, ready, waiting) = (Vec::new(), VecDeque::new(), BinaryHeap::new());
        let (mailbox, causes) = (Arc::default(), Arc::default());
        let tally = Tally::default();
        Self {
            plane,
            clock,
            factories,
            rules,
            mailbox,
            causes,
            slots,
            ready,
            waiting,
            look_ns: 0,
            observer: None,
            observed: VecDeque::new(),
            tally,
        }
    }

    /// Adds `count` operators, the arguments of each from `arguments`, which are neither started nor watch anything. What is kept of an
    /// unloaded operator is allocated here and in [`watch`](Self::watch) for all operators one after another: between the instances, each
    /// of these small pieces would keep a page that the dropped instance could have given back.
    pub(super) fn add(&mut self, count: usize, arguments: impl Fn(usize) -> Vec<(String, String)>) {
        self.slots.reserve_exact(count);
        for _ in 0..count {
            let number = self.slots.len();
            let manager = format!("operator-{number}");
            let plane: Arc<dyn Plane> =
                Arc::new(Named { plane: Arc::clone(&self.plane), causes: Arc::clone(&self.causes), manager });
            self.slots.push(OperatorEntry::new(plane, &arguments(number)));
        }
    }

    /// Makes operator `number`, starts it with the arguments that it was added with, and returns what it watches.
    pub(super) fn start(&mut self, number: usize, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError> {
        let plane = Arc::clone(&self.slots[number].plane);
        let mut operator = factory(&mut self.factories, number).make(plane)?;
        let scopes = self.causes.during(0, || operator.start(arguments));
        let scopes = scopes.map_err(|error| operator_error(number, "start", &error))?;
        if scopes.len() > WATCHES_MAX {
            let reason = format!("operator {number} asks for {} watches; the maximum is {WATCHES_MAX}", scopes.len());
            return Err(ModuleError::InvalidArgument(reason));
        }
        self.slots[number].held = OperatorState::Loaded(operator);
        self.slots[number].active_ns = self.clock.now_ns();
        Ok(scopes)
    }

    /// Begins the watches of operator `number`.
    pub(super) fn watch(&mut self, number: usize, scopes: &[Scope]) -> Result<(), ModuleError> {
        self.slots[number].watches.reserve_exact(scopes.len());
        for (index, scope) in scopes.iter().enumerate() {
            let token = (number as Token) << WATCH_BITS | index as Token;
            let (objects, watching) = self.list_and_watch(token, scope).map_err(|error| of_plane(scope, &error))?;
            self.slots[number].watches.push(watching);
            objects.into_iter().for_each(|object| self.enqueue(token, Event::Added(object)));
        }
        Ok(())
    }

    /// Starts a watch of `scope`, whose events [`Host::step`] returns.
    pub(super) fn observe(&mut self, scope: &Scope) -> Result<(), ModuleError> {
        let (_, watching) = self.list_and_watch(OBSERVER, scope).map_err(|error| of_plane(scope, &error))?;
        self.observer = Some(watching);
        Ok(())
    }

    /// The objects of `scope`, and a watch of all later changes.
    fn list_and_watch(&self, token: Token, scope: &Scope) -> Result<(Vec<Arc<Object>>, Watching), PlaneError> {
        loop {
            let listing = self.plane.list(scope)?;
            match self.plane.watch(scope, listing.version, token, &self.mailbox) {
                // The list is too old, because so much was written since. Try with a newer one.
                Err(PlaneError::TooOld { .. }) => (),
                Err(error) => return Err(error),
                Ok(subscription) => {
                    let watching = Watching { scope: scope.clone(), version: listing.version, subscription };
                    return Ok((listing.objects, watching));
                }
            }
        }
    }

    /// Does one thing, if there is something to do.
    pub(super) fn step(&mut self) -> Result<Step, ModuleError> {
        if let Some(event) = self.observed.pop_front() {
            return Ok(Step::Observed(event));
        }
        while let Some((token, delivery)) = self.mailbox.take() {
            match self.receive(token, delivery)? {
                Some(event) if token == OBSERVER => return Ok(Step::Observed(event)),
                Some(event) => self.enqueue(token, event),
                None => (),
            }
        }
        let now_ns = self.clock.now_ns();
        while let Some(Reverse((due_ns, number))) = self.waiting.peek().copied()
            && due_ns <= now_ns
        {
            self.waiting.pop();
            self.ready.push_back(number);
        }
        if let Some(number) = self.ready.pop_front() {
            return Ok(Step::Dispatched(self.dispatch(number, now_ns)));
        }
        self.unload_idle(now_ns);
        Ok(Step::Nothing)
    }

    /// Waits for an event, a retry, the next look for idle operators, or until `end_ns`.
    pub(super) fn wait(&self, end_ns: u64) {
        let due_ns = self.waiting.peek().map_or(u64::MAX, |Reverse((due_ns, _))| *due_ns);
        let look_ns = if self.rules.idle_ns.is_some() { self.look_ns } else { u64::MAX };
        let until_ns = end_ns.min(due_ns).min(look_ns);
        self.mailbox.wait(Duration::from_nanos(until_ns.saturating_sub(self.clock.now_ns())));
    }

    /// Suspends and drops every operator without events. Returns for each the nanoseconds and the bytes of its kept state.
    pub(super) fn unload_all(&mut self) -> Vec<(u64, u64)> {
        let numbers = 0..self.slots.len();
        numbers.filter_map(|number| self.unload(number)).collect()
    }

    /// The processes of operators that run in their own.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.slots.iter().filter_map(OperatorEntry::process).collect()
    }

    pub(super) fn unloaded(&self) -> usize {
        self.slots.iter().filter(|slot| slot.is_unloaded()).count()
    }

    /// The number of queued events.
    pub(super) fn queued(&self) -> u64 {
        self.slots.iter().map(|slot| slot.queue.len() as u64).sum()
    }

    /// Whether no event is queued or delivered.
    pub(super) fn is_quiet(&self) -> bool {
        self.queued() == 0 && !self.mailbox.wait(Duration::ZERO)
    }

    /// Sets the idle time after which an operator is unloaded.
    pub(super) fn set_idle(&mut self, idle_ns: Option<u64>) {
        self.rules.idle_ns = idle_ns;
        self.look_ns = 0;
    }

    /// The event of a delivery. If the control plane has forgotten events, the objects that have changed since the last event take
    /// their place: of several changes of one object only the last, and no deletions.
    fn receive(&mut self, token: Token, delivery: Delivery) -> Result<Option<Event>, ModuleError> {
        let (number, index) = place(token);
        let watching = match token {
            OBSERVER => self.observer.as_mut().expect("it watches"),
            _ => &mut self.slots[number].watches[index],
        };
        let error = match delivery {
            Ok(event) => {
                watching.version = event.version();
                return Ok(Some(event));
            }
            Err(error) => error,
        };
        let (scope, seen) = (watching.scope.clone(), watching.version);
        let lost = |error| ModuleError::Other(of_plane(&scope, &error).to_string());
        if !matches!(error, PlaneError::TooOld { .. }) {
            return Err(lost(error));
        }
        let (objects, watching) = self.list_and_watch(token, &scope).map_err(lost)?;
        let changed = objects.into_iter().filter(|object| object.resource_version > seen).map(Event::Modified);
        if token == OBSERVER {
            self.observer = Some(watching);
            self.observed.extend(changed);
        } else {
            self.slots[number].watches[index] = watching;
            changed.for_each(|event| self.enqueue(token, event));
        }
        Ok(None)
    }

    fn enqueue(&mut self, token: Token, event: Event) {
        let (number, _) = place(token);
        let depth = self.causes.depth(event.key());
        self.tally.delivered += 1;
        let slot = &mut self.slots[number];
        slot.queue.push_back(Pending { event, depth, failures: 0 });
        // An operator with earlier events is ready already, or waits for a retry.
        if slot.queue.len() == 1 {
            self.ready.push_back(number);
        }
    }

    /// Dispatches the first event of an operator. It stays the first if it is retried.
    fn dispatch(&mut self, number: usize, taken_ns: u64) -> Dispatched {
        let was_unloaded = self.slots[number].is_unloaded();
        let pending = self.slots[number].queue.pop_front().expect("it is ready because it has an event");
        let outcome = self.reconcile(number, &pending);
        let done_ns = self.clock.now_ns();
        let dispatched = Dispatched { took_ns: done_ns - taken_ns, was_unloaded, is_reconciled: outcome.is_ok() };
        let slot = &mut self.slots[number];
        slot.active_ns = done_ns;
        match outcome {
            Ok(()) => self.tally.reconciled += 1,
            Err(error) => {
                if matches!(error, ModuleError::Crashed(_)) && !slot.is_unloaded() {
                    slot.held = OperatorState::Nothing;
                }
                if pending.depth <= self.rules.depth_max && pending.failures < RETRIES_MAX {
                    self.tally.retried += 1;
                    let due_ns = done_ns + (BACK_OFF_NS << pending.failures);
                    slot.queue.push_front(Pending { failures: pending.failures + 1, ..pending });
                    self.waiting.push(Reverse((due_ns, number)));
                    return dispatched;
                }
                self.give_up(number, &pending, &error);
            }
        }
        if !self.slots[number].queue.is_empty() {
            self.ready.push_back(number);
        }
        dispatched
    }

    fn give_up(&mut self, number: usize, pending: &Pending, error: &ModuleError) {
        self.tally.failed += 1;
        let (key, tries) = (pending.event.key(), pending.failures + 1);
        self.tally.keep(format!("operator {number} failed on {key} after {tries} attempts: {error}"));
    }

    /// Calls the operator, which is loaded first if it is unloaded.
    fn reconcile(&mut self, number: usize, pending: &Pending) -> Result<(), ModuleError> {
        if pending.depth > self.rules.depth_max {
            let reason = format!(
                "feedback loop: a write passed through {} operators, but only {} exist, so one of them watches what it \
                 writes; stop one of them",
                pending.depth, self.rules.depth_max
            );
            return Err(ModuleError::Other(reason));
        }
        let plane = Arc::clone(&self.slots[number].plane);
        let (factory, slot) = (factory(&mut self.factories, number), &mut self.slots[number]);
        let act = || slot.awake(factory, plane)?.reconcile(&pending.event);
        self.causes.during(pending.depth, act)
    }

    fn unload_idle(&mut self, now_ns: u64) {
        let Some(idle_ns) = self.rules.idle_ns.filter(|_| now_ns >= self.look_ns) else { return };
        let mut look_ns = now_ns + idle_ns;
        let mut is_any_unloaded = false;
        for number in 0..self.slots.len() {
            let slot = &self.slots[number];
            if !slot.is_loaded() || !slot.queue.is_empty() {
                continue;
            }
            match slot.active_ns + idle_ns {
                due_ns if due_ns <= now_ns => is_any_unloaded |= self.unload(number).is_some(),
                due_ns => look_ns = look_ns.min(due_ns),
            }
        }
        if is_any_unloaded {
            (self.rules.reclaim)();
        }
        // A look takes time in proportion to the operators, so it is shared by those that fall idle within a short time.
        self.look_ns = look_ns.max(now_ns + idle_ns / 16);
    }

    fn unload(&mut self, number: usize) -> Option<(u64, u64)> {
        let slot = &mut self.slots[number];
        if !slot.queue.is_empty() {
            return None;
        }
        let begin_ns = self.clock.now_ns();
        match self.causes.during(0, || slot.unload())? {
            Ok(bytes) => Some((self.clock.now_ns() - begin_ns, bytes)),
            Err(error) => {
                self.tally.keep(operator_error(number, "suspend", &error).to_string());
                None
            }
        }
    }
}

/// The factory of operator `number`.
fn factory(factories: &mut [Box<dyn Factory>], number: usize) -> &mut dyn Factory {
    let count = factories.len();
    factories[number % count].as_mut()
}

/// The number of the operator and of its watch.
fn place(token: Token) -> (usize, usize) {
    ((token >> WATCH_BITS) as usize, token as usize % WATCHES_MAX)
}

fn of_plane(scope: &Scope, error: &PlaneError) -> ModuleError {
    ModuleError::Unavailable(format!("cannot watch {} in {}: {error}", scope.kind, scope.namespace))
}

fn operator_error(number: usize, call: &str, error: &ModuleError) -> ModuleError {
    ModuleError::Other(format!("`{call}` of operator {number} failed: {error}"))
}
