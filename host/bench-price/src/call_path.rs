//! The paths on which a call reaches a function.

use serde::{Deserialize, Serialize};

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The host calls a component.
    HostToGuest,
    /// A component calls the host.
    GuestToHost,
    /// A component calls another one that it is composed with.
    GuestToGuest,
}

/// With what code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallForm {
    /// A function of a core module, without the component model.
    Core,
    /// With types of Rust that were compiled into the host.
    Typed,
    /// With dynamic values, for a host that learns the types when it runs.
    Dynamic,
    /// With code that the engine compiles for the two components.
    Fused,
    /// Of an async function: with dynamic values, awaited, on an engine whose calls can be concurrent.
    Awaited,
}

/// A direction and a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallPath {
    /// Who calls whom.
    pub direction: Direction,
    /// With what code.
    pub form: CallForm,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 3] = [Self::HostToGuest, Self::GuestToHost, Self::GuestToGuest];

    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HostToGuest => "host-to-guest",
            Self::GuestToHost => "guest-to-host",
            Self::GuestToGuest => "guest-to-guest",
        }
    }

    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::HostToGuest => "host → guest",
            Self::GuestToHost => "guest → host",
            Self::GuestToGuest => "guest → guest",
        }
    }

    /// The path on which every function is called in this direction.
    pub(crate) fn path(self) -> CallPath {
        let form = if self == Self::GuestToGuest { CallForm::Fused } else { CallForm::Dynamic };
        CallPath { direction: self, form }
    }
}

impl CallForm {
    /// The name in documents and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Typed => "typed",
            Self::Dynamic => "dynamic",
            Self::Fused => "fused",
            Self::Awaited => "awaited",
        }
    }
}
