//! The settings of the engine, as data. Figures are measured with the default settings; each option changes one of them, so that its
//! effect can be measured.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The separator of options in the text form of [`Settings`].
const SEPARATOR: char = '+';

/// The text form of the default settings.
const DEFAULT: &str = "default";

/// An option that differs from the default settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineOption {
    /// Instances are allocated individually, without a pool.
    OnDemand,
    /// An instance's memory is initialised by writing instead of mapping.
    NoCow,
    /// The module's code counts its instructions.
    Fuel,
    /// The module's code checks a deadline.
    Epoch,
    /// The module's code is not optimised.
    OptNone,
    /// Calls can be concurrent.
    Concurrency,
    /// Memory accesses are checked by instructions.
    Bounds,
    /// Memory accesses are checked by instructions that also hold while the processor speculates.
    Spectre,
    /// Functions are inlined into each other.
    Inlining,
    /// Registers are allocated in a single pass.
    Regalloc,
    /// Every NaN has the same bits.
    Nan,
    /// The module is compiled by Winch.
    Winch,
    /// The module is interpreted by Pulley.
    Pulley,
}

impl EngineOption {
    /// All options, in the order of [`Settings`].
    pub const ALL: [Self; 13] = [
        Self::OnDemand,
        Self::NoCow,
        Self::Fuel,
        Self::Epoch,
        Self::OptNone,
        Self::Concurrency,
        Self::Bounds,
        Self::Spectre,
        Self::Inlining,
        Self::Regalloc,
        Self::Nan,
        Self::Winch,
        Self::Pulley,
    ];

    /// Whether this build has what the option needs.
    pub fn is_available(self) -> bool {
        let lacks_concurrency = self == Self::Concurrency && !cfg!(feature = "concurrency");
        let lacks_generator = matches!(self, Self::Winch | Self::Pulley) && !cfg!(feature = "code-generators");
        !lacks_concurrency && !lacks_generator
    }

    /// The cargo feature that the option needs, if it needs one.
    pub fn feature(self) -> Option<&'static str> {
        match self {
            Self::Concurrency => Some("concurrency"),
            Self::Winch | Self::Pulley => Some("code-generators"),
            _ => None,
        }
    }

    /// The name on the command line and in run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::NoCow => "no-cow",
            Self::Fuel => "fuel",
            Self::Epoch => "epoch",
            Self::OptNone => "opt-none",
            Self::Concurrency => "concurrency",
            Self::Bounds => "bounds",
            Self::Spectre => "spectre",
            Self::Inlining => "inlining",
            Self::Regalloc => "regalloc",
            Self::Nan => "nan",
            Self::Winch => "winch",
            Self::Pulley => "pulley",
        }
    }

    /// What it does, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::OnDemand => "memory and stack of an instance are mapped individually, not taken from a pool",
            Self::NoCow => "an instance's memory is initialised by writing it, not by mapping it copy-on-write",
            Self::Fuel => {
                "the module's code counts its instructions, so that it could be stopped after a number of them"
            }
            Self::Epoch => "the module's code checks a deadline at every loop and call",
            Self::OptNone => "Cranelift does not optimise the module's code",
            Self::Concurrency => "each call maintains the state for concurrent calls of the component model",
            Self::Bounds => {
                "every memory access and division is checked by instructions, not by guard pages and signals; no pool"
            }
            Self::Spectre => {
                "every memory access is checked by instructions that also hold under speculation; no guard pages, no pool"
            }
            Self::Inlining => "Cranelift inlines functions of the module into each other",
            Self::Regalloc => "Cranelift allocates registers in a single pass",
            Self::Nan => "the bits of every NaN are made the same after each floating-point operation",
            Self::Winch => "the baseline compiler Winch compiles the module's code, in one pass",
            Self::Pulley => "the module's code is interpreted, as bytecode of Pulley",
        }
    }
}

impl fmt::Display for EngineOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EngineOption {
    type Err = String;

