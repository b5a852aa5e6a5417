//! What the driver `function` measures: scenarios, parameters, metrics and needs, said once. It must not know how.

use bench_model::{Arm, Direction, Metric, Parameter, Scenario, Unit};

/// The family's name.
pub(crate) const FAMILY: &str = "serverless";

/// The driver's name.
pub(crate) const DRIVER: &str = "function";

/// Its scenarios.
pub(crate) const COLD_START: &str = "cold-start";
pub(crate) const REQUEST: &str = "request";

const MIB: i64 = 1 << 20;

fn scenario(name: &str, summary: &str) -> Scenario {
    Scenario::new(name, FAMILY, summary).driven_by(DRIVER)
}

/// From nothing to the first answer.
pub(crate) fn cold_start() -> Scenario {
    let start = Parameter::new(
        "start",
        "wasm-pooled",
        "what is there when the clock starts: the bytes of the component (wasm-compile), its compiled code in a file (wasm-cached), its code in memory (wasm-pooled), or its code with the memory of an initialised instance (wasm-preinitialised)",
    );
    let kinds = ["wasm-compile", "wasm-cached", "wasm-pooled", "wasm-preinitialised"];
    let clock =
        "the clock starts when a start is asked for and stops when the whole answer to the first request is there";
    scenario(COLD_START, "Starts the function and has its first request answered.")
        .in_arms([Arm::Wasm])
        .times_itself(Unit::Nanoseconds, clock)
        .parameter(start.sweep(kinds).choices(kinds))
        .parameter(heap_bytes())
        .parameter(init_ms())
        .metric(
            Metric::new("stage", Unit::Nanoseconds, "One part of a cold start; the parts follow each other.")
                .label("name"),
        )
}

/// One request of many, over HTTP.
pub(crate) fn request() -> Scenario {
    let rate = Parameter::new(
        "rate",
        0,
        "requests a second, whether the ones before are answered or not; 0 sends each when its connection is free",
    );
    let p99 = Parameter::new(
        "p99_us_max",
        0,
        "looks for the highest rate, up to `rate` where that is given, at which p99 of the response stays under this; 0 keeps `rate`",
    );
    let concurrency = Parameter::new("concurrency", 1, "connections, kept alive");
    let instance = Parameter::new(
        "instance",
        "reused",
        "whether every request has an instance of its own, started in whichever way takes least",
    );
    let clock = "the clock starts when the request is meant to be sent and stops when its whole answer is there";
    let request = scenario(REQUEST, "Sends one request over a connection that is kept alive, and has it answered.")
        .in_arms([Arm::Wasm, Arm::Native, Arm::Process])
        .times_itself(Unit::Nanoseconds, clock)
        .requires("cpu:2", "client and server have a processor each")
        .parameter(rate.unit(Unit::from("1/s")).between(0, 10_000_000))
        .parameter(p99.unit(Unit::from("us")).between(0, 60_000_000))
        .parameter(concurrency.between(1, 64))
        .parameter(instance.choices(["reused", "per-request"]))
        .parameter(heap_bytes())
        .parameter(init_ms());
    request_metrics().into_iter().fold(request, Scenario::metric)
}

fn request_metrics() -> [Metric; 7] {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    let highest = "The highest rate of a process that was found, where one was looked for.";
    [
        ns("service", "From the call of the handler until its answer is there; where the host serves."),
        ns("queue", "From the request being sent until its handler is called; where the host serves."),
        ns("connect", "From asking for a connection until there is one."),
        Metric::new("highest_rate", Unit::from("1/s"), highest).direction(Direction::HigherIsBetter),
        count("late", "Requests of a process sent more than 1 ms after they were meant to be."),
        count("failed", "Requests of a process that were not answered as they should be."),
        count(
            "shed",
            "Requests of a process that were not sent, because they were a second late, or late when the time was over.",
        ),
    ]
}

fn heap_bytes() -> Parameter {
    Parameter::new("heap_bytes", MIB, "memory that is filled before the first request")
        .unit(Unit::Bytes)
        .between(1, 1024 * MIB)
}

fn init_ms() -> Parameter {
    Parameter::new("init_ms", 0, "for how long the function works before the first request")
        .unit(Unit::from("ms"))
        .between(0, 10_000)
}
