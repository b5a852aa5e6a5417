//! An operator of the family `operators` in Rust: one link of a chain, as a component and in process.

mod relay;

use bench_plugin::prelude::*;
use relay::Relay;

struct OperatorRust;

/// The driver, which specifies the scenario.
const DRIVER: &str = "operator";

impl Plugin for OperatorRust {
    fn describe() -> Descriptor {
        let version = env!("CARGO_PKG_VERSION");
        Descriptor::new(
            "operator-rust",
            version,
            "Operators in Rust, each of which copies what it sees to the next namespace.",
        )
        .scenario(chain())
    }

    fn open(scenario: &str, _arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "chain" => Err(ModuleError::Unavailable(format!("`chain` can only be run by the driver `{DRIVER}`"))),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

/// The scenario of the driver, in which operators of another module can take every second place.
fn chain() -> Scenario {
    let other =
        Parameter::new("every_other", "", "a scenario of another module, whose operators take every second place");
    Scenario::uses(DRIVER, "chain")
        .parameter(other)
        .can_use("module:every_other", "another module for every second operator")
}

bench_plugin::export_operator!(OperatorRust, Relay);

/// The operator in a process of its own.
#[cfg(not(target_family = "wasm"))]
pub fn main() -> std::process::ExitCode {
    bench_plugin::operator::main::<OperatorRust, Relay>()
}
