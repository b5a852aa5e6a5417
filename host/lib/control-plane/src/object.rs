//! The nouns of a control plane: keys, objects, events and refusals. They must not know how they are kept or sent.

use std::fmt;
use std::sync::Arc;

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its type.
    pub kind: String,
    /// Where names are unique for its type.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

/// What a list and a watch span: the objects of one type in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The type.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
}

/// An object at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which one.
    pub key: Key,
    /// Grows with every write that is accepted, in whichever object.
    pub resource_version: u64,
    /// What is wanted: a JSON object.
    pub spec: String,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is new.
    Added(Arc<Object>),
    /// It is another now.
    Modified(Arc<Object>),
    /// It is gone, with the version at which it went.
    Deleted(Key, u64),
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaneError {
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// It is there at another version, or a field is another manager's.
    #[error("conflict with version {0}: read it again")]
    Conflict(u64),
    /// What was given is no object, or no key; says why.
    #[error("{0}")]
    Invalid(String),
    /// Changes since the version asked for are not known any more.
    #[error("changes before version {oldest} are not known any more: list again")]
    TooOld {
        /// The oldest version to watch from.
        oldest: u64,
    },
    /// The control plane cannot be asked; says why.
    #[error("{0}")]
    Unavailable(String),
}

impl Key {
    /// The object `name` of a scope.
    pub fn new(kind: impl Into<String>, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// The scope it lies in.
    pub fn scope(&self) -> Scope {
        Scope { kind: self.kind.clone(), namespace: self.namespace.clone() }
    }
}

impl Scope {
    /// The objects of `kind` in `namespace`.
    pub fn new(kind: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { kind: kind.into(), namespace: namespace.into() }
    }

    /// Whether `key` lies in it.
    pub fn holds(&self, key: &Key) -> bool {
        self.kind == key.kind && self.namespace == key.namespace
    }
}

impl Event {
    /// Which object.
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

    /// The object after the change, where it is still there.
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