    /// Parses the name of an option, or the name of the setting that it changes: `cow` and `opt-level`.
    fn from_str(text: &str) -> Result<Self, String> {
        let name = match text {
            "cow" => Self::NoCow.as_str(),
            "opt-level" => Self::OptNone.as_str(),
            // Addresses are as wide as a module was compiled for.
            "memory64" => {
                return Err(format!(
                    "`{text}` is not an option of the engine, which runs modules of both kinds; compare two builds, such as \
                     `compare memory32.wasm memory64.wasm`"
                ));
            }
            name => name,
        };
        Self::ALL.into_iter().find(|switch| switch.as_str() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("unknown engine option `{text}`; use one of {known}")
        })
    }
}

/// How the stacks of components are made visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profiling {
    /// They are not.
    #[default]
    Off,
    /// The names of functions are written to `/tmp/perf-PID.map`, where `perf` looks for them. It does not change the code.
    PerfMap,
    /// Components record their own stacks. Their code then checks epochs.
    GuestSamples,
}

/// The settings of the engine. The text form is the options joined by `+`, or `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings {
    options: BTreeSet<EngineOption>,
    /// Not in the text, because no figure is taken with it.
    profiling: Profiling,
}

impl Settings {
    /// These settings, and `switch`.
    #[must_use]
    pub fn with(mut self, switch: EngineOption) -> Self {
        self.options.insert(switch);
        self
    }

    /// These settings, with the stacks of components made visible.
    #[must_use]
    pub fn with_profiling(self, profiling: Profiling) -> Self {
        match profiling {
            Profiling::GuestSamples => Self { profiling, ..self.with(EngineOption::Epoch) },
            _ => Self { profiling, ..self },
        }
    }

    /// How the stacks of components are made visible.
    pub(crate) fn profiling(&self) -> Profiling {
        self.profiling
    }

    /// Whether `switch` is among them.
    pub fn has(&self, switch: EngineOption) -> bool {
        self.options.contains(&switch)
    }

    /// Whether memory accesses are checked by instructions, so that neither a pool nor guard pages are needed.
    pub(crate) fn has_explicit_bounds(&self) -> bool {
        self.has(EngineOption::Bounds) || self.has(EngineOption::Spectre)
    }

    /// Whether these are the default settings.
    pub fn is_default(&self) -> bool {
        self.options.is_empty()
    }
}

impl FromIterator<EngineOption> for Settings {
    fn from_iter<I: IntoIterator<Item = EngineOption>>(switches: I) -> Self {
        Self { options: switches.into_iter().collect(), profiling: Profiling::Off }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_default() {
            return f.write_str(DEFAULT);
        }
        for (index, switch) in self.options.iter().enumerate() {
            let separator = if index > 0 { SEPARATOR.to_string() } else { String::new() };
            write!(f, "{separator}{switch}")?;
        }
        Ok(())
    }
}

impl FromStr for Settings {
    type Err = String;

    /// Parses the text form, with the options in any order; an empty text is the default.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | DEFAULT => Ok(Self::default()),
            switches => switches.split(SEPARATOR).map(EngineOption::from_str).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, &str>) {
        let settings = text.parse::<Settings>().map(|settings| settings.to_string());
        assert_eq!(settings.as_deref(), expect.map_err(str::to_owned).as_ref().map(|text| *text), "{text}");
    }

    #[test]
    fn settings_are_parsed_and_printed() {
        check("", Ok("default"));
        check("default", Ok("default"));
        for switch in EngineOption::ALL {
            check(switch.as_str(), Ok(switch.as_str()));
            assert!(!switch.summary().is_empty());
        }
        check("concurrency+fuel+fuel", Ok("fuel+concurrency"));
        check("cow+opt-level", Ok("no-cow+opt-none"));
        let known = format!("use one of {}", EngineOption::ALL.map(EngineOption::as_str).join(", "));
        assert!(known.ends_with("concurrency, bounds, spectre, inlining, regalloc, nan, winch, pulley"), "{known}");
        check("turbo", Err(&format!("unknown engine option `turbo`; {known}")));
        check("fuel+", Err(&format!("unknown engine option ``; {known}")));
        let builds =
            "which runs modules of both kinds; compare two builds, such as `compare memory32.wasm memory64.wasm`";
        check("fuel+memory64", Err(&format!("`memory64` is not an option of the engine, {builds}")));
    }
}
