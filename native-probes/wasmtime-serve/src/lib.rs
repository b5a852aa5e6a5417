//! Describes what `wasmtime-serve-peer` serves: requests to the function, behind the engine without the host.

use bench_model::{Arguments, Arm, Descriptor, ModuleError, Scenario, Session};
use probe_abi::{Host, Probe, export_probe};

/// The probe.
#[derive(Debug)]
pub struct WasmtimeServe;

impl Probe for WasmtimeServe {
    fn describe() -> Descriptor {
        let summary = "the component of the function behind the engine alone, an instance for each request";
        Descriptor::new("wasmtime-serve", env!("CARGO_PKG_VERSION"), summary)
            .scenario(Scenario::uses("function", "request").in_arms([Arm::Process]))
    }

    fn open(scenario: &str, _: &Arguments, _: Host) -> Result<Box<dyn Session>, ModuleError> {
        Err(match scenario {
            "request" => ModuleError::Unavailable("`request` can only be run by the driver `function`".to_owned()),
            other => ModuleError::UnknownScenario(other.to_owned()),
        })
    }
}

export_probe!(WasmtimeServe);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_served_by_a_process_alone() {
        let scenarios = WasmtimeServe::describe().scenarios;
        assert_eq!(scenarios.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>(), ["request"]);
        assert!(scenarios[0].runs_in(Arm::Process) && !scenarios[0].runs_in(Arm::Native));
    }
}
