//! The family `operators`: operators that watch a control plane, many in one worker. It holds the specification, the driver, and one
//! adapter per kind of module.

#![deny(unsafe_code)]

mod driver;
#[expect(unsafe_code, reason = "a probe's functions are called, and it calls those of the control plane")]
mod native;
mod operators;
mod process;
mod report;
mod spec;
mod wasm;

pub use operators::{
    Event, Factory, Key, Object, Operator, Operators, Plane, PlaneError, Scope, Suspension, operators,
};

use bench_drivers::Driver;
use bench_family::{Family, Program, Reach, Shorthand, Takes};
use bench_model::{Arguments, Scenario};
use bench_report::FamilyReport;
use bench_wasm::Capabilities;
use std::time::Duration;

/// The time in which any operator is loaded, handles an event and is unloaded, also as a process that was just started.
const OPERATOR: Duration = Duration::from_millis(10);

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

    /// Every operator is loaded, and handles an event of each chain twice: loaded, and unloaded. Between the two, the chain idles. Each of
    /// its three loops waits once for a token that is lost, for twice the deadline of tokens.
    fn extra_deadline(&self, scenario: &Scenario, arguments: &Arguments, repetitions: u64) -> Duration {
        let Ok(count) = arguments.integer(spec::COUNT) else { return Duration::ZERO };
        if scenario.driver != spec::DRIVER {
            return Duration::ZERO;
        }
        let of = |name| arguments.integer(name).map_or(0, i64::unsigned_abs);
        let events = count.unsigned_abs().saturating_mul(repetitions.saturating_mul(2).saturating_add(2));
        let sending = repetitions.saturating_mul(1_000_000_000).checked_div(of(spec::RATE)).unwrap_or_default();
        let idle = Duration::from_millis(of(spec::IDLE_MS).saturating_mul(2));
        let lost = Duration::from_millis(of(spec::DEADLINE_MS).saturating_mul(3 * 2));
        OPERATOR.saturating_mul(u32::try_from(events).unwrap_or(u32::MAX)) + idle + lost + Duration::from_nanos(sending)
    }

    fn reaches(&self, scenario: &Scenario, arguments: &Arguments) -> Vec<Reach> {
        let is_kube = scenario.driver == spec::DRIVER && arguments.text(spec::CONTROL_PLANE) == Ok(spec::KUBE);
        if is_kube { vec![Reach::Kubeconfig] } else { Vec::new() }
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&report::OperatorReport)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadline_grows_with_what_is_asked_for() {
        let check = |scenario: &Scenario, arguments: &[(&str, i64)], repetitions, expect_s| {
            let arguments: Arguments = arguments.iter().copied().collect();
            let extra = OperatorFamily.extra_deadline(scenario, &arguments, repetitions);
            assert_eq!(extra.as_secs(), expect_s, "{arguments} {repetitions}");
        };
        let chain = spec::chain();
        check(&chain, &[("count", 100), ("idle_ms", 2000)], 0, 6);
        check(&chain, &[("count", 100), ("idle_ms", 2000)], 1500, 3006);
        check(&chain, &[("count", 10_000)], 0, 200);
        check(&chain, &[("count", 1), ("rate", 10)], 100, 12);
        check(&chain, &[("count", 100), ("idle_ms", 2000), ("deadline_ms", 10_000)], 0, 66);
        check(&chain, &[], 1500, 0);
        check(&Scenario::new("other", spec::FAMILY, ""), &[("count", 100)], 1500, 0);
    }

    #[test]
    fn kubeconfig_is_reached_by_the_control_plane_kube_alone() {
        let check = |scenario: &Scenario, plane: &str, expect: &[Reach]| {
            let arguments: Arguments = [("control_plane", plane)].into_iter().collect();
            assert_eq!(OperatorFamily.reaches(scenario, &arguments), expect, "{plane}");
        };
        check(&spec::chain(), "kube", &[Reach::Kubeconfig]);
        check(&spec::chain(), "embedded", &[]);
        check(&Scenario::new("other", spec::FAMILY, ""), "kube", &[]);
    }
}
