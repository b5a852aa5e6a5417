//! How the time of operations develops while a process measures them.

use std::{fmt, str::FromStr};

/// The class of a series of times (Barrett, Bolz-Tereick, Killick, Mount and Tratt 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Steadiness {
    /// The same from the beginning to the end.
    Flat,
    /// Slower at the beginning, then steady.
    WarmUp,
    /// Faster before, then steady.
    SlowDown,
    /// It changed up to the end.
    NoSteadyState,
}

impl Steadiness {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Flat, Self::WarmUp, Self::SlowDown, Self::NoSteadyState];

    /// The name in run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::WarmUp => "warm-up",
            Self::SlowDown => "slow-down",
            Self::NoSteadyState => "no-steady-state",
        }
    }
}

impl fmt::Display for Steadiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Steadiness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|class| class.as_str() == text);
        known.ok_or_else(|| format!("unknown class of a series `{text}`"))
    }
}
