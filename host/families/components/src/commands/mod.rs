//! The scenario `run`: runs a command from its start to its exit, and checks its exit status and its output. In the arm `wasm` the
//! command is a component that exports `wasi:cli/run` or a core module that exports `_start`, in the arm `process` a program built from
//! the same source.

mod component;
#[cfg(feature = "wasi-0-3")]
mod concurrent;
#[cfg(feature = "core-modules")]
pub(crate) mod core_module;
mod native;
mod options;
mod output;
mod session;

pub(crate) use native::NativeCommand;

use crate::FAMILY;
use bench_family::Reach;
use bench_model::{Arguments, Arm, Metric, ModuleError, Parameter, Scenario, Unit};
use bench_wasm::{Adapter, Component, ComponentSession};
use component::ComponentCommand;
use options::Options;
use session::CommandSession;

/// The scenario's name.
pub(crate) const SCENARIO: &str = "run";

/// The name of the scenario of a module that times itself.
const TIMED: &str = "bench";

/// The exported interface that makes a component a command.
const RUN: &str = "wasi:cli/run@0.2.";

/// Makes the scenario of a component that is a command.
pub(crate) struct Commands;

impl Adapter for Commands {
    fn scenarios(&self, component: &Component) -> Vec<Scenario> {
        match is_command(component) {
            true if component.wants(crate::stopwatch::INTERFACE) => vec![timed_scenario()],
            true => vec![run_scenario()],
            false => Vec::new(),
        }
    }

    fn open(
        &self,
        component: &Component,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Box<dyn ComponentSession>, ModuleError> {
        let options = Options::of(arguments)?;
        #[cfg(feature = "core-modules")]
        if component.offers(core_module::EXPORT) {
            let command = core_module::CoreCommand::new(component, &options)?;
            return Ok(Box::new(CommandSession::new(command, options, scenario)));
        }
        #[cfg(feature = "wasi-0-3")]
        if component.offers(concurrent::RUN) {
            let command = concurrent::ConcurrentCommand::new(component, &options)?;
            return Ok(Box::new(CommandSession::new(command, options, scenario)));
        }
        let command = ComponentCommand::new(component, &options)?;
        Ok(Box::new(CommandSession::new(command, options, scenario)))
    }
}

/// The files that a command with these `arguments` reads.
pub(crate) fn reaches(scenario: &Scenario, arguments: &Arguments) -> Vec<Reach> {
    if scenario.family != FAMILY || ![SCENARIO, TIMED].contains(&scenario.name.as_str()) {
        return Vec::new();
    }
    let text = |name| arguments.text(name).unwrap_or_default();
    let input = Reach::of_file(text(options::STDIN));
    input.into_iter().chain(Reach::of_content(text(crate::calls::EXPECT))).collect()
}

fn is_command(component: &Component) -> bool {
    #[cfg(feature = "core-modules")]
    if component.offers(core_module::EXPORT) {
        return true;
    }
    #[cfg(feature = "wasi-0-3")]
    if component.offers(concurrent::RUN) {
        return true;
    }
    component.offers(RUN)
}

fn run_scenario() -> Scenario {
    let run = Scenario::new(SCENARIO, FAMILY, "Runs the command from its start to its exit.");
    with_parameters(run.in_arms([Arm::Wasm, Arm::Process]))
}

/// The scenario of a module that times itself, as those of the Sightglass suite.
fn timed_scenario() -> Scenario {
    let timed =
        Scenario::new(TIMED, FAMILY, "Runs the command, and times what is between `bench.start` and `bench.end`.");
    let clock = "from `bench.start` to `bench.end`";
    with_parameters(timed.in_arms([Arm::Wasm]).times_itself(Unit::Nanoseconds, clock))
}

fn with_parameters(scenario: Scenario) -> Scenario {
    let stage = Metric::new("stage", Unit::Nanoseconds, "One stage of a run; stages follow each other without gaps.");
    scenario
        .parameter(Parameter::new(options::ARGS, "", "its arguments, separated by spaces; quote one that has spaces"))
        .parameter(Parameter::new(options::STDIN, "", "a file that is its standard input; empty: none"))
        .parameter(Parameter::new(options::EXIT, 0, "the exit status that every run must have"))
        .parameter(Parameter::new(
            crate::calls::EXPECT,
            "",
            "the standard output that every run must have, or @FILE; empty: that of the first run",
        ))
        .parameter(
            Parameter::new(
                options::OUTPUT,
                options::SAME,
                "`any`: the standard output may differ from run to run, as one with times does, unless `expect` is given",
            )
            .choices([options::SAME, options::ANY]),
        )
        .metric(stage.label("name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_and_expected_output_of_a_command_are_files_that_it_reaches() {
        let check = |scenario: &Scenario, given: &[(&str, &str)], expect: &[&str]| {
            let arguments: Arguments = given.iter().copied().collect();
            let expect: Vec<_> = expect.iter().map(|file| Reach::Read((*file).to_owned())).collect();
            assert_eq!(reaches(scenario, &arguments), expect, "{arguments}");
        };
        for scenario in [run_scenario(), timed_scenario()] {
            check(&scenario, &[("stdin", ""), ("expect", "")], &[]);
            check(&scenario, &[("stdin", "input"), ("expect", "text")], &["input"]);
            check(&scenario, &[("stdin", "/a"), ("expect", "@/b")], &["/a", "/b"]);
        }
        // A value in WAVE notation.
        check(&Scenario::new("call", FAMILY, ""), &[("expect", "@/b")], &[]);
    }
}
