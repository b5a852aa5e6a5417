//! An operator of the family `operators` in Rust: one link of a chain, as a component and in process.

mod relay;

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;
use relay::Relay;

struct OperatorRust;

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
            "chain" => Err(ModuleError::Unavailable("`chain` can only be run by the driver `operator`".to_owned())),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

/// The scenario: a token that passes from namespace to namespace.
fn chain() -> Scenario {
    let count = Parameter::new("count", 10, "operators, each of which watches one namespace and writes into the next");
    let rate = Parameter::new(
        "rate",
        0,
        "open-loop send rate in tokens per second; 0 sends the next token when the last has arrived",
    );
    let idle = Parameter::new("idle_ms", 2000, "idle time after which an operator is unloaded");
    let deadline = Parameter::new("deadline_ms", 10_000, "time after which a token counts as late");
    let other =
        Parameter::new("every_other", "", "a scenario of another module, whose operators take every second place");
    let plane = Parameter::new(
        "control_plane",
        "embedded",
        "where API objects are stored: in the worker (embedded), or in the API server of a kubeconfig (kube)",
    );
    let suspend = Parameter::new(
        "suspend",
        "own",
        "what is kept of an unloaded operator: the state that it exports (own), or an image of its memory (memory)",
    );
    let clock =
        "from when a token is due to be written until it is seen behind the last operator, with all operators loaded";
    let scenario = Scenario::new(
        "chain",
        "operators",
        "A token passes through all namespaces, with one operator between each two.",
    )
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
    .can_use("module:every_other", "another module for every second operator");
    measures().into_iter().fold(scenario, Scenario::metric)
}

/// Metrics that the driver records besides the chain.
fn measures() -> Vec<Metric> {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let bytes = |name, summary| Metric::new(name, Unit::Bytes, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    vec![
        ns("hop", "The time of a chain divided by the number of its operators."),
        ns("load", "One operator instantiated, started and watching."),
        ns("load_all", "All operators instantiated, started and watching."),
        ns("unload", "One operator suspended and dropped."),
        ns("wake", "From taking an event until an operator that was unloaded has reconciled it."),
        ns(
            "chain_cold",
            "From writing a token until it is seen behind the last operator, with all operators unloaded.",
        ),
        bytes("state", "Bytes that are kept of one unloaded operator."),
        bytes("memory_pss", "Proportional set size (PSS) of the worker and its operator processes.").label("phase"),
        bytes("memory_private", "Private memory of the worker and its operator processes.").label("phase"),
        ns("memory_at", "Time of the memory measurement since the first operator was instantiated.").label("phase"),
        count("sent", "Tokens written into the first namespace."),
        count("seen", "Tokens seen behind the last operator in time."),
        count("late", "Tokens seen behind the last operator after the deadline."),
        count("failed", "Tokens not seen behind the last operator."),
        count("retried", "Retries of events."),
    ]
}

bench_plugin::export_operator!(OperatorRust, Relay);

/// The operator in a process of its own.
#[cfg(not(target_family = "wasm"))]
pub fn main() -> std::process::ExitCode {
    bench_plugin::operator::main::<OperatorRust, Relay>()
}
