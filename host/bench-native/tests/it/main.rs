//! Tests probes written in C (compiled here) and in Rust, and files that are not probes, through the public interface only.

#![expect(unsafe_code, reason = "tests call the host table as a probe does")]

mod c_log;
mod c_probe;
mod compile;
mod panics;
mod refusals;

use bench_drivers::{Module, Recording};
use bench_model::{Arguments, ModuleError, Outcome, Scenario, Value};
use bench_native::{LoadError, Probe};

/// Has `loaded` go through the life of a session of its first scenario, with `arguments` instead of the defaults they name,
/// and compares what it says at each step: open, `iterate(3)`, `verify`, `iterate(1)`, and the series.
#[track_caller]
fn check(loaded: Result<Probe, LoadError>, arguments: &[(&str, Value)], expect: &str) {
    let lines = |text: &str| {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    let found = match loaded {
        Ok(mut probe) => life(&mut probe, arguments),
        Err(error) => error.to_string(),
    };
    assert_eq!(lines(&found), lines(expect), "\n{found}");
}

fn life(module: &mut dyn Module, arguments: &[(&str, Value)]) -> String {
    let scenario = module.descriptor().scenarios[0].clone();
    match module.open(&scenario, &with_defaults(&scenario, arguments)) {
        Ok(mut session) => steps(session.as_mut()).join("\n"),
        Err(error) => format!("open: {error:?}"),
    }
}

fn steps(session: &mut dyn Recording) -> Vec<String> {
    let mut said = vec![format!("iterate 3: {}", shown(session.iterate(3)))];
    match session.verify() {
        Ok(checks) => said.extend(checks.iter().map(|check| format!("verify: {check:?}"))),
        Err(error) => said.push(format!("verify: {error:?}")),
    }
    said.push(format!("iterate 1: {}", shown(session.iterate(1))));
    for series in session.sink().series() {
        let labels: Vec<_> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        said.push(format!("{}{{{}}}: {:?}", series.metric, labels.join(","), series.raw().unwrap_or_default()));
    }
    said
}

fn shown(outcome: Result<Outcome, ModuleError>) -> String {
    outcome.map_or_else(|error| format!("{error:?}"), |outcome| format!("{outcome:?}"))
}

fn with_defaults(scenario: &Scenario, given: &[(&str, Value)]) -> Arguments {
    let mut arguments: Arguments =
        scenario.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone())).collect();
    for (name, value) in given {
        arguments.set(*name, value.clone());
    }
    arguments
}
