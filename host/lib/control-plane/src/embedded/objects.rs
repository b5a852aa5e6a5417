//! The objects of one scope, sorted by name.

use super::scopes::Stored;
use std::collections::BTreeMap;

/// Up to this number, objects are in a list: a node of a tree has room for eleven, and most scopes have one object.
const FEW_MAX: usize = 8;

/// The objects.
#[derive(Debug)]
pub(super) enum Objects {
    /// Sorted, and without room for more.
    Few(Vec<Stored>),
    /// By name.
    Many(BTreeMap<String, Stored>),
}

impl Default for Objects {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Objects {
    pub(super) fn get(&self, name: &str) -> Option<&Stored> {
        match self {
            Self::Few(few) => few.iter().find(|stored| stored.name() == name),
            Self::Many(many) => many.get(name),
        }
    }

    /// Adds `stored`, or replaces the object of its name.
    pub(super) fn insert(&mut self, stored: Stored) {
        match self {
            Self::Few(few) => match few.binary_search_by(|known| known.name().cmp(stored.name())) {
                Ok(at) => few[at] = stored,
                Err(at) if few.len() < FEW_MAX => {
                    few.reserve_exact(1);
                    few.insert(at, stored);
                }
                Err(_) => {
                    let all = std::mem::take(few).into_iter().chain([stored]);
                    *self = Self::Many(all.map(|stored| (stored.name().to_owned(), stored)).collect());
                }
            },
            Self::Many(many) => match many.get_mut(stored.name()) {
                Some(known) => *known = stored,
                None => drop(many.insert(stored.name().to_owned(), stored)),
            },
        }
    }

    /// Removes the object, where it exists.
    pub(super) fn remove(&mut self, name: &str) {
        match self {
            Self::Few(few) => few.retain(|stored| stored.name() != name),
            Self::Many(many) => drop(many.remove(name)),
        }
    }

    /// All of them, sorted by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Stored> {
        let (few, many) = match self {
            Self::Few(few) => (Some(few), None),
            Self::Many(many) => (None, Some(many)),
        };
        few.into_iter().flatten().chain(many.into_iter().flat_map(BTreeMap::values))
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }
}
