//! Conversions between the types of the WIT packages and of bench-model.

use crate::bindings::workload::bench_host::workload::types as wit;
use bench_model::{Arguments, Descriptor, Domain, Metric, ModuleError, Parameter, Requirement, Scenario, Unit, Value};

vocabulary::workload_conversions!(wit);

/// Fails if `limit` is not the name of a roofline.
pub(crate) fn descriptor(descriptor: wit::Descriptor) -> Result<Descriptor, String> {
    Ok(Descriptor {
        name: descriptor.name,
        version: descriptor.version,
        summary: descriptor.summary,
        scenarios: descriptor.scenarios.into_iter().map(scenario).collect::<Result<_, _>>()?,
    })
}

fn scenario(scenario: wit::Scenario) -> Result<Scenario, String> {
    Ok(Scenario {
        limit: scenario.limit.map(|limit| limit.parse()).transpose()?,
        name: scenario.name,
        driver: scenario.driver,
        family: scenario.family,
        summary: scenario.summary,
        parameters: scenario.parameters.into_iter().map(parameter).collect(),
        metrics: scenario.metrics.into_iter().map(metric).collect(),
        requirements: scenario.requirements.into_iter().map(requirement).collect(),
    })
}

fn parameter(parameter: wit::Parameter) -> Parameter {
    Parameter {
        name: parameter.name,
        summary: parameter.summary,
        unit: Unit::from(parameter.unit.as_str()),
        defaults: parameter.defaults.into_iter().map(Value::from).collect(),
        domain: match parameter.domain {
            wit::Domain::Any => Domain::Any,
            wit::Domain::Choices(choices) => Domain::Choices(choices.into_iter().map(Value::from).collect()),
            wit::Domain::Between((low, high)) => Domain::Between(low.into(), high.into()),
        },
    }
}

fn metric(metric: wit::Metric) -> Metric {
    Metric {
        name: metric.name,
        summary: metric.summary,
        unit: Unit::from(metric.unit.as_str()),
        direction: metric.direction.into(),
        labels: metric.labels,
    }
}

fn requirement(requirement: wit::Requirement) -> Requirement {
    Requirement {
        capability: requirement.capability.into(),
        purpose: requirement.purpose,
        optional: requirement.optional,
    }
}

pub(crate) fn arguments(arguments: &Arguments) -> Vec<wit::Argument> {
    let argument = |(name, value): (&str, &Value)| wit::Argument { name: name.to_owned(), value: value.clone().into() };
    arguments.iter().map(argument).collect()
}

pub(crate) fn error(error: wit::Error) -> ModuleError {
    match error {
        wit::Error::UnknownScenario(text) => ModuleError::UnknownScenario(text),
        wit::Error::InvalidArgument(text) => ModuleError::InvalidArgument(text),
        wit::Error::CapabilityDenied(text) => ModuleError::CapabilityDenied(text),
        wit::Error::Unavailable(text) => ModuleError::Unavailable(text),
        wit::Error::Other(text) => ModuleError::Other(text),
    }
}
