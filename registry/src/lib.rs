//! The data that ships with the host: suites (matrices of cells), targets (thresholds on figures), categories and former names. They
//! are TOML files that are found by folder and compiled in.

mod category;
mod renamed;
mod suite;
mod target;
mod target_toml;

pub use category::{Categories, Category};
pub use renamed::RenamedScenarios;
pub use suite::{Cells, OneOrMany, Suite};
pub use target::{Baseline, Bound, Figure, Per, SeriesName, Target, Targets};

use serde::de::DeserializeOwned;

/// A name and its TOML text.
type Entry = (&'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/entries.rs"));

/// The reason why an entry cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No entry has this name.
    #[error("unknown {what} `{name}`; use one of: {known}")]
    Unknown {
        /// `suite`, `targets`.
        what: &'static str,
        /// The requested name.
        name: String,
        /// The existing names.
        known: String,
    },
    /// The entry is not valid.
    #[error("{what} `{name}`: {reason}")]
    Syntax {
        /// `suite`, `targets`.
        what: &'static str,
        /// The name of the entry.
        name: String,
        /// What is wrong and where.
        reason: String,
    },
}

impl RegistryError {
    /// The error with its reason as one line; the parser's message has several lines and quotes the file.
    fn syntax(what: &'static str, name: &str, reason: &str) -> Self {
        Self::Syntax { what, name: name.to_owned(), reason: reason.trim().replace(char::is_control, " ") }
    }
}

/// The categories.
pub fn categories() -> Result<Categories, RegistryError> {
    table("categories", include_str!("../categories.toml"))
}

/// The former names of scenarios.
pub fn renamed_scenarios() -> Result<RenamedScenarios, RegistryError> {
    table("renamed", include_str!("../renamed.toml"))
}

fn table<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, RegistryError> {
    toml::from_str(text).map_err(|error: toml::de::Error| RegistryError::syntax("registry", name, &error.to_string()))
}

/// The names of all suites.
pub fn suite_names() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|(name, _)| *name)
}

/// The name of the suite that has the alias `name`, or else `name`.
pub fn own_name(name: &str) -> &str {
    let is_called = |(own, text): &&Entry| {
        parse_suite(own, text).is_ok_and(|suite| suite.aliases.iter().any(|alias| alias == name))
    };
    let of_another = || SUITES.iter().find(is_called).map(|(own, _)| *own);
    if suite_names().any(|own| own == name) { name } else { of_another().unwrap_or(name) }
}

/// The suite with the name or alias `name`.
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

/// Parses a suite of the user; errors call it `name`.
pub fn parse_suite(name: &str, text: &str) -> Result<Suite, RegistryError> {
    let suite: Suite =
        toml::from_str(text).map_err(|error| RegistryError::syntax("suite", name, &error.to_string()))?;
    suite.check().map_err(|reason| RegistryError::syntax("suite", name, &reason))?;
    Ok(suite)
}

