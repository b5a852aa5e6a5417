//! Conversions between the types of the WIT package and of bench-model.

use super::bindings::bench_host::workload::types as wit;
use bench_model::{
    Arguments, Check, Descriptor, Direction, Domain, Metric, ModuleError, Outcome, Parameter, Requirement, Scenario,
    Value,
};

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
        defaults: parameter.defaults.into_iter().map(value).collect(),
        domain: match parameter.domain {
            Domain::Any => wit::Domain::Any,
            Domain::Choices(choices) => wit::Domain::Choices(choices.into_iter().map(value).collect()),
            Domain::Between(low, high) => wit::Domain::Between((value(low), value(high))),
        },
    }
}

fn metric(metric: Metric) -> wit::Metric {
    wit::Metric {
        name: metric.name,
        summary: metric.summary,
        unit: metric.unit.as_str().to_owned(),
        direction: match metric.direction {
            Direction::LowerIsBetter => wit::Direction::LowerIsBetter,
            Direction::HigherIsBetter => wit::Direction::HigherIsBetter,
            Direction::Neutral => wit::Direction::Neutral,
        },
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

fn value(value: Value) -> wit::Value {
    match value {
        Value::Flag(value) => wit::Value::Flag(value),
        Value::Integer(value) => wit::Value::Integer(value),
        Value::Decimal(value) => wit::Value::Decimal(value),
        Value::Text(value) => wit::Value::Text(value),
    }
}

fn value_in(value: wit::Value) -> Value {
    match value {
        wit::Value::Flag(value) => Value::Flag(value),
        wit::Value::Integer(value) => Value::Integer(value),
        wit::Value::Decimal(value) => Value::Decimal(value),
        wit::Value::Text(value) => Value::Text(value),
    }
}

pub(super) fn arguments_in(arguments: Vec<wit::Argument>) -> Arguments {
    arguments.into_iter().map(|argument| (argument.name, value_in(argument.value))).collect()
}

pub(super) fn outcome(outcome: Outcome) -> wit::Outcome {
    wit::Outcome { operations: outcome.operations, bytes: outcome.bytes, checksum: outcome.checksum }
}

pub(super) fn check(check: Check) -> wit::Check {
    wit::Check { name: check.name, passed: check.passed, detail: check.detail }
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
