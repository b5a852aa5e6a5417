//! Arms: the ways in which a scenario can be executed.

use std::{fmt, str::FromStr};

/// A way of executing a scenario. A scenario must have the same checksum in all arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arm {
    /// A component in a WebAssembly engine.
    Wasm,
    /// A probe: native code in the worker's process, built for the baseline instruction set of the architecture.
    Native,
    /// A probe built for the processor of the building machine.
    NativeCpu,
    /// Processes of their own.
    Process,
}

impl Arm {
    /// Every arm, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Wasm, Self::Native, Self::NativeCpu, Self::Process];

    /// The name used on the command line and in run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Native => "native",
            Self::NativeCpu => "native-cpu",
            Self::Process => "process",
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Arm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|arm| arm.as_str() == text)
            .ok_or_else(|| format!("unknown arm `{text}`; use wasm, native, native-cpu or process"))
    }
}
