//! What the family `operators` offers.

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
                help: "How many operators; several are an axis (`-p count=…`)",
            },
            Shorthand {
                long: "rate",
                parameter: "rate",
                takes: Takes::Many("N[,N…]"),
                help: "Nonces a second, whether those before have arrived or not; 0 is one after the other (`-p rate=…`)",
            },
            Shorthand {
                long: "control-plane",
                parameter: "control_plane",
                takes: Takes::One("NAME"),
                help: "Where objects are kept: embedded, or kube for the API server of your kubeconfig (`-p control_plane=…`)",
            },
            Shorthand {
                long: "suspend",
                parameter: "suspend",
                takes: Takes::One("WHAT"),
                help: "What is kept of an unloaded operator: own, or memory for an image of it (`-p suspend=…`)",
            },
        ]
    }
}
