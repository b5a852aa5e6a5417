//! The errors of modules.

/// An error of a module, in the cases of the WIT and the C ABI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// No scenario has this name.
    #[error("unknown scenario: {0}")]
    UnknownScenario(String),
    /// An argument that is in its domain and still invalid; names the argument and the reason.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// Something that the host did not grant.
    #[error("not granted: {0}")]
    CapabilityDenied(String),
    /// Something that this machine does not support.
    #[error("{0}")]
    Unavailable(String),
    /// A trap, a panic or a broken contract; the session cannot be used any further.
    #[error("{0}")]
    Crashed(String),
    /// Any other failure.
    #[error("{0}")]
    Other(String),
}

impl ModuleError {
    /// Whether the environment is the cause and not the module, so that the cell is skipped instead of failed.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::CapabilityDenied(_) | Self::Unavailable(_))
    }
}
