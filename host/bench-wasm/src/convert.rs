//! Conversions between the types of the WIT packages and of bench-model.

use crate::bindings::workload::bench_host::workload::types as wit;
use bench_model::{
    Arguments, Check, Descriptor, Direction, Domain, Metric, ModuleError, Outcome, Parameter, Requirement, Scenario,
    Unit, Value,
};

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
        defaults: parameter.defaults.into_iter().map(value).collect(),
        domain: match parameter.domain {
            wit::Domain::Any => Domain::Any,
            wit::Domain::Choices(choices) => Domain::Choices(choices.into_iter().map(value).collect()),
            wit::Domain::Between((low, high)) => Domain::Between(value(low), value(high)),
        },
    }
}

fn metric(metric: wit::Metric) -> Metric {
    Metric {
        name: metric.name,
        summary: metric.summary,
        unit: Unit::from(metric.unit.as_str()),
        direction: match metric.direction {
            wit::Direction::LowerIsBetter => Direction::LowerIsBetter,
            wit::Direction::HigherIsBetter => Direction::HigherIsBetter,
            wit::Direction::Neutral => Direction::Neutral,
        },
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

fn value(value: wit::Value) -> Value {
    match value {
        wit::Value::Flag(value) => Value::Flag(value),
        wit::Value::Integer(value) => Value::Integer(value),
        wit::Value::Decimal(value) => Value::Decimal(value),
        wit::Value::Text(value) => Value::Text(value),
    }
}

pub(crate) fn arguments(arguments: &Arguments) -> Vec<wit::Argument> {
    let value = |value: &Value| match value {
        Value::Flag(value) => wit::Value::Flag(*value),
        Value::Integer(value) => wit::Value::Integer(*value),
        Value::Decimal(value) => wit::Value::Decimal(*value),
        Value::Text(value) => wit::Value::Text(value.clone()),
    };
    arguments.iter().map(|(name, given)| wit::Argument { name: name.to_owned(), value: value(given) }).collect()
}

pub(crate) fn outcome(outcome: wit::Outcome) -> Outcome {
    Outcome { operations: outcome.operations, bytes: outcome.bytes, checksum: outcome.checksum }
}

pub(crate) fn check(check: wit::Check) -> Check {
    Check { name: check.name, passed: check.passed, detail: check.detail }
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