/// Maximum size of a file with a suite or with targets.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Parses targets of the user; errors call them `name`.
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
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_entry_parses_and_has_a_summary() {
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

    /// Whether an entry of the suite selects the scenario in the arm with all these arguments. Arguments that an entry leaves to
    /// the module's defaults are unknown here.
    fn asks_for(suite: &Suite, series: &SeriesName, arguments: &[(&String, String)]) -> bool {
        suite.cells.iter().any(|cells| {
            let axes = cells.axes();
            let has = |(name, value): &(&String, String)| {
                axes.iter().any(|(axis, values)| axis == *name && values.contains(value))
            };
            let pattern = globset::Glob::new(&cells.scenario).unwrap().compile_matcher();
            let is_named = pattern.is_match(&series.scenario);
            let has_arm = cells.arms.as_ref().is_none_or(|arms| arms.contains(&series.arm));
            is_named && has_arm && arguments.iter().all(has)
        })
    }

    /// All combinations of the arguments that the series names.
    fn combinations(series: &SeriesName) -> Vec<Vec<(&String, String)>> {
        series.arguments.iter().fold(vec![Vec::new()], |combinations, (name, values)| {
            let with = |combination: &Vec<_>, value: &bench_model::Value| {
                combination.iter().cloned().chain([(name, value.to_string())]).collect()
            };
            combinations.iter().flat_map(|combination| values.iter().map(|value| with(combination, value))).collect()
        })
    }

    #[track_caller]
    fn check_measured(set: &str, target: &Target, by: &str) {
        let suite = suite(by).unwrap();
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

    #[test]
    fn suites_measure_the_targets_that_name_them() {
        for name in target_names() {
            let set = targets(name).unwrap();
            assert!(!set.measured_by.is_empty(), "{name} names no suite that measures it");
            for (target, by) in set.target.iter().flat_map(|target| set.measured_by.iter().map(move |by| (target, by)))
            {
                check_measured(name, target, by);
            }
        }
    }

    #[test]
    fn all_files_in_the_folders_are_compiled_in() {
        let registry = Path::new(env!("CARGO_MANIFEST_DIR"));
        let families = registry.join("../host/families").read_dir().unwrap().map(|entry| entry.unwrap().path());
        let folders: Vec<_> = families.chain([registry.to_owned()]).collect();
        for (kind, entries) in [("suites", SUITES), ("targets", TARGETS)] {
            let files = folders.iter().filter_map(|folder| folder.join(kind).read_dir().ok()).flatten();
            let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
            let names: BTreeSet<_> = entries.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(
                files.collect::<BTreeSet<_>>(),
                names,
                "the list of {kind} is out of date; touch Cargo.toml to update it"
            );
        }
    }

    #[test]
    fn alias_belongs_to_one_suite() {
        let mut names: BTreeSet<String> = suite_names().map(str::to_owned).collect();
        for name in suite_names() {
            for alias in suite(name).unwrap().aliases {
                assert_eq!(own_name(&alias), name);
                assert_eq!(suite(&alias).unwrap().summary, suite(name).unwrap().summary);
                assert!(names.insert(alias.clone()), "two suites have the name {alias}");
            }
        }
        assert_eq!(own_name("nobody"), "nobody");
    }

    #[test]
    fn argument_that_is_no_finite_number_is_refused() {
        for number in ["nan", "inf", "-inf"] {
            let suite = format!("summary = \"s\"\n[[cells]]\nscenario = \"*\"\narguments = {{ n = [1, {number}] }}");
            let target = format!(
                "measured_by = [\"wal\"]\n[[target]]\nname = \"t\"\nsummary = \"s\"\nscenario = \"m/s\"\narm = \"wasm\"\n\
                 arguments = {{ n = {number} }}\nquantile = 0.5\nsamples_min = 20\nat_most = 1"
            );
            let errors = [
                parse_suite("mine.toml", &suite).unwrap_err().to_string(),
                parse_targets("mine.toml", &target).unwrap_err().to_string(),
            ];
            assert!(errors.iter().all(|error| error.contains("`arguments.n`")), "{errors:?}");
        }
    }

    #[test]
    fn number_of_processes_of_a_suite_is_bounded() {
        let parse = |processes: u32| {
            parse_suite("mine.toml", &format!("summary = \"s\"\nprocesses = {processes}\n[[cells]]\nscenario = \"*\""))
        };
        assert_eq!([parse(1), parse(1_000)].map(|suite| suite.unwrap().processes), [Some(1), Some(1_000)]);
        for processes in [0, 1_001] {
            let error = parse(processes).unwrap_err().to_string();
            assert!(error.ends_with(&format!("`processes` is {processes}, and must be from 1 to 1000")), "{error}");
        }
    }

    #[test]
    fn operations_of_a_suite_are_at_least_one() {
        let parse = |iterations: u64| {
            let text = format!("summary = \"s\"\niterations = {iterations}\n[[cells]]\nscenario = \"*\"");
            parse_suite("mine.toml", &text)
        };
        assert_eq!(parse(1).unwrap().iterations, Some(1));
        let error = parse(0).unwrap_err().to_string();
        assert!(error.ends_with("`iterations` is 0; give at least 1"), "{error}");
    }

    #[test]
    fn unknown_name_or_field_is_reported_with_the_known_ones() {
        let known = suite_names().collect::<Vec<_>>().join(", ");
        let expect = format!("unknown suite `slef`; use one of: {known}");
        assert_eq!(suite("slef").unwrap_err().to_string(), expect);
        assert!(suite_names().is_sorted(), "{known}");
        let error = parse_suite("mine.toml", "summary = \"\"\ncolour = 1\n[[cells]]\nscenario = \"*\"").unwrap_err();
        assert!(error.to_string().starts_with("suite `mine.toml`: "), "{error}");
        assert!(error.to_string().contains("colour"), "{error}");
    }
}
