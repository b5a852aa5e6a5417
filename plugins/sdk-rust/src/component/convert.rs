//! Conversions between the types of the WIT package and of bench-model.

use super::bindings::bench_host::workload::types as wit;
use bench_model::{Arguments, Descriptor, Domain, Metric, ModuleError, Parameter, Requirement, Scenario, Value};

vocabulary::workload_conversions!(wit);

pub(super) fn descriptor(descriptor: Descriptor) -> wit::Descriptor {
    wit::Descriptor {
        name: descriptor.name,
        version: descriptor.version,
        summary: descriptor.summary,
        scenarios: descriptor.scenarios.into_iter().map(scenario).collect(),
    }
}

fn scenario(scenario: Scenario) -> wit::Scenario {
    wit::Scenario {
        name: scenario.name,
        driver: scenario.driver,
        family: scenario.family,
        summary: scenario.summary,
        limit: scenario.limit.map(|limit| limit.as_str().to_owned()),
        parameters: scenario.parameters.into_iter().map(parameter).collect(),
        metrics: scenario.metrics.into_iter().map(metric).collect(),
        requirements: scenario.requirements.into_iter().map(requirement).collect(),
    }
}

fn parameter(parameter: Parameter) -> wit::Parameter {
    wit::Parameter {
        name: parameter.name,
        summary: parameter.summary,
        unit: parameter.unit.as_str().to_owned(),
        defaults: parameter.defaults.into_iter().map(wit::Value::from).collect(),
        domain: match parameter.domain {
            Domain::Any => wit::Domain::Any,
            Domain::Choices(choices) => wit::Domain::Choices(choices.into_iter().map(wit::Value::from).collect()),
            Domain::Between(low, high) => wit::Domain::Between((low.into(), high.into())),
        },
    }
}

fn metric(metric: Metric) -> wit::Metric {
    wit::Metric {
        name: metric.name,
        summary: metric.summary,
        unit: metric.unit.as_str().to_owned(),
        direction: metric.direction.into(),
        labels: metric.labels,
    }
}

fn requirement(requirement: Requirement) -> wit::Requirement {
    wit::Requirement {
        capability: requirement.capability.to_string(),
        purpose: requirement.purpose,
        optional: requirement.optional,
    }
}

pub(super) fn arguments_in(arguments: Vec<wit::Argument>) -> Arguments {
    arguments.into_iter().map(|argument| (argument.name, Value::from(argument.value))).collect()
}

pub(super) fn error(error: ModuleError) -> wit::Error {
    match error {
        ModuleError::UnknownScenario(text) => wit::Error::UnknownScenario(text),
        ModuleError::InvalidArgument(text) => wit::Error::InvalidArgument(text),
        ModuleError::CapabilityDenied(text) => wit::Error::CapabilityDenied(text),
        ModuleError::Unavailable(text) => wit::Error::Unavailable(text),
        ModuleError::Crashed(text) | ModuleError::Other(text) => wit::Error::Other(text),
    }
}

pub(super) fn error_in(error: wit::Error) -> ModuleError {
    match error {
        wit::Error::UnknownScenario(text) => ModuleError::UnknownScenario(text),
        wit::Error::InvalidArgument(text) => ModuleError::InvalidArgument(text),
        wit::Error::CapabilityDenied(text) => ModuleError::CapabilityDenied(text),
        wit::Error::Unavailable(text) => ModuleError::Unavailable(text),
        wit::Error::Other(text) => ModuleError::Other(text),
    }
}
