//! How the engine is set up, as data: the default is what every figure of this host is made with, and each switch takes
//! one decision back, so that its price can be measured. It must not know the engine.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What separates the switches in the text of [`Settings`].
const SEPARATOR: char = '+';

/// The name of the settings without a switch.
const DEFAULT: &str = "default";

/// One decision that is taken the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// Instances are allocated one by one.
    OnDemand,
    /// An instance's memory is written rather than mapped.
    NoCow,
    /// The module's code counts its instructions.
    Fuel,
    /// The module's code looks at a deadline.
    Epoch,
    /// The module's code is not optimised.
    OptNone,
    /// Calls can be concurrent.
    Concurrency,
}

impl Switch {
    /// Every switch, in the order of [`Settings`].
    pub const ALL: [Self; 6] = [Self::OnDemand, Self::NoCow, Self::Fuel, Self::Epoch, Self::OptNone, Self::Concurrency];

    /// The name used on the command line and in run files.
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
            Self::OnDemand => "memory and stack of an instance are mapped for it alone, not taken from a pool",
            Self::NoCow => "an instance's memory is initialised by writing it, not by mapping it copy-on-write",
            Self::Fuel => "the module's code counts what it executes, so that it could be stopped after so much",
            Self::Epoch => "the module's code looks at a deadline at every loop and call",
            Self::OptNone => "Cranelift does not optimise the module's code",
            Self::Concurrency => "each call keeps what concurrent calls of the component model would need",
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Switch {
    type Err = String;

    /// Takes the switch's name, or the word for what it switches: `cow` and `opt-level`.
    fn from_str(text: &str) -> Result<Self, String> {
        let name = match text {
            "cow" => Self::NoCow.as_str(),
            "opt-level" => Self::OptNone.as_str(),
            name => name,
        };
        Self::ALL.into_iter().find(|switch| switch.as_str() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("the engine has no switch `{text}`; there are {known}")
        })
    }
}

/// How the engine is set up. As text, its switches joined by `+`, or `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings(BTreeSet<Switch>);

impl Settings {
    /// These settings, and `switch`.
    #[must_use]
    pub fn with(mut self, switch: Switch) -> Self {
        self.0.insert(switch);
        self
    }

    /// Whether `switch` is among them.
    pub fn has(&self, switch: Switch) -> bool {
        self.0.contains(&switch)
    }

    /// Whether this is what figures are made with where nothing else is asked for.
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Switch> for Settings {
    fn from_iter<I: IntoIterator<Item = Switch>>(switches: I) -> Self {
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

    /// Takes what `Display` gives, in any order; nothing at all is the default.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | DEFAULT => Ok(Self::default()),
            switches => switches.split(SEPARATOR).map(Switch::from_str).collect(),
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
    fn settings_are_read_and_written() {
        check("", Ok("default"));
        check("default", Ok("default"));
        for switch in Switch::ALL {
            check(switch.as_str(), Ok(switch.as_str()));
            assert!(!switch.summary().is_empty());
        }
        check("concurrency+fuel+fuel", Ok("fuel+concurrency"));
        check("cow+opt-level", Ok("no-cow+opt-none"));
        let known = "there are on-demand, no-cow, fuel, epoch, opt-none, concurrency";
        check("turbo", Err(&format!("the engine has no switch `turbo`; {known}")));
        check("fuel+", Err(&format!("the engine has no switch ``; {known}")));
    }
}
