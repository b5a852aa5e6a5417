//! The descriptor of a module, and its validation.

use crate::{Capability, Parameter, Scenario, Value};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The description of a module: its name and its scenarios.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Descriptor {
    /// The part before the slash in `module/scenario`.
    pub name: String,
    /// The module's own version.
    pub version: String,
    /// A summary in one line, for `list`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub summary: String,
    /// The scenarios. Never empty.
    pub scenarios: Vec<Scenario>,
}

/// The rule that a descriptor breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid descriptor: {0}")]
pub struct DescriptorError(String);

/// Maximum number of items of a kind: more than any real module has, and few enough that a hostile one cannot exhaust the host.
const ITEMS_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 64;

/// Maximum size of one text of a descriptor, in bytes: a summary, a default value.
pub const TEXT_BYTES_MAX: usize = 4 << 10;

/// Maximum size of all texts of a descriptor, in bytes.
pub const DESCRIPTOR_BYTES_MAX: usize = 1 << 20;

impl Descriptor {
    /// A descriptor without scenarios.
    pub fn new(name: impl Into<String>, version: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), summary: summary.into(), scenarios: Vec::new() }
    }

    /// Adds a scenario.
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenarios.push(scenario);
        self
    }

    /// Checks names, uniqueness and sizes, and that the defaults are in their domains.
    pub fn validate(&self) -> Result<(), DescriptorError> {
        name_is_valid(&self.name, "module")?;
        self.texts_are_bounded()?;
        if self.scenarios.is_empty() {
            return Err(DescriptorError("it has no scenario".to_owned()));
        }
        unique(self.scenarios.iter().map(|scenario| scenario.name.as_str()), "scenario")?;
        for scenario in &self.scenarios {
            scenario_is_valid(scenario)
                .map_err(|error| DescriptorError(format!("scenario `{}`: {}", scenario.name, error.0)))?;
        }
        Ok(())
    }
}

impl Descriptor {
    fn texts_are_bounded(&self) -> Result<(), DescriptorError> {
        let mut total = 0_usize;
        let mut add = |text: &str| {
            total += text.len();
            if text.len() > TEXT_BYTES_MAX {
                let shown: String = text.chars().take(NAME_BYTES_MAX).collect();
                let bytes = text.len();
                return Err(DescriptorError(format!(
                    "text {shown:?}… has {bytes} bytes, at most {TEXT_BYTES_MAX} are allowed"
                )));
            }
            if total > DESCRIPTOR_BYTES_MAX {
                let reason =
                    format!("its texts have more than {DESCRIPTOR_BYTES_MAX} bytes together, which is the maximum");
                return Err(DescriptorError(reason));
            }
            Ok(())
        };
        add(&self.version)?;
        add(&self.summary)?;
        for scenario in &self.scenarios {
            [&scenario.name, &scenario.driver, &scenario.family, &scenario.summary]
                .into_iter()
                .try_for_each(|text| add(text))?;
            for parameter in &scenario.parameters {
                [&parameter.name, &parameter.summary].into_iter().try_for_each(|text| add(text))?;
                let values = parameter.defaults.iter().chain(parameter.domain.bounds());
                values.into_iter().try_for_each(|value| add(&value.to_string()))?;
            }
            for metric in &scenario.metrics {
                [&metric.name, &metric.summary].into_iter().chain(&metric.labels).try_for_each(|text| add(text))?;
            }
            scenario.requirements.iter().try_for_each(|requirement| add(&requirement.capability.to_string()))?;
        }
        Ok(())
    }
}

fn scenario_is_valid(scenario: &Scenario) -> Result<(), DescriptorError> {
    unique(scenario.parameters.iter().map(|parameter| parameter.name.as_str()), "parameter")?;
    unique(scenario.metrics.iter().map(|metric| metric.name.as_str()), "metric")?;
    let has_own_series = scenario.metrics.iter().any(|metric| metric.name == scenario.name);
    match (scenario.has_own_clock(), has_own_series) {
        (false, true) => {
            let reason =
                format!("metric `{}` has the scenario's name, which is reserved for the driver", scenario.name);
            return Err(DescriptorError(reason));
        }
        (true, false) => {
            let reason = format!("it times itself (`clock:own`), but has no metric `{}`", scenario.name);
            return Err(DescriptorError(reason));
        }
        (false, false) | (true, true) => {}
    }
    scenario.parameters.iter().try_for_each(parameter_is_valid)?;
    for requirement in &scenario.requirements {
        if let Capability::Other(text) = &requirement.capability {
            text.parse::<Capability>().map_err(|reason| DescriptorError(format!("requirement {reason}")))?;
        }
        if let Some(name) = requirement.parameter()
            && !scenario.parameters.iter().any(|parameter| parameter.name == name)
        {
            return Err(DescriptorError(format!("requirement `{}` does not name a parameter", requirement.capability)));
        }
    }
    Ok(())
}

