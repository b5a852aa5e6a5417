//! A value of an enum that later versions may extend. An unknown name is kept as text, so that the file can be read and the name can
//! be shown.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value that this version knows, or the name of one that a later version added.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Named<T> {
    /// A known value.
    Known(T),
    /// The name of an unknown value.
    Later(String),
}

impl<T: Copy> Named<T> {
    /// The value, if this version knows it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(noun) => Some(*noun),
            Self::Later(_) => None,
        }
    }
}

impl<T> From<T> for Named<T> {
    fn from(noun: T) -> Self {
        Self::Known(noun)
    }
}

impl<T: fmt::Display> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(noun) => noun.fmt(f),
            Self::Later(name) => f.pad(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::MachineLimit;

    #[test]
    fn unknown_name_is_kept() {
        let check = |text: &str, expect: Named<MachineLimit>| {
            let read: Named<MachineLimit> = serde_json::from_value(text.into()).unwrap();
            assert_eq!(read, expect);
            assert_eq!(serde_json::to_value(&read).unwrap(), text);
            assert_eq!(read.to_string(), text);
        };
        check("fdatasync", MachineLimit::Fdatasync.into());
        check("numa-hop", Named::Later("numa-hop".to_owned()));
    }
}
