//! Scenarios: the benchmarks of a module.

use crate::{Arm, Capability, MachineLimit, Metric, Parameter, Requirement, Unit};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A scenario: one benchmark of a module.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Scenario {
    /// The name, unique in the module.
    pub name: String,
    /// The name of the driver, the interface through which the host executes it.
    #[cfg_attr(feature = "serde", serde(default = "workload"))]
    pub driver: String,
    /// The family, which groups scenarios of several modules in reports.
    pub family: String,
    /// What one operation does, in one line.
    #[cfg_attr(feature = "serde", serde(default))]
    pub summary: String,
    /// The roofline that one operation is compared with.
    #[cfg_attr(feature = "serde", serde(default))]
    pub limit: Option<MachineLimit>,
    /// The parameters.
    #[cfg_attr(feature = "serde", serde(default))]
    pub parameters: Vec<Parameter>,
    /// The metrics that the module records itself.
    #[cfg_attr(feature = "serde", serde(default))]
    pub metrics: Vec<Metric>,
    /// The requirements beyond its imports.
    #[cfg_attr(feature = "serde", serde(default))]
    pub requirements: Vec<Requirement>,
}

/// The default driver.
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

    /// The scenario `name` as its driver specifies it. Everything that is set here overrides the specification or adds to it.
    pub fn uses(driver: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(name, "", "").driven_by(driver)
    }

    /// Sets the roofline to compare with.
    #[must_use]
    pub fn limit(mut self, limit: MachineLimit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Makes the scenario time itself: the host does not time it, and takes the module's series with the scenario's name instead.
    /// `summary` says when its clock starts and stops. For operations that follow a schedule, or that need preparation one by
    /// one.
    #[must_use]
    pub fn times_itself(self, unit: Unit, summary: impl Into<String>) -> Self {
        let metric = Metric::new(self.name.clone(), unit, summary);
        self.requires(Capability::OwnClock, "the module has to start and stop the clock itself").metric(metric)
    }

    /// Whether the scenario times itself.
    pub fn has_own_clock(&self) -> bool {
        self.requirements.iter().any(|requirement| requirement.capability == Capability::OwnClock)
    }

    /// Sets the driver.
    #[must_use]
    pub fn driven_by(mut self, driver: impl Into<String>) -> Self {
        self.driver = driver.into();
        self
    }

    /// Restricts the scenario to these arms, because it is meaningless in others.
    #[must_use]
    pub fn in_arms<const N: usize>(self, arms: [Arm; N]) -> Self {
        self.requires(Capability::Arms(arms.to_vec()), "it is meaningless in other arms")
    }

    /// Whether the scenario exists in `arm`.
    pub fn runs_in(&self, arm: Arm) -> bool {
        self.requirements.iter().all(|requirement| match &requirement.capability {
            Capability::Arms(arms) => arms.contains(&arm),
            _ => true,
        })
    }

    /// Whether its requirements name `arm`.
    pub fn names_arm(&self, arm: Arm) -> bool {
        let names = |capability: &Capability| matches!(capability, Capability::Arms(arms) if arms.contains(&arm));
        self.requirements.iter().any(|requirement| names(&requirement.capability))
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// Adds a requirement.
    #[must_use]
    pub fn requires(mut self, capability: impl Into<Capability>, purpose: impl Into<String>) -> Self {
        self.requirements.push(Requirement { capability: capability.into(), purpose: purpose.into(), optional: false });
        self
    }

    /// Adds an optional requirement.
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
    fn scenario_runs_in_every_arm_unless_restricted() {
        let runs_in = |scenario: &Scenario| Arm::ALL.map(|arm| scenario.runs_in(arm));
        let scenario = Scenario::new("s", "f", "");
        assert_eq!(runs_in(&scenario), [true; 4]);
        assert_eq!(runs_in(&scenario.clone().in_arms([Arm::Native])), [false, true, false, false]);
        assert_eq!(runs_in(&scenario.in_arms([Arm::Wasm, Arm::Process])), [true, false, false, true]);
    }
}
