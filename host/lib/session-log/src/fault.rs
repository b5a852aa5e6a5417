//! The error of a log as a session sees it: a kind to act on and a line to read.

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full; appends continue as soon as there is space.
    NoSpace,
    /// The payload does not fit a segment.
    TooLarge,
    /// A sync failed; the log accepts no more appends.
    Poisoned,
    /// A batch was appended in part.
    Partial,
    /// The payload is no longer in the log.
    Recycled,
    /// The payload is not in the log yet.
    Beyond,
    /// The record does not match its checksum.
    Corrupt,
    /// Another failure of the operating system.
    Other,
}

/// The error of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFault {
    /// For the module to act on.
    pub fault: Fault,
    /// For a person to read, in one line.
    pub reason: String,
}
