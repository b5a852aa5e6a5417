//! A name of a noun that later versions add to. What this version does not know stays the text it is, so that the file still
//! reads and the name can still be shown.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A noun of this version, or the name that a later one gave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Named<T> {
    /// One that this version knows.
    Known(T),
    /// The name of one that it does not.
    Later(String),
}

impl<T: Copy> Named<T> {
    /// The noun, where this version knows it.
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
    fn a_name_of_a_later_version_stays_what_it_is() {
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
