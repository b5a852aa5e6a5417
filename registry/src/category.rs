//! Categories: names by which users of other suites know groups of scenarios. They say nothing of how anything is run.

use serde::Deserialize;

/// A group of scenarios.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// As it is written on the command line and in exports.
    pub name: String,
    /// One line for help.
    pub summary: String,
    /// `module/scenario`, where either may be `*`.
    pub scenarios: Vec<String>,
}

/// All categories.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// In the order they are shown; the first that has a scenario is its category.
    pub category: Vec<Category>,
}

impl Categories {
    /// The category of this name.
    pub fn named(&self, name: &str) -> Option<&Category> {
        self.category.iter().find(|category| category.name == name)
    }

    /// The category that a scenario, as `module/scenario`, belongs to.
    pub fn of(&self, scenario: &str) -> Option<&Category> {
        self.category.iter().find(|category| category.scenarios.iter().any(|pattern| matches(pattern, scenario)))
    }
}

fn matches(pattern: &str, scenario: &str) -> bool {
    let (Some(pattern), Some(scenario)) = (pattern.split_once('/'), scenario.split_once('/')) else { return false };
    let part = |pattern: &str, name: &str| pattern == "*" || pattern == name;
    part(pattern.0, scenario.0) && part(pattern.1, scenario.1)
}

#[cfg(test)]
mod tests {
    use crate::categories;

    #[test]
    fn a_scenario_has_the_category_of_its_module_or_name() {
        let categories = categories().unwrap();
        let check = |scenario: &str, expect: Option<&str>| {
            assert_eq!(categories.of(scenario).map(|category| category.name.as_str()), expect, "{scenario}");
        };
        check("criu/cold-start", Some("cold_start"));
        check("function/cold-start", Some("cold_start"));
        check("ipc/ping-pong", Some("ipc"));
        check("ring-client/stream", Some("ring_buffer"));
        check("function/request", Some("e2e"));
        check("kernels/sort", None);
        check("request", None);
        assert!(categories.named("e2e").is_some() && categories.named("e3e").is_none());
    }
}
