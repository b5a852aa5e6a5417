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
}

impl EngineOption {
    /// All options, in the order of [`Settings`].
    pub const ALL: [Self; 6] = [Self::OnDemand, Self::NoCow, Self::Fuel, Self::Epoch, Self::OptNone, Self::Concurrency];

    /// The name on the command line and in run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::NoCow => "no-cow",
            Self::Fuel => "fuel",
            Self::Epoch => "epoch",
            Self::OptNone => "opt-none",
            Self::Concurrency => "concurrency",
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
            name => name,
        };
        Self::ALL.into_iter().find(|switch| switch.as_str() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("unknown engine option `{text}`; use one of {known}")
        })
    }
}

/// The settings of the engine. The text form is the options joined by `+`, or `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings(BTreeSet<EngineOption>);

impl Settings {
    /// These settings, and `switch`.
    #[must_use]
    pub fn with(mut self, switch: EngineOption) -> Self {
        self.0.insert(switch);
        self
    }

    /// Whether `switch` is among them.
    pub fn has(&self, switch: EngineOption) -> bool {
        self.0.contains(&switch)
    }

    /// Whether these are the default settings.
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<EngineOption> for Settings {
    fn from_iter<I: IntoIterator<Item = EngineOption>>(switches: I) -> Self {
        Self(switches.into_iter().collect())
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_default() {
            return f.write_str(DEFAULT);
        }
        for (index, switch) in self.0.iter().enumerate() {
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
        let known = "use one of on-demand, no-cow, fuel, epoch, opt-none, concurrency";
        check("turbo", Err(&format!("unknown engine option `turbo`; {known}")));
        check("fuel+", Err(&format!("unknown engine option ``; {known}")));
    }
}
