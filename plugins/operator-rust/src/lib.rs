//! An operator of the family `operators`, in Rust: one link of a chain, as a component and in process. It must not know how
//! long the chain is, nor who measures it.

mod relay;

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;
use relay::Relay;

struct OperatorRust;

impl Plugin for OperatorRust {
    fn describe() -> Descriptor {
        let version = env!("CARGO_PKG_VERSION");
        Descriptor::new("operator-rust", version, "Operators in Rust, each of which applies what it sees to the next.")
            .scenario(chain())
    }

    fn open(scenario: &str, _arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "chain" => Err(ModuleError::Unavailable("`chain` is for the driver `operator` alone".to_owned())),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

/// A nonce that goes from namespace to namespace.
fn chain() -> Scenario {
    let count = Parameter::new("count", 10, "operators, each of which watches one namespace and writes into the next");
    let rate = Parameter::new(
        "rate",
        0,
        "nonces a second, whether those before have arrived or not; 0 is one after the other",
    );
    let idle = Parameter::new("idle_ms", 2000, "for how long an operator has nothing to do before it is unloaded");
    let deadline = Parameter::new("deadline_ms", 10_000, "after how long a nonce that has not arrived is late");
    let other =
        Parameter::new("every_other", "", "the scenario of another module, whose operators take every second place");
    let plane =
        Parameter::new("control_plane", "embedded", "where objects are kept: in the worker, or by an API server");
    let suspend =
        Parameter::new("suspend", "own", "what is kept of an operator: what it says, or an image of its memory");
    let clock = "from a nonce being meant to be written to it being seen behind the last operator, all of them loaded";
    let scenario =
        Scenario::new("chain", "operators", "A nonce goes through all namespaces, an operator between each two.")
            .driven_by("operator")
            .in_arms([Arm::Wasm, Arm::Native, Arm::Process])
            .times_itself(Unit::Nanoseconds, clock)
            .parameter(count.between(1, 10_000))
            .parameter(rate.unit(Unit::from("1/s")).between(0, 1_000_000))
            .parameter(idle.unit(Unit::from("ms")).between(1, 600_000))
            .parameter(deadline.unit(Unit::from("ms")).between(1, 600_000))
            .parameter(other)
            .parameter(plane.choices(["embedded", "kube"]))
            .parameter(suspend.choices(["own", "memory"]))
            .can_use("module:every_other", "every second operator is of another module, where one is named");
    measures().into_iter().fold(scenario, Scenario::metric)
}

/// What the driver records beside the chain.
fn measures() -> Vec<Metric> {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let bytes = |name, summary| Metric::new(name, Unit::Bytes, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    vec![
        ns("hop", "The time of a chain, divided by its operators."),
        ns("load", "One operator made, started and watching."),
        ns("load_all", "All operators made, started and watching."),
        ns("unload", "One operator suspended and dropped."),
        ns("wake", "From an event being taken to it being reconciled by an operator that was unloaded."),
        ns("chain_cold", "From a nonce being written to it being seen behind the last operator, all of them unloaded."),
        bytes("state", "What one operator keeps while it is unloaded."),
        bytes("memory_pss", "Proportional set size of the worker and of its operators' processes.").label("phase"),
        bytes("memory_private", "Private memory of the worker and of its operators' processes.").label("phase"),
        ns("memory_at", "When memory was looked at, since the first operator was made.").label("phase"),
        count("sent", "Nonces written into the first namespace."),
        count("seen", "Nonces seen behind the last operator in time."),
        count("late", "Nonces seen behind the last operator after the deadline."),
        count("failed", "Nonces not seen behind the last operator."),
        count("retried", "Times that an event was tried again."),
    ]
}

bench_plugin::export_operator!(OperatorRust, Relay);

/// The operator in a process of its own.
#[cfg(not(target_family = "wasm"))]
pub fn main() -> std::process::ExitCode {
    bench_plugin::operator::main::<OperatorRust, Relay>()
}
