//! Why a module did not do what it was asked.

/// A module's refusal or failure, in the cases the WIT and the C ABI know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// There is no scenario of this name.
    #[error("unknown scenario: {0}")]
    UnknownScenario(String),
    /// An argument the domain could not rule out; says which and why.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// Something the host did not grant.
    #[error("not granted: {0}")]
    CapabilityDenied(String),
    /// Something this machine cannot do.
    #[error("{0}")]
    Unavailable(String),
    /// A trap, a panic or a broken contract: the session cannot be used again.
    #[error("{0}")]
    Crashed(String),
    /// Any other failure.
    #[error("{0}")]
    Other(String),
}

impl ModuleError {
    /// Whether the environment is at fault rather than the module, so that the cell is skipped and not failed.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::CapabilityDenied(_) | Self::Unavailable(_))
    }
}
