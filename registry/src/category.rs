//! Categories: groups of scenarios, under the names that other benchmark suites use.

use serde::Deserialize;

/// A group of scenarios.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The name on the command line and in exports.
    pub name: String,
    /// One line for the help.
    pub summary: String,
    /// Patterns `module/scenario`, where either part may be `*`.
    pub scenarios: Vec<String>,
}

/// All categories.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// The categories in the order of reports. A scenario belongs to the first that matches.
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
    fn category_is_found_by_module_or_scenario_name() {
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
