//! What an operator is and what it sees of a control plane: two traits and their nouns, which each arm wraps in its own
//! boundary.

use std::fmt;

/// An operator: it reconciles the events of its watches. An error is one line for a person.
pub trait Operator {
    /// Starts it with arguments (names and values); returns its watches. Called once, before anything else.
    fn start(&mut self, plane: &mut dyn Plane, arguments: &[(String, String)]) -> Result<Vec<Watch>, String>;

    /// Reconciles an event. After an error it is called with the same event again, later.
    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String>;

    /// Returns the state to keep while it is unloaded. It is dropped afterwards.
    fn suspend(&mut self) -> Vec<u8>;

    /// Called on a new operator instead of [`start`](Self::start), with the state that [`suspend`](Self::suspend) returned.
    fn resume(&mut self, state: &[u8]) -> Result<(), String>;
}

/// The control plane as one operator sees it. Watches see its writes after the operator has returned.
pub trait Plane {
    /// Returns the current object.
    fn get(&mut self, key: Key<'_>) -> Result<Stored, PlaneError>;

    /// Sets the fields of `spec`, a JSON object, and creates the object where there is none; returns its new version. Fields that
    /// this operator applied before and no longer gives are removed.
    fn apply(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError>;

    /// Creates an object that does not exist yet; returns its version.
    fn create(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError>;

    /// Replaces the object, unless it was written since the version of `object`; returns its new version.
    fn update(&mut self, object: Object<'_>) -> Result<u64, PlaneError>;

    /// Removes the object.
    fn delete(&mut self, key: Key<'_>) -> Result<(), PlaneError>;
}

/// The identity of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// The namespace in which names of its kind are unique.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// An object at one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Its identity.
    pub key: Key<'a>,
    /// Grows with every write to any object.
    pub resource_version: u64,
    /// What is wanted of it: a JSON object.
    pub spec: &'a str,
}

/// An object of the control plane without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The version it has.
    pub resource_version: u64,
    /// What is wanted of it: a JSON object.
    pub spec: String,
}

/// An event of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The object is new, or existed when the watch began.
    Added(Object<'a>),
    /// The object was changed.
    Modified(Object<'a>),
    /// The object was removed, at this version.
    Deleted(Key<'a>, u64),
}

/// A watch: the events of a kind in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The objects' kind.
    pub kind: String,
    /// Their namespace.
    pub namespace: String,
}

/// Why a call of the control plane failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaneError {
    /// There is no such object.
    NotFound,
    /// It was written meanwhile, it exists already, or another manager owns a field; its current version.
    Conflict(u64),
    /// The request is not valid; says why.
    Invalid(String),
    /// The control plane does not answer, or cannot serve now; says why.
    Unavailable(String),
}

impl fmt::Display for PlaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such object"),
            Self::Conflict(version) => write!(f, "conflict with version {version}: read it again"),
            Self::Invalid(reason) | Self::Unavailable(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for PlaneError {}

/// For an operator that passes on its error with `?`.
impl From<PlaneError> for String {
    fn from(error: PlaneError) -> Self {
        error.to_string()
    }
}
