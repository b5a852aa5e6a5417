//! The nouns of a control plane: keys, objects, events and errors.

use std::fmt;
use std::sync::Arc;

/// The identity of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub kind: String,
    /// The namespace in which names of its kind are unique.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What a list or a watch covers: the objects of one kind in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
}

/// An object at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its identity.
    pub key: Key,
    /// Grows with every accepted write to any object.
    pub resource_version: u64,
    /// The desired state: a JSON object.
    pub spec: String,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is new.
    Added(Arc<Object>),
    /// It was changed.
    Modified(Arc<Object>),
    /// It was removed, at this version.
    Deleted(Key, u64),
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaneError {
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// It has another version, or a field belongs to another manager.
    #[error("conflict with version {0}: read it again")]
    Conflict(u64),
    /// The spec or the key is not valid; says why.
    #[error("{0}")]
    Invalid(String),
    /// Changes since the requested version are no longer known.
    #[error("changes before version {oldest} are no longer known: list again")]
    TooOld {
        /// The oldest version to watch from.
        oldest: u64,
    },
    /// The control plane cannot be reached; says why.
    #[error("{0}")]
    Unavailable(String),
}

impl Key {
    /// The object `name` of a scope.
    pub fn new(kind: impl Into<String>, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// The scope of the object.
    pub fn scope(&self) -> Scope {
        Scope { kind: self.kind.clone(), namespace: self.namespace.clone() }
    }
}

impl Scope {
    /// The objects of `kind` in `namespace`.
    pub fn new(kind: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { kind: kind.into(), namespace: namespace.into() }
    }

    /// Whether it contains `key`.
    pub fn holds(&self, key: &Key) -> bool {
        self.kind == key.kind && self.namespace == key.namespace
    }
}

impl Event {
    /// The key of the object.
    pub fn key(&self) -> &Key {
        match self {
            Self::Added(object) | Self::Modified(object) => &object.key,
            Self::Deleted(key, _) => key,
        }
    }

    /// The version that the change made.
    pub fn version(&self) -> u64 {
        match self {
            Self::Added(object) | Self::Modified(object) => object.resource_version,
            Self::Deleted(_, version) => *version,
        }
    }

    /// The object after the change, unless it was removed.
    pub fn object(&self) -> Option<&Arc<Object>> {
        match self {
            Self::Added(object) | Self::Modified(object) => Some(object),
            Self::Deleted(..) => None,
        }
    }
}

/// `kind/namespace/name`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}
