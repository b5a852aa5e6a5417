//! A control plane in this process: every write is one critical section, which stores the object and notifies the watches of
//! its scope. The cost of a write does not depend on how many other scopes, objects or watches there are.

mod fields;
mod history;
mod objects;
mod scopes;

use crate::spec::check_named;
use crate::{ControlPlane, Event, Key, Listing, Mailbox, Object, PlaneError, Scope, Subscription, Token};
use fields::Fields;
use history::History;
use scopes::{Scopes, Stored};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many past changes a watch can begin before.
pub const HISTORY_CHANGES: usize = 1_024;

/// Objects in this process.
#[derive(Debug, Default)]
pub struct Embedded(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The version of the last write.
    version: u64,
    scopes: Scopes,
    history: History,
    watches: u64,
}

impl Embedded {
    /// An empty control plane, at version 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ignores poisoning: every write is checked before anything is changed, so a panic leaves nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Stores `fields` under `key`, notifies the watches, and returns the object; `is_new` where there was none.
    fn store(&mut self, key: &Key, fields: Fields, is_new: bool) -> Arc<Object> {
        self.version += 1;
        let spec = fields.to_json();
        let object = Arc::new(Object { key: key.clone(), resource_version: self.version, spec });
        let scope = self.scopes.make(&key.kind, &key.namespace);
        scope.objects.insert(Stored { object: Arc::clone(&object), fields });
        let made = if is_new { Event::Added } else { Event::Modified };
        let event = made(Arc::clone(&object));
        scope.deliver(&event);
        self.history.push(event);
        object
    }

    fn notify(&mut self, event: Event) {
        let key = event.key();
        if let Some(scope) = self.scopes.get(&key.kind, &key.namespace) {
            scope.deliver(&event);
        }
        self.history.push(event);
    }

    fn stored(&self, key: &Key) -> Result<&Stored, PlaneError> {
        self.find(key).ok_or(PlaneError::NotFound)
    }

    fn find(&self, key: &Key) -> Option<&Stored> {
        self.scopes.get(&key.kind, &key.namespace)?.objects.get(&key.name)
    }
}

impl ControlPlane for Embedded {
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError> {
        self.state().stored(key).map(|stored| Arc::clone(&stored.object))
    }

    fn create(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError> {
        check(key)?;
        let fields = Fields::parse(spec, manager)?;
        let mut state = self.state();
        match state.find(key) {
            Some(stored) => Err(PlaneError::Conflict(stored.object.resource_version)),
            None => Ok(state.store(key, fields, true)),
        }
    }

    fn apply(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError> {
        check(key)?;
        let wanted = Fields::parse(spec, manager)?;
        let mut state = self.state();
        let Some(stored) = state.find(key) else { return Ok(state.store(key, wanted, true)) };
        let Some(merged) = stored.fields.applied(wanted, manager) else {
            return Err(PlaneError::Conflict(stored.object.resource_version));
        };
        if merged == stored.fields {
            return Ok(Arc::clone(&stored.object));
        }
        Ok(state.store(key, merged, false))
    }

    fn update(&self, object: &Object, manager: &str) -> Result<Arc<Object>, PlaneError> {
        check(&object.key)?;
        let wanted = Fields::parse(&object.spec, manager)?;
        let mut state = self.state();
        let stored = state.stored(&object.key)?;
        if stored.object.resource_version != object.resource_version {
            return Err(PlaneError::Conflict(stored.object.resource_version));
        }
        let replaced = stored.fields.replaced(wanted);
        if replaced == stored.fields {
            return Ok(Arc::clone(&stored.object));
        }
        Ok(state.store(&object.key, replaced, false))
    }

    fn delete(&self, key: &Key) -> Result<(), PlaneError> {
        let mut state = self.state();
        state.stored(key)?;
        state.scopes.change(&key.kind, &key.namespace, |scope| scope.objects.remove(&key.name));
        state.version += 1;
        let gone = Event::Deleted(key.clone(), state.version);
        state.notify(gone);
        // An empty scope without watches is dropped.
        state.scopes.change(&key.kind, &key.namespace, |_| ());
        Ok(())
    }

    fn list(&self, scope: &Scope) -> Result<Listing, PlaneError> {
        let state = self.state();
        let found = state.scopes.get(&scope.kind, &scope.namespace);
        let objects = found.into_iter().flat_map(|scope| scope.objects.iter());
        let objects = objects.map(|stored| Arc::clone(&stored.object)).collect();
        Ok(Listing { objects, version: state.version })
    }

    fn watch(
        &self,
        scope: &Scope,
        from: u64,
        token: Token,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Subscription, PlaneError> {
        let mut state = self.state();
        if from > state.version {
            let reason = format!(
                "version {from} is in the future, the current one is {}: list, and watch from there",
                state.version
            );
            return Err(PlaneError::Invalid(reason));
        }
        for event in state.history.since(from)?.filter(|event| scope.holds(event.key())) {
            mailbox.deliver(token, Ok(event.clone()));
        }
        state.watches += 1;
        let number = state.watches;
        let watch = scopes::Watch { number, token, mailbox: Arc::clone(mailbox) };
        let watches = &mut state.scopes.make(&scope.kind, &scope.namespace).watches;
        if watches.is_empty() {
            // Most scopes have one watch; a list that grows begins with room for four.
            watches.reserve_exact(1);
        }
        watches.push(watch);
        let (shared, scope) = (Arc::downgrade(&self.0), scope.clone());
        Ok(Subscription::new(move || {
            if let Some(shared) = shared.upgrade() {
                let end = |found: &mut scopes::Contents| found.watches.retain(|watch| watch.number != number);
                lock(&shared).scopes.change(&scope.kind, &scope.namespace, end);
            }
        }))
    }
}

/// Checks that no part of `key` is empty.
fn check(key: &Key) -> Result<(), PlaneError> {
    let parts = [("kind", &key.kind), ("namespace", &key.namespace), ("name", &key.name)];
    parts.into_iter().try_for_each(|(what, text)| check_named(key, what, text))
}

#[cfg(test)]
mod tests;
