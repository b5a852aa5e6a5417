//! Components and probes that carry batches, as the drivers meet them.

mod components;
mod probes;
mod report;

use bench_drivers::Module;
use bench_model::Scenario;

/// The scenario of this name.
fn scenario(module: &dyn Module, name: &str) -> Scenario {
    module.descriptor().scenarios.iter().find(|scenario| scenario.name == name).expect("the module has it").clone()
}
