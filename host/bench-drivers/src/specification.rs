//! Merges a module's description of a scenario with the specification of the scenario's driver.

use crate::Drivers;
use bench_model::{Capability, Descriptor, Domain, Parameter, Requirement, Scenario, Unit};

/// `descriptor`, with its scenarios completed by the specifications of their drivers.
pub fn merged(descriptor: &Descriptor, drivers: Drivers<'_>) -> Descriptor {
    let complete = |scenario: &Scenario| {
        let specified = drivers.get(&scenario.driver).and_then(|driver| driver.specification(&scenario.name));
        specified.map_or_else(|| scenario.clone(), |specified| over(specified, scenario))
    };
    Descriptor { scenarios: descriptor.scenarios.iter().map(complete).collect(), ..descriptor.clone() }
}

/// Merges the scenario `said` of the module into the `specified` one: parameters, metrics and requirements keep the specified order,
/// followed by additional ones of the module. Specified metrics cannot be overridden, because the driver records them.
fn over(specified: Scenario, said: &Scenario) -> Scenario {
    let Scenario { mut parameters, mut metrics, mut requirements, .. } = specified;
    for own in &said.parameters {
        match parameters.iter_mut().find(|parameter| parameter.name == own.name) {
            Some(parameter) => override_parameter(parameter, own),
            None => parameters.push(own.clone()),
        }
    }
    let is_new = |name: &str| !metrics.iter().any(|metric| metric.name == name);
    let further: Vec<_> = said.metrics.iter().filter(|metric| is_new(&metric.name)).cloned().collect();
    metrics.extend(further);
    for own in &said.requirements {
        match requirements.iter_mut().find(|requirement| is_same(requirement, own)) {
            Some(requirement) => *requirement = own.clone(),
            None => requirements.push(own.clone()),
        }
    }
    let text = |own: &str, specified: String| if own.is_empty() { specified } else { own.to_owned() };
    Scenario {
        name: said.name.clone(),
        driver: said.driver.clone(),
        family: text(&said.family, specified.family),
        summary: text(&said.summary, specified.summary),
        limit: said.limit.or(specified.limit),
        parameters,
        metrics,
        requirements,
    }
}

/// Takes the default values of the module; other fields that the module leaves empty keep the specified value.
fn override_parameter(parameter: &mut Parameter, own: &Parameter) {
    parameter.defaults.clone_from(&own.defaults);
    if own.domain != Domain::Any {
        parameter.domain = own.domain.clone();
    }
    if own.unit != Unit::from("") {
        parameter.unit = own.unit.clone();
    }
    if !own.summary.is_empty() {
        parameter.summary.clone_from(&own.summary);
    }
}

/// Whether both have the same subject: the same parameter, or something that a scenario has only once (arms, processors, clock).
fn is_same(one: &Requirement, other: &Requirement) -> bool {
    use Capability::{Arms, Cpu, OwnClock};
    one.capability == other.capability
        || matches!((&one.capability, &other.capability), (Arms(_), Arms(_)) | (Cpu(_), Cpu(_)) | (OwnClock, OwnClock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dependency, Driver, Module, Task};
    use bench_engine::Report;
    use bench_model::{Arguments, Arm, Check, Metric, ModuleError};
    use bench_sink::runfile::Status;

    /// A driver that specifies one scenario.
    struct Counted;

    impl Driver for Counted {
        fn name(&self) -> &'static str {
            "counted"
        }

        fn scenarios(&self) -> Vec<Scenario> {
            let scenario = Scenario::new("count", "family", "Counts.").driven_by("counted").in_arms([Arm::Wasm]);
            vec![
                scenario
                    .requires("read:input", "what is counted")
                    .parameter(Parameter::new("input", "@project", "what is counted"))
                    .parameter(Parameter::new("rate", 1, "how fast").unit(Unit::from("1/s")).between(0, 9))
                    .metric(Metric::new("found", Unit::Count, "what was found")),
            ]
        }

        fn run(&self, _: &mut dyn Module, _: Option<&mut Dependency>, task: &Task<'_>) -> Report {
            Report::without_figures(task.repetition, Status::Skipped, "")
        }

        fn conformance(
            &self,
            _: &mut dyn Module,
            _: Option<&mut Dependency>,
            _: &Scenario,
            _: &Arguments,
        ) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    /// Checks the result of merging a module's scenario.
    #[track_caller]
    fn check(said: Scenario, expect: Scenario) {
        let found = merged(&Descriptor::new("module", "1", "").scenario(said), Drivers::new(&[&Counted]));
        assert_eq!(found.scenarios, [expect]);
        found.validate().unwrap();
    }

    fn specified() -> Scenario {
        Counted.scenarios().remove(0)
    }

    #[test]
    fn name_alone_takes_the_whole_specification() {
        check(Scenario::uses("counted", "count"), specified());
    }

    #[test]
    fn repeating_the_specification_changes_nothing() {
        check(specified(), specified());
    }

    #[test]
    fn defaults_domains_and_arms_are_overridden() {
        let said = Scenario::uses("counted", "count")
            .in_arms([Arm::Native, Arm::Process])
            .parameter(Parameter::new("rate", 2, "").sweep([2, 3]).between(2, 3));
        let mut expect = specified();
        expect.parameters[1] = expect.parameters[1].clone().sweep([2, 3]).between(2, 3);
        expect.requirements[0].capability = Capability::Arms(vec![Arm::Native, Arm::Process]);
        check(said, expect);
    }

    #[test]
    fn additions_of_the_module_come_last() {
        let further = Parameter::new("colour", "red", "its own");
        let metric = Metric::new("lost", Unit::Count, "its own");
        let said = Scenario::uses("counted", "count").parameter(further.clone()).metric(metric.clone());
        check(said, specified().parameter(further).metric(metric));
    }

    #[test]
    fn specified_metrics_cannot_be_overridden() {
        let said = Scenario::uses("counted", "count").metric(Metric::new("found", Unit::Bytes, "something else"));
        check(said, specified());
    }

    #[test]
    fn unspecified_scenario_is_unchanged() {
        check(
            Scenario::new("other", "f", "x").driven_by("counted"),
            Scenario::new("other", "f", "x").driven_by("counted"),
        );
        check(Scenario::new("count", "f", "x").driven_by("open"), Scenario::new("count", "f", "x").driven_by("open"));
    }
}
