//! One thing that can be measured, and what it needs.

use crate::{MachineLimit, Metric, Parameter};

/// One thing that can be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Unique in its module.
    pub name: String,
    /// The interface through which the host exercises it.
    pub driver: String,
    /// Groups scenarios of several modules in reports.
    pub family: String,
    /// One operation, said in one line.
    pub summary: String,
    /// The limit of the machine one operation is compared with.
    pub limit: Option<MachineLimit>,
    /// Its knobs.
    pub parameters: Vec<Parameter>,
    /// The series it records itself.
    pub metrics: Vec<Metric>,
    /// What it needs beyond its imports.
    pub requirements: Vec<Requirement>,
}

/// Something imports cannot show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `probe:criu`, `kernel:userfaultfd`, `cpu:2` (the scenario places itself), `read:PARAMETER`.
    pub capability: String,
    /// Why, in one line.
    pub purpose: String,
    /// Whether the scenario also runs without it.
    pub optional: bool,
}

impl Requirement {
    /// The parameter whose value is a path the module reads, where this is such a requirement.
    pub fn read_parameter(&self) -> Option<&str> {
        self.capability.strip_prefix("read:")
    }
}

impl Scenario {
    /// A scenario for the driver `workload`, without parameters.
    pub fn new(name: impl Into<String>, family: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            driver: "workload".to_owned(),
            family: family.into(),
            summary: summary.into(),
            limit: None,
            parameters: Vec::new(),
            metrics: Vec::new(),
            requirements: Vec::new(),
        }
    }

    /// The same scenario compared with `limit`.
    #[must_use]
    pub fn limit(mut self, limit: MachineLimit) -> Self {
        self.limit = Some(limit);
        self
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
