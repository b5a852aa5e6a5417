//! Former names of scenarios, which keep working after a scenario was renamed.

use serde::Deserialize;
use std::collections::BTreeMap;

/// All renamed scenarios.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenamedScenarios {
    renamed: Vec<Renamed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Renamed {
    /// The modules that have these scenarios.
    modules: Vec<String>,
    /// Current names by former names.
    scenarios: BTreeMap<String, String>,
}

impl RenamedScenarios {
    /// The former names of `scenario` of `module`.
    pub fn former_names(&self, module: &str, scenario: &str) -> impl Iterator<Item = &str> {
        let of_module = self.renamed.iter().filter(move |renamed| renamed.modules.iter().any(|known| known == module));
        of_module.flat_map(move |renamed| {
            renamed.scenarios.iter().filter(move |(_, current)| *current == scenario).map(|(former, _)| former.as_str())
        })
    }

    /// Whether `a` and `b`, each as `module/scenario`, are current or former names of the same scenario.
    pub fn is_same(&self, a: &str, b: &str) -> bool {
        a == b || self.current(a) == self.current(b)
    }

    /// The module and the current name of a scenario given as `module/scenario`.
    fn current<'a>(&'a self, name: &'a str) -> (&'a str, &'a str) {
        let (module, scenario) = name.split_once('/').unwrap_or((name, ""));
        let of_module = self.renamed.iter().filter(|renamed| renamed.modules.iter().any(|known| known == module));
        let current = of_module.filter_map(|renamed| renamed.scenarios.get(scenario)).next();
        (module, current.map_or(scenario, String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use crate::renamed_scenarios;

    #[test]
    fn former_names_of_a_scenario_are_found() {
        let renamed = renamed_scenarios().unwrap();
        let check = |module: &str, scenario: &str, expect: &[&str]| {
            assert_eq!(renamed.former_names(module, scenario).collect::<Vec<_>>(), expect, "{module}/{scenario}");
        };
        check("wal", "append", &["single_write_latency"]);
        check("wal-client", "append-batch", &["append_batch"]);
        check("wal-client", "append", &[]);
        check("kernels", "append", &[]);
    }

    #[test]
    fn former_and_current_names_match_within_one_module() {
        let renamed = renamed_scenarios().unwrap();
        let check = |a: &str, b: &str, expect: bool| {
            assert_eq!(renamed.is_same(a, b), expect, "{a} {b}");
            assert_eq!(renamed.is_same(b, a), expect, "{b} {a}");
        };
        check("wal/append", "wal/single_write_latency", true);
        check("wal/append", "wal-redb/single_write_latency", false);
        check("kernels/append", "kernels/single_write_latency", false);
        check("kernels/sort", "kernels/sort", true);
    }
}
