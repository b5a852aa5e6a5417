//! The function of the family `serverless`: as a component behind `wasi:http`, and in process.

#[cfg(target_family = "wasm")]
mod component;
mod in_process;

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;

struct Function;

/// Specifies what is not specified here.
const DRIVER: &str = "function";

const MIB: i64 = 1 << 20;

impl Plugin for Function {
    fn describe() -> Descriptor {
        Descriptor::new("function", env!("CARGO_PKG_VERSION"), "A function that prices, renders and hashes an order.")
            .scenario(handle())
            .scenario(Scenario::uses(DRIVER, "cold-start"))
            .scenario(Scenario::uses(DRIVER, "request"))
    }

    fn open(scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "handle" => in_process::open(arguments),
            "cold-start" | "request" => {
                Err(ModuleError::Unavailable(format!("`{scenario}` can only be run by the driver `function`")))
            }
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

/// The work of one request, without a server.
fn handle() -> Scenario {
    Scenario::new("handle", "serverless", "Handles one request in process, without connection, HTTP or start.")
        .in_arms([Arm::Wasm, Arm::Native, Arm::NativeCpu])
        .parameter(heap_bytes())
}

fn heap_bytes() -> Parameter {
    Parameter::new("heap_bytes", MIB, "bytes of memory that the function initialises before its first request")
        .unit(Unit::Bytes)
        .between(1, 1024 * MIB)
}

#[cfg(target_family = "wasm")]
bench_plugin::export!(Function);

#[cfg(not(target_family = "wasm"))]
probe_abi::export_probe!(in_process::InPlace);
