//! The family `operators`: its driver, programs and command-line options.

use super::operator_program;
use bench_drivers::Driver;
use bench_drivers::operators::OperatorDriver;
use bench_family::{Family, Program, Shorthand, Takes};

/// The family.
pub(crate) struct Operators;

impl Family for Operators {
    fn name(&self) -> &'static str {
        "operators"
    }

    fn summary(&self) -> &'static str {
        "Chains of operators"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&OperatorDriver]
    }

    fn programs(&self) -> &'static [Program] {
        &[operator_program::OPERATORS]
    }

    fn options(&self) -> &'static [Shorthand] {
        &[
            Shorthand {
                long: "count",
                parameter: "count",
                takes: Takes::Many("N[,N…]"),
                help: "Number of operators; each value makes cells of its own (same as `-p count=…`)",
            },
            Shorthand {
                long: "rate",
                parameter: "rate",
                takes: Takes::Many("N[,N…]"),
                help: "Open-loop send rate per second; 0 sends the next one when the last has arrived (same as `-p rate=…`)",
            },
            Shorthand {
                long: "control-plane",
                parameter: "control_plane",
                takes: Takes::One("NAME"),
                help: "Control plane that holds the objects: embedded, or kube for the API server of your kubeconfig (same as `-p control_plane=…`)",
            },
            Shorthand {
                long: "suspend",
                parameter: "suspend",
                takes: Takes::One("WHAT"),
                help: "What is kept of an unloaded operator: own for the state that it saves, or memory for an image of its memory (same as `-p suspend=…`)",
            },
        ]
    }
}
