//! What a module says of a scenario, put over what the scenario's driver specifies. One function does it, and it must not know
//! any driver.

use crate::Drivers;
use bench_model::{Capability, Descriptor, Domain, Parameter, Requirement, Scenario, Unit};

/// What `descriptor` describes, completed by what the drivers of its scenarios specify.
pub fn merged(descriptor: &Descriptor, drivers: Drivers<'_>) -> Descriptor {
    let complete = |scenario: &Scenario| {
        let specified = drivers.get(&scenario.driver).and_then(|driver| driver.specification(&scenario.name));
        specified.map_or_else(|| scenario.clone(), |specified| over(specified, scenario))
    };
    Descriptor { scenarios: descriptor.scenarios.iter().map(complete).collect(), ..descriptor.clone() }
}

/// `said` over `specified`: parameters, metrics and requirements keep the specified order, and further ones of the module's come
/// after them. Metrics with a specified name are the driver's, which records them.
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

/// The defaults are always the module's; what it leaves empty stays as it is specified.
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

/// Whether both are about the same thing: the same parameter, or the one thing of which a scenario has one (its arms, its
/// processors, its clock).
fn is_same(one: &Requirement, other: &Requirement) -> bool {
    use Capability::{Arms, Cpu, OwnClock};
    one.capability == other.capability
        || matches!((&one.capability, &other.capability), (Arms(_), Arms(_)) | (Cpu(_), Cpu(_)) | (OwnClock, OwnClock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Companion, Driver, Module, Task};
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

        fn run(&self, _: &mut dyn Module, _: Option<&mut Companion>, task: &Task<'_>) -> Report {
            Report::without_figures(task.unit, Status::Skipped, "")
        }

        fn conformance(
            &self,
            _: &mut dyn Module,
            _: Option<&mut Companion>,
            _: &Scenario,
            _: &Arguments,
        ) -> Result<Vec<Check>, ModuleError> {
            Ok(Vec::new())
        }
    }

    /// What comes of a module that says so of its scenario.
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
    fn a_name_is_enough() {
        check(Scenario::uses("counted", "count"), specified());
    }

    #[test]
    fn who_says_everything_changes_nothing() {
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
    fn what_a_module_adds_comes_after() {
        let further = Parameter::new("colour", "red", "its own");
        let metric = Metric::new("lost", Unit::Count, "its own");
        let said = Scenario::uses("counted", "count").parameter(further.clone()).metric(metric.clone());
        check(said, specified().parameter(further).metric(metric));
    }

    #[test]
    fn metrics_that_the_driver_records_are_the_drivers() {
        let said = Scenario::uses("counted", "count").metric(Metric::new("found", Unit::Bytes, "something else"));
        check(said, specified());
    }

    #[test]
    fn what_no_driver_specifies_stays_as_it_is() {
        check(
            Scenario::new("other", "f", "x").driven_by("counted"),
            Scenario::new("other", "f", "x").driven_by("counted"),
        );
        check(Scenario::new("count", "f", "x").driven_by("open"), Scenario::new("count", "f", "x").driven_by("open"));
    }
}
