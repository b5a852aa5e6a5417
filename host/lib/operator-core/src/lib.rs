//! What an operator is and what it sees of a control plane: two traits and their nouns, which every arm puts its own boundary
//! around. It must not know how a control plane is reached, nor what any operator does.

use std::fmt;

/// An operator: it acts on the events of what it watches. Errors are one line for a person.
pub trait Operator {
    /// Called once, before anything else, with names and values; what it wants to watch.
    fn start(&mut self, plane: &mut dyn Plane, arguments: &[(String, String)]) -> Result<Vec<Watch>, String>;

    /// Does what an event asks for. It is called with the same event again, later, where it has failed.
    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String>;

    /// What is to be kept while it is unloaded. It is dropped afterwards.
    fn suspend(&mut self) -> Vec<u8>;

    /// Called on a new one in place of [`start`](Self::start), with what [`suspend`](Self::suspend) gave.
    fn resume(&mut self, state: &[u8]) -> Result<(), String>;
}

/// The control plane as one operator sees it. What is written is seen by watches once the operator has returned.
pub trait Plane {
    /// The object as it is now.
    fn get(&mut self, key: Key<'_>) -> Result<Stored, PlaneError>;

    /// Says what the fields of `spec`, a JSON object, are to be, and makes the object where there is none; the version it has
    /// then. What this operator applied before and does not name any more is removed.
    fn apply(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError>;

    /// Makes an object that is not there yet; its version.
    fn create(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError>;

    /// Replaces the object, unless it was written since it had the version of `object`; the version it has then.
    fn update(&mut self, object: Object<'_>) -> Result<u64, PlaneError>;

    /// Removes the object.
    fn delete(&mut self, key: Key<'_>) -> Result<(), PlaneError>;
}

/// Which object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Its type.
    pub kind: &'a str,
    /// Where names are unique for its type.
    pub namespace: &'a str,
    /// Its name there.
    pub name: &'a str,
}

/// An object at one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Which one.
    pub key: Key<'a>,
    /// Grows with every write, of whichever object.
    pub resource_version: u64,
    /// What is wanted of it: a JSON object.
    pub spec: &'a str,
}

/// What the control plane has of an object whose key is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The version it has.
    pub resource_version: u64,
    /// What is wanted of it: a JSON object.
    pub spec: String,
}

/// What became of an object that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It is new, or was there when the watch began.
    Added(Object<'a>),
    /// It is another now.
    Modified(Object<'a>),
    /// It is gone, with the version at which it went.
    Deleted(Key<'a>, u64),
}

/// Events that are wanted: those of a kind in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The objects' type.
    pub kind: String,
    /// The namespace they lie in.
    pub namespace: String,
}

/// Why the control plane did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaneError {
    /// There is no such object.
    NotFound,
    /// It was written meanwhile, it is there already, or somebody else owns a field; the version that it has.
    Conflict(u64),
    /// What was asked for cannot be; says why.
    Invalid(String),
    /// The control plane does not answer, or refuses for now; says why.
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

/// For an operator that hands on why it failed.
impl From<PlaneError> for String {
    fn from(error: PlaneError) -> Self {
        error.to_string()
    }
}
