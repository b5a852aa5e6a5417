//! Why a log did nothing, as a session is told: a kind to act on and a line to read. It must not know who asked.

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no room on the disk; appends go on as soon as there is.
    NoSpace,
    /// The payload can never fit a segment.
    TooLarge,
    /// A sync failed; nothing is appended any more.
    Poisoned,
    /// A batch was appended in part.
    Partial,
    /// The payload is no longer in the log.
    Recycled,
    /// The payload is not in the log yet.
    Beyond,
    /// What lies there does not match its checksum.
    Corrupt,
    /// Another failure of the system.
    Other,
}

/// Why a log did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFault {
    /// For the module to act on.
    pub fault: Fault,
    /// For a person to read, in one line.
    pub reason: String,
}