fn parameter_is_valid(parameter: &Parameter) -> Result<(), DescriptorError> {
    let fault = |what: String| Err(DescriptorError(format!("parameter `{}`: {what}", parameter.name)));
    let kind = parameter.kind();
    if parameter.defaults.is_empty() || parameter.defaults.len() > ITEMS_MAX {
        return fault(format!("{} defaults, expected 1 to {ITEMS_MAX}", parameter.defaults.len()));
    }
    let values = parameter.defaults.iter().chain(parameter.domain.bounds());
    if let Some(value) = values.into_iter().find(|value| value.kind() != kind) {
        return fault(format!("`{value}` is not {kind}, but the first default is"));
    }
    // Such a value can neither be written to a run file nor be given on a command line.
    let is_no_number = |value: &&Value| matches!(value, Value::Decimal(number) if !number.is_finite());
    if let Some(value) = parameter.defaults.iter().chain(parameter.domain.bounds()).find(is_no_number) {
        return fault(format!("`{value}` is not a finite number"));
    }
    if let Some(value) = parameter.defaults.iter().find(|value| !parameter.domain.contains(value)) {
        return fault(format!("the default `{value}` is outside the domain ({})", parameter.domain));
    }
    Ok(())
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<(), DescriptorError> {
    let mut seen = BTreeSet::new();
    for name in names {
        name_is_valid(name, what)?;
        if !seen.insert(name) {
            return Err(DescriptorError(format!("{what} `{name}` is declared twice")));
        }
    }
    if seen.len() > ITEMS_MAX {
        return Err(DescriptorError(format!("{} {what}s, at most {ITEMS_MAX} are allowed", seen.len())));
    }
    Ok(())
}

/// Names are printed, matched by globs and used in file names, so their characters are restricted.
fn name_is_valid(name: &str, what: &str) -> Result<(), DescriptorError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
        return Err(DescriptorError(format!(
            "{what} name {shown:?} is invalid; use 1 to {NAME_BYTES_MAX} characters of a-z, 0-9, - and _"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, Unit};

    fn check(scenario: Scenario, expect: Result<(), &str>) {
        let result = Descriptor::new("module", "1.0.0", "").scenario(scenario).validate();
        match (result, expect) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (result, expect) => panic!("{result:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn texts_are_bounded_one_by_one_and_together() {
        let summary = |bytes: usize| Scenario { summary: "x".repeat(bytes), ..scenario() };
        check(summary(TEXT_BYTES_MAX), Ok(()));
        check(summary(TEXT_BYTES_MAX + 1), Err("has 4097 bytes, at most 4096 are allowed"));
        let value = Parameter::new("p", "x".repeat(TEXT_BYTES_MAX + 1).as_str(), "");
        check(scenario().parameter(value), Err("has 4097 bytes"));
        let many = (0..300).fold(scenario(), |scenario, number| {
            scenario.parameter(Parameter::new(format!("p{number}"), 1, "x".repeat(TEXT_BYTES_MAX)))
        });
        check(many, Err("more than 1048576 bytes together"));
    }

    fn scenario() -> Scenario {
        Scenario::new("scenario", "family", "")
    }

    #[test]
    fn defaults_must_be_in_the_domain_and_of_one_kind() {
        check(scenario().parameter(Parameter::new("size", 64, "").between(1, 64)), Ok(()));
        check(scenario().parameter(Parameter::new("size", 65, "").between(1, 64)), Err("outside the domain (1 to 64)"));
        check(scenario().parameter(Parameter::new("size", 1, "").choices(["a"])), Err("`a` is not a whole number"));
        check(scenario().parameter(Parameter::new("size", 1, "").sweep(Vec::<Value>::new())), Err("0 defaults"));
    }

    #[test]
    fn numbers_must_be_finite() {
        check(scenario().parameter(Parameter::new("share", 0.5, "").between(0.0, 1.0)), Ok(()));
        check(
            scenario().parameter(Parameter::new("share", f64::NAN, "")),
            Err("parameter `share`: `NaN` is not a finite"),
        );
        let infinite = Parameter::new("share", 0.5, "").between(0.0, f64::INFINITY);
        check(scenario().parameter(infinite), Err("`inf` is not a finite number"));
    }

    #[test]
    fn names_are_restricted_and_unique() {
        check(scenario().parameter(Parameter::new("Size", 1, "")), Err("\"Size\" is invalid"));
        check(scenario().parameter(Parameter::new("a\u{1b}[2J", 1, "")), Err("is invalid; use 1 to"));
        check(
            scenario().parameter(Parameter::new("a", 1, "")).parameter(Parameter::new("a", 1, "")),
            Err("`a` is declared twice"),
        );
        check(scenario().metric(Metric::new("scenario", Unit::Count, "")), Err("which is reserved for the driver"));
        check(scenario().times_itself(Unit::Nanoseconds, ""), Ok(()));
        check(scenario().requires("clock:own", ""), Err("has no metric `scenario`"));
    }

    #[test]
    fn path_requirement_must_name_a_parameter() {
        check(scenario().requires("read:input", "").parameter(Parameter::new("input", ".", "")), Ok(()));
        check(scenario().requires("read:input", ""), Err("does not name a parameter"));
        for kind in ["scratch", "module", "postgres"] {
            check(scenario().requires(format!("{kind}:folder"), ""), Err("does not name a parameter"));
        }
    }

    #[test]
    fn requirement_of_a_known_kind_must_be_valid() {
        check(scenario().requires("moon:full", ""), Ok(()));
        check(scenario().requires("cpu:many", ""), Err("requirement `cpu:many`: expected a number of processors"));
        check(scenario().requires("arm:gpu", ""), Err("requirement `arm:gpu`: unknown arm `gpu`"));
    }

    #[test]
    fn module_without_scenarios_is_invalid() {
        let error = Descriptor::new("module", "1", "").validate().unwrap_err();
        assert_eq!(error.to_string(), "invalid descriptor: it has no scenario");
    }
}
