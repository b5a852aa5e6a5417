//! What ships with the host as data: suites (matrices of cells) and targets (thresholds on metrics), as TOML that is
//! compiled in. It parses and looks up; it plans nothing and judges nothing.

#![forbid(unsafe_code)]

mod suite;
mod target;
mod target_toml;

pub use suite::{Cells, OneOrMany, Scalar, Suite};
pub use target::{Baseline, Bound, Figure, Per, SeriesName, Target, Targets};

/// A name and its TOML.
type Entry = (&'static str, &'static str);

const SUITES: &[Entry] = &[
    ("self", include_str!("../suites/self.toml")),
    ("ipc", include_str!("../suites/ipc.toml")),
    ("kernels", include_str!("../suites/kernels.toml")),
    ("ring", include_str!("../suites/ring.toml")),
];

const TARGETS: &[Entry] = &[("self", include_str!("../targets/self.toml"))];

/// Why an entry cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is none of this name.
    #[error("there is no {what} `{name}`; there are: {known}")]
    Unknown {
        /// `suite`, `targets`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It is not what it should be.
    #[error("{what} `{name}`: {reason}")]
    Syntax {
        /// `suite`, `targets`.
        what: &'static str,
        /// Which.
        name: String,
        /// What is wrong, and where.
        reason: String,
    },
}

/// The names of all suites.
pub fn suite_names() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|(name, _)| *name)
}

/// The suite `name`.
pub fn suite(name: &str) -> Result<Suite, RegistryError> {
    parse_suite(name, lookup("suite", SUITES, name)?)
}

/// The targets `name`.
pub fn targets(name: &str) -> Result<Targets, RegistryError> {
    parse_targets(name, lookup("targets", TARGETS, name)?)
}

/// The names of all sets of targets.
pub fn target_names() -> impl Iterator<Item = &'static str> {
    TARGETS.iter().map(|(name, _)| *name)
}

/// A suite out of a text of the user's own, which errors call `name`.
pub fn parse_suite(name: &str, text: &str) -> Result<Suite, RegistryError> {
    let parsed = toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "));
    parsed.map_err(|reason| RegistryError::Syntax { what: "suite", name: name.to_owned(), reason })
}

/// Targets out of a text of the user's own, which errors call `name`.
pub fn parse_targets(name: &str, text: &str) -> Result<Targets, RegistryError> {
    target_toml::parse(text).map_err(|reason| RegistryError::Syntax { what: "targets", name: name.to_owned(), reason })
}

fn lookup(what: &'static str, entries: &[Entry], name: &str) -> Result<&'static str, RegistryError> {
    entries.iter().find(|(known, _)| *known == name).map(|(_, text)| *text).ok_or_else(|| {
        let known: Vec<_> = entries.iter().map(|(name, _)| *name).collect();
        RegistryError::Unknown { what, name: name.to_owned(), known: known.join(", ") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_ships_parses_and_says_what_it_is() {
        for name in suite_names() {
            let suite = suite(name).unwrap();
            assert!(!suite.summary.is_empty() && !suite.cells.is_empty(), "{name}");
        }
        for name in target_names() {
            let targets = targets(name).unwrap();
            assert!(!targets.target.is_empty(), "{name}");
            for target in targets.target {
                assert!(!target.summary.is_empty() && !target.summary.contains('\n'), "{name}: {}", target.name);
            }
        }
    }

    #[test]
    fn an_unknown_name_or_field_says_what_there_is() {
        assert_eq!(
            suite("slef").unwrap_err().to_string(),
            "there is no suite `slef`; there are: self, ipc, kernels, ring"
        );
        let error = parse_suite("mine.toml", "summary = \"\"\ncolour = 1\n[[cells]]\nscenario = \"*\"").unwrap_err();
        assert!(error.to_string().starts_with("suite `mine.toml`: "), "{error}");
        assert!(error.to_string().contains("colour"), "{error}");
    }
}
