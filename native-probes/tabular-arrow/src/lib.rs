//! The probe `tabular-arrow`: Arrow's own readers and writers of CSV, JSON and Parquet, called as their own benchmarks call them, over the
//! same rows as the stages of the plug-in `tabular`. It is what those are measured against.

mod allocated;
mod batches;
mod session;
mod stage;

use bench_model::{Arguments, Arm, Descriptor, ModuleError, Parameter, Scenario, Session};
use probe_abi::{Host, Probe, export_probe};
use stage::Stage;
use table_core::allocator::Counting;

/// The system's, as without it, which costs a load and a branch more while nothing is counted.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The probe.
#[derive(Debug)]
pub struct Arrow;

impl Probe for Arrow {
    fn describe() -> Descriptor {
        let summary = "Arrow's own readers and writers.";
        let descriptor = Descriptor::new("tabular-arrow", env!("CARGO_PKG_VERSION"), summary);
        Stage::ALL.into_iter().map(describe).fold(descriptor, Descriptor::scenario)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are discarded.
pub fn open(scenario: &str, arguments: &Arguments, host: Option<Host>) -> Result<Box<dyn Session>, ModuleError> {
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == scenario);
    let stage = stage.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
    Ok(Box::new(session::Bare::open(stage, arguments, host)?))
}

export_probe!(Arrow);

fn describe(stage: Stage) -> Scenario {
    let parameters = [
        Parameter::new("rows", 20_000, "number of genes").between(0, 10_000_000),
        Parameter::new("seed", 1, "which rows the generator makes; the same as in other modules").between(0, i64::MAX),
    ];
    let scenario = Scenario::new(stage.name(), "tabular", stage.summary()).in_arms([Arm::Native]);
    let scenario = allocated::described(scenario);
    parameters.into_iter().fold(scenario, Scenario::parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        Arrow::describe().validate().unwrap();
    }
}
