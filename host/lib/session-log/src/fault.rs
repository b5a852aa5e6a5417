//! The error of a log as a session sees it: a kind to act on and a line to read.

use vocabulary::log::Fault;

/// The error of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFault {
    /// For the module to act on.
    pub fault: Fault,
    /// For a person to read, in one line.
    pub reason: String,
}
