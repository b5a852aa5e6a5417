//! What ships with the host as data: suites (matrices of cells) and targets (thresholds on metrics), as TOML that is
//! compiled in. It parses and looks up; it plans nothing and judges nothing.

mod category;
mod suite;
mod target;
mod target_toml;

pub use category::{Categories, Category};
pub use suite::{Cells, OneOrMany, Scalar, Suite};
pub use target::{Baseline, Bound, Figure, Per, SeriesName, Target, Targets};

/// A name and its TOML.
type Entry = (&'static str, &'static str);

const SUITES: &[Entry] = &[
    ("self", include_str!("../suites/self.toml")),
    ("ipc", include_str!("../suites/ipc.toml")),
    ("kernels", include_str!("../suites/kernels.toml")),
    ("ring", include_str!("../suites/ring.toml")),
    ("serverless", include_str!("../suites/serverless.toml")),
    ("postgres", include_str!("../suites/postgres.toml")),
    ("postgres-matrix", include_str!("../suites/postgres-matrix.toml")),
    ("postgres-million", include_str!("../suites/postgres-million.toml")),
    ("wal", include_str!("../suites/wal.toml")),
    ("wal-quick", include_str!("../suites/wal-quick.toml")),
    ("wal-latency", include_str!("../suites/wal-latency.toml")),
    ("wal-throughput", include_str!("../suites/wal-throughput.toml")),
    ("wal-recovery", include_str!("../suites/wal-recovery.toml")),
    ("wal-stress", include_str!("../suites/wal-stress.toml")),
    ("operators-mixed", include_str!("../suites/operators-mixed.toml")),
    ("operators-rust", include_str!("../suites/operators-rust.toml")),
    ("operators-go", include_str!("../suites/operators-go.toml")),
];

/// Other names of suites, which users of other hosts know them by.
const ALIASES: &[(&str, &str)] =
    &[("mixed", "operators-mixed"), ("rust-only", "operators-rust"), ("go-only", "operators-go")];

const TARGETS: &[Entry] = &[
    ("self", include_str!("../targets/self.toml")),
    ("ipc", include_str!("../targets/ipc.toml")),
    ("serverless", include_str!("../targets/serverless.toml")),
    ("pipelines", include_str!("../targets/pipelines.toml")),
    ("wal", include_str!("../targets/wal.toml")),
    ("wal-limits", include_str!("../targets/wal-limits.toml")),
    ("operators-mixed", include_str!("../targets/operators-mixed.toml")),
    ("operators-rust", include_str!("../targets/operators-rust.toml")),
    ("operators-go", include_str!("../targets/operators-go.toml")),
];

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

impl RegistryError {
    /// The error with its reason as one line: the parser's has several, and quotes what the file holds.
    fn syntax(what: &'static str, name: &str, reason: &str) -> Self {
        Self::Syntax { what, name: name.to_owned(), reason: reason.trim().replace(char::is_control, " ") }
    }
}

/// The categories.
pub fn categories() -> Result<Categories, RegistryError> {
    let parsed = toml::from_str(include_str!("../categories.toml"));
    parsed.map_err(|error: toml::de::Error| RegistryError::syntax("registry", "categories", &error.to_string()))
}

/// The names of all suites.
pub fn suite_names() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|(name, _)| *name)
}

/// The name of the suite that is called `name` too, or else `name`.
pub fn own_name(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| *name)
}

/// The suite `name`, by whichever of its names.
pub fn suite(name: &str) -> Result<Suite, RegistryError> {
    let name = own_name(name);
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
    toml::from_str(text).map_err(|error| RegistryError::syntax("suite", name, &error.to_string()))
}

/// Targets out of a text of the user's own, which errors call `name`.
pub fn parse_targets(name: &str, text: &str) -> Result<Targets, RegistryError> {
    target_toml::parse(text).map_err(|reason| RegistryError::syntax("targets", name, &reason))
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
        for (alias, name) in ALIASES {
            assert_eq!(suite(alias).unwrap().summary, suite(name).unwrap().summary, "{alias}");
        }
        for name in target_names() {
            let targets = targets(name).unwrap();
            assert!(!targets.target.is_empty(), "{name}");
            for target in targets.target {
                assert!(!target.summary.is_empty() && !target.summary.contains('\n'), "{name}: {}", target.name);
            }
        }
    }

    /// Whether an entry of the suite asks for the scenario in the arm with all these arguments. What an entry leaves to the
    /// module's defaults is not known here.
    fn asks_for(suite: &Suite, series: &SeriesName, arguments: &[(&String, String)]) -> bool {
        suite.cells.iter().any(|cells| {
            let axes = cells.axes();
            let has = |(name, value): &(&String, String)| {
                axes.iter().any(|(axis, values)| axis == *name && values.contains(value))
            };
            let module = cells.scenario.strip_suffix("/*");
            let is_named = module.map_or(cells.scenario == series.scenario, |module| {
                series.scenario.strip_prefix(module).is_some_and(|rest| rest.starts_with('/'))
            });
            let has_arm = cells.arms.as_ref().is_none_or(|arms| arms.contains(&series.arm));
            is_named && has_arm && arguments.iter().all(has)
        })
    }

    /// Every combination of the arguments that the series names.
    fn combinations(series: &SeriesName) -> Vec<Vec<(&String, String)>> {
        series.arguments.iter().fold(vec![Vec::new()], |combinations, (name, values)| {
            let with = |combination: &Vec<_>, value: &Scalar| {
                combination.iter().cloned().chain([(name, value.to_string())]).collect()
            };
            combinations.iter().flat_map(|combination| values.iter().map(|value| with(combination, value))).collect()
        })
    }

    #[track_caller]
    fn check_measured(set: &str, by: &str) {
        let suite = suite(by).unwrap();
        for target in targets(set).unwrap().target {
            let baseline = match &target.baseline {
                Some(Baseline::Series(series)) if series.scenario != target.series.scenario => Some(series),
                _ => None,
            };
            for series in [&target.series].into_iter().chain(baseline) {
                for arguments in combinations(series) {
                    let is_measured = asks_for(&suite, series, &arguments);
                    assert!(is_measured, "{set} {}: {by} has no {} {arguments:?}", target.name, series.scenario);
                }
            }
        }
    }

    #[test]
    fn suites_measure_the_targets_they_are_for() {
        check_measured("self", "self");
        check_measured("wal", "wal-quick");
        check_measured("wal", "wal");
        check_measured("wal-limits", "wal");
        check_measured("pipelines", "postgres-million");
        check_measured("operators-mixed", "operators-mixed");
        check_measured("operators-rust", "operators-rust");
        check_measured("operators-go", "operators-go");
    }

    #[test]
    fn an_unknown_name_or_field_says_what_there_is() {
        assert_eq!(
            suite("slef").unwrap_err().to_string(),
            "there is no suite `slef`; there are: self, ipc, kernels, ring, serverless, postgres, postgres-matrix, postgres-million, wal, wal-quick, wal-latency, wal-throughput, wal-recovery, wal-stress, operators-mixed, operators-rust, operators-go"
        );
        let error = parse_suite("mine.toml", "summary = \"\"\ncolour = 1\n[[cells]]\nscenario = \"*\"").unwrap_err();
        assert!(error.to_string().starts_with("suite `mine.toml`: "), "{error}");
        assert!(error.to_string().contains("colour"), "{error}");
    }
}
