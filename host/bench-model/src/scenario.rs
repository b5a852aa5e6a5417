//! One thing that can be measured.

use crate::{Arm, Capability, MachineLimit, Metric, Parameter, Requirement, Unit};
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

/// The driver of a scenario that names none.
fn workload() -> String {
    "workload".to_owned()
}

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
        self.requires(Capability::OwnClock, "only its own clock starts and stops with what is measured").metric(metric)
    }

    /// Whether the module times it, and not the host.
    pub fn has_own_clock(&self) -> bool {
        self.requirements.iter().any(|requirement| requirement.capability == Capability::OwnClock)
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
        self.requires(Capability::Arms(arms.to_vec()), "it means nothing in any other arm")
    }

    /// Whether it means something in `arm`.
    pub fn runs_in(&self, arm: Arm) -> bool {
        self.requirements.iter().all(|requirement| match &requirement.capability {
            Capability::Arms(arms) => arms.contains(&arm),
            _ => true,
        })
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
    pub fn requires(mut self, capability: impl Into<Capability>, purpose: impl Into<String>) -> Self {
        self.requirements.push(Requirement { capability: capability.into(), purpose: purpose.into(), optional: false });
        self
    }

    /// The same scenario with a further requirement that it also runs without.
    #[must_use]
    pub fn can_use(mut self, capability: impl Into<Capability>, purpose: impl Into<String>) -> Self {
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
