//! One thing that can be measured, and what it needs.

use crate::{Arm, MachineLimit, Metric, Parameter, Unit};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One thing that can be measured.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Scenario {
    /// Unique in its module.
    pub name: String,
    /// The interface through which the host exercises it.
    #[cfg_attr(feature = "serde", serde(default = "workload"))]
    pub driver: String,
    /// Groups scenarios of several modules in reports.
    pub family: String,
    /// One operation, said in one line.
    #[cfg_attr(feature = "serde", serde(default))]
    pub summary: String,
    /// The limit of the machine one operation is compared with.
    #[cfg_attr(feature = "serde", serde(default))]
    pub limit: Option<MachineLimit>,
    /// Its knobs.
    #[cfg_attr(feature = "serde", serde(default))]
    pub parameters: Vec<Parameter>,
    /// The series it records itself.
    #[cfg_attr(feature = "serde", serde(default))]
    pub metrics: Vec<Metric>,
    /// What it needs beyond its imports.
    #[cfg_attr(feature = "serde", serde(default))]
    pub requirements: Vec<Requirement>,
}

/// Something imports cannot show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Requirement {
    /// `probe:criu`, `kernel:userfaultfd`, `cpu:2` (the scenario places itself), `read:PARAMETER`, `scratch:PARAMETER`,
    /// `module:PARAMETER`, `postgres:PARAMETER`, `clock:own` (the scenario times itself), `arm:wasm,process` (it has no other
    /// arms).
    pub capability: String,
    /// Why, in one line.
    #[cfg_attr(feature = "serde", serde(default))]
    pub purpose: String,
    /// Whether the scenario also runs without it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub optional: bool,
}

impl Requirement {
    /// The parameter whose value is a path the module reads, where this is such a requirement.
    pub fn read_parameter(&self) -> Option<&str> {
        self.capability.strip_prefix("read:")
    }

    /// The parameter whose value becomes the path of an empty folder, where this is such a requirement. The host makes the
    /// folder for one process of the cell, inside the one that the parameter names, and removes it afterwards.
    pub fn scratch_parameter(&self) -> Option<&str> {
        self.capability.strip_prefix("scratch:")
    }

    /// The parameter whose value is the full name of a scenario of another module, where this is such a requirement. The host
    /// loads that module in the same arm; parameters that both scenarios have are the same for both.
    pub fn module_parameter(&self) -> Option<&str> {
        self.capability.strip_prefix("module:")
    }

    /// The parameter whose value is the URL of a PostgreSQL server, where this is such a requirement. `@cluster` stands for a
    /// server that the host starts for the run and removes with it.
    pub fn postgres_parameter(&self) -> Option<&str> {
        self.capability.strip_prefix("postgres:")
    }

    /// The parameter that this is about, whichever way.
    pub fn parameter(&self) -> Option<&str> {
        let first = self.read_parameter().or(self.scratch_parameter());
        first.or(self.module_parameter()).or(self.postgres_parameter())
    }
}

/// The driver of a scenario that names none.
fn workload() -> String {
    "workload".to_owned()
}

/// What a scenario that times itself requires.
const OWN_CLOCK: &str = "clock:own";

/// What the arms a scenario is limited to follow.
const ARMS: &str = "arm:";

impl Scenario {
    /// A scenario for the driver `workload`, without parameters.
    pub fn new(name: impl Into<String>, family: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            driver: workload(),
            family: family.into(),
            summary: summary.into(),
            limit: None,
            parameters: Vec::new(),
            metrics: Vec::new(),
            requirements: Vec::new(),
        }
    }

    /// The scenario `name` as the driver specifies it. What else is said of it overrides the specification, or adds to it.
    pub fn uses(driver: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(name, "", "").driven_by(driver)
    }

    /// The same scenario compared with `limit`.
    #[must_use]
    pub fn limit(mut self, limit: MachineLimit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same scenario, but timed by the module: the host times nothing, and takes the series with the scenario's name, whose
    /// clock starts and stops as `summary` says, for what it would have timed. For operations that wait for their turn on a
    /// schedule, or that are prepared one by one.
    #[must_use]
    pub fn times_itself(self, unit: Unit, summary: impl Into<String>) -> Self {
        let metric = Metric::new(self.name.clone(), unit, summary);
        self.requires(OWN_CLOCK, "only its own clock starts and stops with what is measured").metric(metric)
    }

    /// Whether the module times it, and not the host.
    pub fn has_own_clock(&self) -> bool {
        self.requirements.iter().any(|requirement| requirement.capability == OWN_CLOCK)
    }

    /// The same scenario for another driver.
    #[must_use]
    pub fn driven_by(mut self, driver: impl Into<String>) -> Self {
        self.driver = driver.into();
        self
    }

    /// The same scenario in these arms alone, because it means nothing in any other.
    #[must_use]
    pub fn in_arms<const N: usize>(self, arms: [Arm; N]) -> Self {
        let names = arms.map(Arm::as_str).join(",");
        self.requires(format!("{ARMS}{names}"), "it means nothing in any other arm")
    }

    /// Whether it means something in `arm`.
    pub fn runs_in(&self, arm: Arm) -> bool {
        let mut limits = self.requirements.iter().filter_map(|requirement| requirement.capability.strip_prefix(ARMS));
        limits.all(|arms| arms.split(',').any(|name| name == arm.as_str()))
    }

    /// The same scenario with a further parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The same scenario with a further metric.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// The same scenario with a further requirement.
    #[must_use]
    pub fn requires(mut self, capability: impl Into<String>, purpose: impl Into<String>) -> Self {
        self.requirements.push(Requirement { capability: capability.into(), purpose: purpose.into(), optional: false });
        self
    }

    /// The same scenario with a further requirement that it also runs without.
    #[must_use]
    pub fn can_use(mut self, capability: impl Into<String>, purpose: impl Into<String>) -> Self {
        self.requirements.push(Requirement { capability: capability.into(), purpose: purpose.into(), optional: true });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_runs_in_every_arm_unless_it_says_otherwise() {
        let runs_in = |scenario: &Scenario| Arm::ALL.map(|arm| scenario.runs_in(arm));
        let scenario = Scenario::new("s", "f", "");
        assert_eq!(runs_in(&scenario), [true; 4]);
        assert_eq!(runs_in(&scenario.clone().in_arms([Arm::Native])), [false, true, false, false]);
        assert_eq!(runs_in(&scenario.in_arms([Arm::Wasm, Arm::Process])), [true, false, false, true]);
    }
}
