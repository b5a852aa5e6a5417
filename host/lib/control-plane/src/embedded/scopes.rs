//! Objects and watches by kind and namespace, so that a write finds both without a search.

use super::fields::Fields;
use super::objects::Objects;
use crate::{Event, Mailbox, Object, Token};
use std::collections::HashMap;
use std::sync::Arc;

/// Contents by kind and by namespace: two nested maps, so that a lookup needs no owned key.
#[derive(Debug, Default)]
pub(super) struct Scopes(HashMap<String, HashMap<String, Contents>>);

/// The objects and watches of one scope.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) objects: Objects,
    pub(super) watches: Vec<Watch>,
}

/// A stored object.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) object: Arc<Object>,
    pub(super) fields: Fields,
}

impl Stored {
    pub(super) fn name(&self) -> &str {
        &self.object.key.name
    }
}

/// A receiver of changes.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) number: u64,
    pub(super) token: Token,
    pub(super) mailbox: Arc<Mailbox>,
}

impl Contents {
    /// Delivers a change of its objects to all watches.
    pub(super) fn deliver(&self, event: &Event) {
        self.watches.iter().for_each(|watch| watch.mailbox.deliver(watch.token, Ok(event.clone())));
    }
}

impl Scopes {
    pub(super) fn get(&self, kind: &str, namespace: &str) -> Option<&Contents> {
        self.0.get(kind)?.get(namespace)
    }

    /// The contents of the scope, created where there are none.
    pub(super) fn make(&mut self, kind: &str, namespace: &str) -> &mut Contents {
        // Two lookups are cheaper than an owned key for every write.
        if self.get(kind, namespace).is_none() {
            self.0.entry(kind.to_owned()).or_default().entry(namespace.to_owned()).or_default();
        }
        let found = self.0.get_mut(kind).and_then(|namespaces| namespaces.get_mut(namespace));
        found.expect("it was just made")
    }

    /// Changes the scope where it exists, and drops it where it is empty afterwards.
    pub(super) fn change(&mut self, kind: &str, namespace: &str, change: impl FnOnce(&mut Contents)) {
        let Some(namespaces) = self.0.get_mut(kind) else { return };
        let Some(contents) = namespaces.get_mut(namespace) else { return };
        change(contents);
        if contents.objects.is_empty() && contents.watches.is_empty() {
            namespaces.remove(namespace);
        }
    }
}
