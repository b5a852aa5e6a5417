//! The family `operators`: operators that watch a control plane, many in one worker. It holds the specification, the driver, and one
//! adapter per kind of module.

#![deny(unsafe_code)]

mod driver;
#[expect(unsafe_code, reason = "a probe's functions are called, and it calls those of the control plane")]
mod native;
mod operators;
mod process;
mod spec;
mod wasm;

pub use operators::{
    Event, Factory, Key, Object, Operator, Operators, Plane, PlaneError, Scope, Suspension, operators,
};

use bench_drivers::Driver;
use bench_family::{Family, Program, Shorthand, Takes};
use bench_wasm::Capabilities;

/// The family.
#[derive(Debug)]
pub struct OperatorFamily;

impl Family for OperatorFamily {
    fn name(&self) -> &'static str {
        spec::FAMILY
    }

    fn summary(&self) -> &'static str {
        "Chains of operators"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&driver::OperatorDriver]
    }

    fn capabilities(&self) -> Capabilities {
        &[&wasm::ControlPlane]
    }

    fn programs(&self) -> &'static [Program] {
        &[process::OPERATORS]
    }

    fn options(&self) -> &'static [Shorthand] {
        &[
            Shorthand {
                long: "count",
                parameter: spec::COUNT,
                takes: Takes::Many("N[,N…]"),
                help: "Number of operators; each value makes cells of its own (same as `-p count=…`)",
            },
            Shorthand {
                long: "rate",
                parameter: spec::RATE,
                takes: Takes::Many("N[,N…]"),
                help: "Open-loop send rate per second; 0 sends the next one when the last has arrived (same as `-p rate=…`)",
            },
            Shorthand {
                long: "control-plane",
                parameter: spec::CONTROL_PLANE,
                takes: Takes::One("NAME"),
                help: "Control plane that holds the objects: embedded, or kube for the API server of your kubeconfig (same as `-p control_plane=…`)",
            },
            Shorthand {
                long: "suspend",
                parameter: spec::SUSPEND,
                takes: Takes::One("WHAT"),
                help: "What is kept of an unloaded operator: own for the state that it saves, or memory for an image of its memory (same as `-p suspend=…`)",
            },
        ]
    }
}
