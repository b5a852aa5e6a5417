//! The family `components`: components and core modules that were not written for bench-host. Adapters make scenarios of what they
//! export.

#![forbid(unsafe_code)]

mod calls;
mod commands;
#[cfg(feature = "core-modules")]
mod core_modules;
mod exports;
mod stopwatch;
mod wave;

use bench_drivers::{Grants, Module};
use bench_family::{Family, Reach, Shorthand, Takes};
use bench_model::{Arguments, Descriptor, Scenario};
use bench_wasm::{Adapters, Capabilities};
use std::path::Path;

/// The family.
#[derive(Debug)]
pub struct Components;

/// The family's name.
const FAMILY: &str = "components";

impl Family for Components {
    fn name(&self) -> &'static str {
        FAMILY
    }

    fn summary(&self) -> &'static str {
        "Components that were not written for bench-host"
    }

    fn adapters(&self) -> Adapters {
        &[
            &calls::Calls,
            &commands::Commands,
            #[cfg(feature = "core-modules")]
            &core_modules::CoreModules,
        ]
    }

    fn capabilities(&self) -> Capabilities {
        &[&stopwatch::StopwatchCapability]
    }

    fn native_program(
        &self,
        program: &Path,
        descriptor: &Descriptor,
        grants: &Grants,
    ) -> Option<Result<Box<dyn Module>, String>> {
        let is_command = descriptor.scenarios.iter().any(|scenario| scenario.name == commands::SCENARIO);
        is_command.then(|| {
            let command = commands::NativeCommand::new(program, descriptor.clone(), grants.clone())?;
            Ok(Box::new(command) as Box<dyn Module>)
        })
    }

    fn reaches(&self, scenario: &Scenario, arguments: &Arguments) -> Vec<Reach> {
        commands::reaches(scenario, arguments)
    }

    fn options(&self) -> &'static [Shorthand] {
        const OPTIONS: &[Shorthand] = &[
            Shorthand {
                long: "call",
                parameter: calls::CALL,
                takes: Takes::Each("CALL"),
                help: "Call an exported function of a component, such as 'add(1, 2)', in WAVE notation; may be given several times",
            },
            Shorthand {
                long: "args",
                parameter: "args",
                takes: Takes::Text("ARGUMENTS"),
                help: "Arguments of a command, such as '-n 3 \"two words\"'",
            },
            Shorthand {
                long: "stdin",
                parameter: "stdin",
                takes: Takes::One("FILE"),
                help: "The file that is the standard input of a command [default: none]",
            },
            Shorthand {
                long: "expect",
                parameter: calls::EXPECT,
                takes: Takes::Text("RESULT"),
                help: "Expected result of every operation: a value in WAVE notation, the output of a command, or @FILE \
                       [default: the result of the first operation]",
            },
        ];
        OPTIONS
    }
}
