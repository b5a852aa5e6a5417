//! A descriptor as JSON. `limit` and `direction` are names, `domain` is `"any"`, `{"choices": […]}` or
//! `{"between": [low, high]}`; what is left out of a probe's text takes the default that is written here.

use crate::ValueJson;
use bench_model::{Descriptor, Direction, Domain, Metric, Parameter, Requirement, Scenario, Unit, Value};
use serde::{Deserialize, Serialize};

/// A descriptor as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescriptorJson {
    name: String,
    version: String,
    #[serde(default)]
    summary: String,
    scenarios: Vec<ScenarioJson>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioJson {
    name: String,
    #[serde(default = "workload")]
    driver: String,
    family: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    limit: Option<String>,
    #[serde(default)]
    parameters: Vec<ParameterJson>,
    #[serde(default)]
    metrics: Vec<MetricJson>,
    #[serde(default)]
    requirements: Vec<RequirementJson>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterJson {
    name: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    unit: String,
    defaults: Vec<ValueJson>,
    #[serde(default = "any")]
    domain: DomainJson,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DomainJson {
    Any,
    Choices(Vec<ValueJson>),
    Between(ValueJson, ValueJson),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricJson {
    name: String,
    #[serde(default)]
    summary: String,
    unit: String,
    #[serde(default = "lower_is_better")]
    direction: DirectionJson,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DirectionJson {
    LowerIsBetter,
    HigherIsBetter,
    Neutral,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementJson {
    capability: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    optional: bool,
}

fn workload() -> String {
    "workload".to_owned()
}

fn any() -> DomainJson {
    DomainJson::Any
}

fn lower_is_better() -> DirectionJson {
    DirectionJson::LowerIsBetter
}

impl From<&Descriptor> for DescriptorJson {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            summary: descriptor.summary.clone(),
            scenarios: descriptor.scenarios.iter().map(ScenarioJson::from).collect(),
        }
    }
}

impl TryFrom<DescriptorJson> for Descriptor {
    type Error = String;

    /// Fails where `limit` is not a known machine limit. The rules of [`Descriptor::validate`] are not looked at.
    fn try_from(json: DescriptorJson) -> Result<Self, String> {
        let scenarios = json.scenarios.into_iter().map(Scenario::try_from).collect::<Result<_, _>>()?;
        Ok(Self { name: json.name, version: json.version, summary: json.summary, scenarios })
    }
}

impl From<&Scenario> for ScenarioJson {
    fn from(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name.clone(),
            driver: scenario.driver.clone(),
            family: scenario.family.clone(),
            summary: scenario.summary.clone(),
            limit: scenario.limit.map(|limit| limit.as_str().to_owned()),
            parameters: scenario.parameters.iter().map(ParameterJson::from).collect(),
            metrics: scenario.metrics.iter().map(MetricJson::from).collect(),
            requirements: scenario.requirements.iter().map(RequirementJson::from).collect(),
        }
    }
}

impl TryFrom<ScenarioJson> for Scenario {
    type Error = String;

    fn try_from(json: ScenarioJson) -> Result<Self, String> {
        Ok(Self {
            limit: json
                .limit
                .map(|name| name.parse())
                .transpose()
                .map_err(|error| format!("scenario `{}`: {error}", json.name))?,
            name: json.name,
            driver: json.driver,
            family: json.family,
            summary: json.summary,
            parameters: json.parameters.into_iter().map(Parameter::from).collect(),
            metrics: json.metrics.into_iter().map(Metric::from).collect(),
            requirements: json.requirements.into_iter().map(Requirement::from).collect(),
        })
    }
}

impl From<&Parameter> for ParameterJson {
    fn from(parameter: &Parameter) -> Self {
        let domain = match &parameter.domain {
            Domain::Any => DomainJson::Any,
            Domain::Choices(choices) => DomainJson::Choices(choices.iter().map(ValueJson::from).collect()),
            Domain::Between(low, high) => DomainJson::Between(low.into(), high.into()),
        };
        Self {
            name: parameter.name.clone(),
            summary: parameter.summary.clone(),
            unit: parameter.unit.as_str().to_owned(),
            defaults: parameter.defaults.iter().map(ValueJson::from).collect(),
            domain,
        }
    }
}

impl From<ParameterJson> for Parameter {
    fn from(json: ParameterJson) -> Self {
        let domain = match json.domain {
            DomainJson::Any => Domain::Any,
            DomainJson::Choices(choices) => Domain::Choices(choices.into_iter().map(Value::from).collect()),
            DomainJson::Between(low, high) => Domain::Between(low.into(), high.into()),
        };
        Self {
            name: json.name,
            summary: json.summary,
            unit: Unit::from(json.unit.as_str()),
            defaults: json.defaults.into_iter().map(Value::from).collect(),
            domain,
        }
    }
}

impl From<&Metric> for MetricJson {
    fn from(metric: &Metric) -> Self {
        Self {
            name: metric.name.clone(),
            summary: metric.summary.clone(),
            unit: metric.unit.as_str().to_owned(),
            direction: match metric.direction {
                Direction::LowerIsBetter => DirectionJson::LowerIsBetter,
                Direction::HigherIsBetter => DirectionJson::HigherIsBetter,
                Direction::Neutral => DirectionJson::Neutral,
            },
            labels: metric.labels.clone(),
        }
    }
}

impl From<MetricJson> for Metric {
    fn from(json: MetricJson) -> Self {
        Self {
            name: json.name,
            summary: json.summary,
            unit: Unit::from(json.unit.as_str()),
            direction: match json.direction {
                DirectionJson::LowerIsBetter => Direction::LowerIsBetter,
                DirectionJson::HigherIsBetter => Direction::HigherIsBetter,
                DirectionJson::Neutral => Direction::Neutral,
            },
            labels: json.labels,
        }
    }
}

impl From<&Requirement> for RequirementJson {
    fn from(requirement: &Requirement) -> Self {
        Self {
            capability: requirement.capability.clone(),
            purpose: requirement.purpose.clone(),
            optional: requirement.optional,
        }
    }
}

impl From<RequirementJson> for Requirement {
    fn from(json: RequirementJson) -> Self {
        Self { capability: json.capability, purpose: json.purpose, optional: json.optional }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::MachineLimit;

    #[test]
    fn a_descriptor_survives_the_round_trip() {
        let descriptor = Descriptor::new("module", "1.2.3", "Says \"what\".").scenario(
            Scenario::new("scenario", "family", "One thing.")
                .limit(MachineLimit::Fdatasync)
                .parameter(Parameter::new("bytes", 64, "").unit(Unit::Bytes).sweep([64, 128]).between(1, 4096))
                .parameter(Parameter::new("ratio", 1.0, "").choices([1.0, 0.5]))
                .parameter(Parameter::new("mode", "a", ""))
                .metric(Metric::new("lag", Unit::Nanoseconds, "").direction(Direction::Neutral).label("side"))
                .requires("cpu:2", "two sides"),
        );
        let text = serde_json::to_string(&DescriptorJson::from(&descriptor)).unwrap();
        let back = serde_json::from_str::<DescriptorJson>(&text).unwrap();
        assert_eq!(Descriptor::try_from(back), Ok(descriptor));
    }

    #[test]
    fn a_short_text_takes_the_defaults() {
        let text = r#"{"name":"m","version":"1","scenarios":[{"name":"s","family":"f",
            "parameters":[{"name":"n","defaults":[1]}],"metrics":[{"name":"t","unit":"ns"}]}]}"#;
        let descriptor = Descriptor::try_from(serde_json::from_str::<DescriptorJson>(text).unwrap()).unwrap();
        assert_eq!(descriptor.scenarios[0].driver, "workload");
        assert_eq!(descriptor.scenarios[0].parameters[0].domain, Domain::Any);
    }

    #[test]
    fn an_unknown_field_or_limit_is_refused() {
        let unknown_field = r#"{"name":"m","version":"1","scenarios":[],"colour":"red"}"#;
        assert!(serde_json::from_str::<DescriptorJson>(unknown_field).is_err());
        let unknown_limit = r#"{"name":"m","version":"1","scenarios":[{"name":"s","family":"f","limit":"luck"}]}"#;
        let json = serde_json::from_str::<DescriptorJson>(unknown_limit).unwrap();
        assert!(Descriptor::try_from(json).unwrap_err().starts_with("scenario `s`: `luck` is no machine limit"));
    }
}
