//! Objects and watches by kind and namespace, so that a write finds both without looking at any other. It must not know what an
//! event is.

use super::fields::Fields;
use crate::{Mailbox, Object, Token};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Contents by kind and by namespace: two maps, so that either is looked up by what a key borrows.
#[derive(Debug, Default)]
pub(super) struct Scopes(HashMap<String, HashMap<String, Contents>>);

/// What one scope holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) objects: BTreeMap<String, Stored>,
    pub(super) watches: Vec<Watch>,
}

/// An object as it is kept.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) object: Arc<Object>,
    pub(super) fields: Fields,
}

/// Somebody who is told of changes.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) number: u64,
    pub(super) token: Token,
    pub(super) mailbox: Arc<Mailbox>,
}

impl Scopes {
    pub(super) fn get(&self, kind: &str, namespace: &str) -> Option<&Contents> {
        self.0.get(kind)?.get(namespace)
    }

    /// The contents of the scope, which are made where there are none.
    pub(super) fn make(&mut self, kind: &str, namespace: &str) -> &mut Contents {
        // Looking up twice is cheaper than owned names for every write.
        if self.get(kind, namespace).is_none() {
            self.0.entry(kind.to_owned()).or_default().entry(namespace.to_owned()).or_default();
        }
        let found = self.0.get_mut(kind).and_then(|namespaces| namespaces.get_mut(namespace));
        found.expect("it was just made")
    }

    /// Changes the scope, where it is known, and forgets it where nothing is left in it.
    pub(super) fn change(&mut self, kind: &str, namespace: &str, change: impl FnOnce(&mut Contents)) {
        let Some(namespaces) = self.0.get_mut(kind) else { return };
        let Some(contents) = namespaces.get_mut(namespace) else { return };
        change(contents);
        if contents.objects.is_empty() && contents.watches.is_empty() {
            namespaces.remove(namespace);
        }
    }
}
