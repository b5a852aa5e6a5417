//! The specification of the driver `operator`: its scenario, parameters, metrics and requirements. A module names the scenario and
//! overrides what differs.

use bench_model::{Arm, Direction, Metric, Parameter, Scenario, Unit};

/// The name of the family.
pub(crate) const FAMILY: &str = "operators";

/// The name of the driver.
pub(crate) const DRIVER: &str = "operator";

/// The name of its scenario.
pub(crate) const CHAIN: &str = "chain";

/// The names of the parameters that the driver reads. Operators are started with all others.
pub(crate) const COUNT: &str = "count";
pub(crate) const RATE: &str = "rate";
pub(crate) const IDLE_MS: &str = "idle_ms";
pub(crate) const DEADLINE_MS: &str = "deadline_ms";
pub(crate) const CONTROL_PLANE: &str = "control_plane";
pub(crate) const SUSPEND: &str = "suspend";

/// The values of [`CONTROL_PLANE`].
pub(crate) const EMBEDDED: &str = "embedded";
pub(crate) const KUBE: &str = "kube";

/// The names of the metrics. The time of a chain has the name of the scenario, [`CHAIN`].
pub(crate) mod metric {
    pub(crate) const HOP: &str = "hop";
    pub(crate) const LOAD: &str = "load";
    pub(crate) const LOAD_ALL: &str = "load_all";
    pub(crate) const UNLOAD: &str = "unload";
    pub(crate) const WAKE: &str = "wake";
    pub(crate) const CHAIN_COLD: &str = "chain_cold";
    pub(crate) const STATE: &str = "state";
    pub(crate) const MEMORY_PSS: &str = "memory_pss";
    pub(crate) const MEMORY_PRIVATE: &str = "memory_private";
    pub(crate) const MEMORY_AT: &str = "memory_at";
    pub(crate) const SENT: &str = "sent";
    pub(crate) const SEEN: &str = "seen";
    pub(crate) const LATE: &str = "late";
    pub(crate) const FAILED: &str = "failed";
    pub(crate) const RETRIED: &str = "retried";
}

/// The label of the metrics of memory.
pub(crate) const PHASE: &str = "phase";

/// The scenario: a token that passes from namespace to namespace.
pub(crate) fn chain() -> Scenario {
    let clock =
        "from when a token is due to be written until it is seen behind the last operator, with all operators loaded";
    let scenario =
        Scenario::new(CHAIN, FAMILY, "A token passes through all namespaces, with one operator between each two.")
            .driven_by(DRIVER)
            .in_arms([Arm::Wasm, Arm::Native, Arm::Process])
            .times_itself(Unit::Nanoseconds, clock);
    let scenario = parameters().into_iter().fold(scenario, Scenario::parameter);
    measures().into_iter().fold(scenario, Scenario::metric)
}

fn parameters() -> [Parameter; 6] {
    let count = Parameter::new(COUNT, 10, "operators, each of which watches one namespace and writes into the next");
    let rate = Parameter::new(
        RATE,
        0,
        "open-loop send rate in tokens per second; 0 sends the next token when the last has arrived",
    );
    let idle = Parameter::new(IDLE_MS, 2000, "idle time after which an operator is unloaded");
    let deadline = Parameter::new(DEADLINE_MS, 10_000, "time after which a token counts as late");
    let plane = Parameter::new(
        CONTROL_PLANE,
        EMBEDDED,
        "where API objects are stored: in the worker (embedded), or in the API server of a kubeconfig (kube)",
    );
    let suspend = Parameter::new(
        SUSPEND,
        "own",
        "what is kept of an unloaded operator: the state that it exports (own), or an image of its memory (memory)",
    );
    [
        count.between(1, 10_000),
        rate.unit(Unit::from("1/s")).between(0, 1_000_000),
        idle.unit(Unit::from("ms")).between(1, 600_000),
        deadline.unit(Unit::from("ms")).between(1, 600_000),
        plane.choices([EMBEDDED, KUBE]),
        suspend.choices(["own", "memory"]),
    ]
}

/// The metrics besides the time of a chain.
fn measures() -> [Metric; 15] {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let bytes = |name, summary| Metric::new(name, Unit::Bytes, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    [
        ns(metric::HOP, "The time of a chain divided by the number of its operators."),
        ns(metric::LOAD, "One operator instantiated, started and watching."),
        ns(metric::LOAD_ALL, "All operators instantiated, started and watching."),
        ns(metric::UNLOAD, "One operator suspended and dropped."),
        ns(metric::WAKE, "From taking an event until an operator that was unloaded has reconciled it."),
        ns(
            metric::CHAIN_COLD,
            "From writing a token until it is seen behind the last operator, with all operators unloaded.",
        ),
        bytes(metric::STATE, "Bytes that are kept of one unloaded operator."),
        bytes(metric::MEMORY_PSS, "Proportional set size (PSS) of the worker and its operator processes.").label(PHASE),
        bytes(metric::MEMORY_PRIVATE, "Private memory of the worker and its operator processes.").label(PHASE),
        ns(metric::MEMORY_AT, "Time of the memory measurement since the first operator was instantiated.").label(PHASE),
        count(metric::SENT, "Tokens written into the first namespace."),
        count(metric::SEEN, "Tokens seen behind the last operator in time."),
        count(metric::LATE, "Tokens seen behind the last operator after the deadline."),
        count(metric::FAILED, "Tokens not seen behind the last operator."),
        count(metric::RETRIED, "Retries of events."),
    ]
}
