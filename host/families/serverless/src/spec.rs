//! The specification of the driver `function`: scenarios, parameters, metrics and requirements.

use bench_model::{Arm, Direction, Metric, Parameter, Scenario, Unit};

/// The family's name.
pub(crate) const FAMILY: &str = "serverless";

/// The driver's name.
pub(crate) const DRIVER: &str = "function";

/// The name of the driver of components that were not written for bench-host.
pub(crate) const HANDLER_DRIVER: &str = "handler";

/// Its scenarios.
pub(crate) const COLD_START: &str = "cold-start";
pub(crate) const REQUEST: &str = "request";

/// The metrics of an observed request: its parts by name, and calls of the host.
pub(crate) const STAGE: &str = "stage";
pub(crate) const HOST_CALLS: &str = "host_calls";

const MIB: i64 = 1 << 20;

fn scenario(name: &str, summary: &str) -> Scenario {
    Scenario::new(name, FAMILY, summary).driven_by(DRIVER)
}

/// The scenario of the driver `workload` of such components.
pub(crate) const HANDLE: &str = "handle";

/// Whether requests share an instance.
pub(crate) const INSTANCE: &str = "instance";
pub(crate) const REUSED: &str = "reused";
const PER_REQUEST: &str = "per-request";

/// The parameters of the driver `handler`.
pub(crate) const REQUEST_FILE: &str = "request";
pub(crate) const METHOD: &str = "method";
pub(crate) const PATH: &str = "path";
pub(crate) const HEADERS: &str = "headers";
pub(crate) const BODY: &str = "body";
pub(crate) const STATUS: &str = "status";
pub(crate) const EXPECT: &str = "expect";

/// The name of its check.
pub(crate) const FIRST_RESPONSE: &str = "first-response";

/// From the request to start to the first response.
pub(crate) fn cold_start() -> Scenario {
    let start = Parameter::new(
        "start",
        "wasm-pooled",
        "what exists when the clock starts: the bytes of the component (wasm-compile), its compiled code in a file (wasm-cached), its code in memory (wasm-pooled), or its code with the memory of an initialised instance (wasm-preinitialised)",
    );
    let kinds = ["wasm-compile", "wasm-cached", "wasm-pooled", "wasm-preinitialised"];
    let scenario = scenario(COLD_START, "Starts the function and waits for its first response.");
    cold_start_metrics(scenario)
        .parameter(start.sweep(kinds).choices(kinds))
        .parameter(heap_bytes())
        .parameter(init_ms())
}

/// The same for a component that was not written for bench-host. Compiling a large one takes minutes, so that is not a default.
pub(crate) fn handler_cold_start() -> Scenario {
    let start = Parameter::new(
        "start",
        "wasm-pooled",
        "what exists when the clock starts: the bytes of the component (wasm-compile), its compiled code in a file (wasm-cached), or its code in memory (wasm-pooled)",
    );
    let summary = "Starts the component and waits for its first response.";
    let scenario = cold_start_metrics(scenario(COLD_START, summary).driven_by(HANDLER_DRIVER))
        .parameter(start.sweep(["wasm-cached", "wasm-pooled"]).choices(["wasm-compile", "wasm-cached", "wasm-pooled"]));
    http_parameters().into_iter().fold(scenario, Scenario::parameter)
}

fn cold_start_metrics(scenario: Scenario) -> Scenario {
    let clock = "from the request to start until the first response is complete";
    let stage = "One stage of a cold start; stages follow each other without gaps.";
    scenario
        .in_arms([Arm::Wasm])
        .times_itself(Unit::Nanoseconds, clock)
        .metric(Metric::new("stage", Unit::Nanoseconds, stage).label("name"))
}

/// One HTTP request of a load.
pub(crate) fn request() -> Scenario {
    let request = scenario(REQUEST, "Sends one request over a keep-alive connection and waits for its response.")
        .in_arms([Arm::Wasm, Arm::Native, Arm::Process]);
    load(request, REUSED).parameter(heap_bytes()).parameter(init_ms())
}

/// The same of a component that was not written for bench-host. Servers of such components make an instance for each request.
pub(crate) fn handler_request() -> Scenario {
    let request = scenario(REQUEST, "Sends one request over a keep-alive connection and waits for its response.")
        .driven_by(HANDLER_DRIVER)
        .in_arms([Arm::Wasm]);
    http_parameters().into_iter().fold(load(request, PER_REQUEST), Scenario::parameter)
}

/// The handler of such a component, called in place: without a server and its threads, so that builds can be compared interleaved.
pub(crate) fn handler_handle() -> Scenario {
    let handle = Scenario::new(HANDLE, FAMILY, "Answers one request in place, without a server.").in_arms([Arm::Wasm]);
    let instance = Parameter::new(
        INSTANCE,
        PER_REQUEST,
        "whether every request gets an instance of its own, which is timed with it",
    );
    let handle = http_parameters().into_iter().fold(handle, Scenario::parameter);
    handle.parameter(instance.choices([REUSED, PER_REQUEST]))
}

/// The request that a component is sent, and the response that it must have.
fn http_parameters() -> [Parameter; 7] {
    [
        Parameter::new(METHOD, "GET", "the method of the request"),
        Parameter::new(PATH, "/", "its path and query"),
        Parameter::new(HEADERS, "", "its headers, `Name: value`, one a line"),
        Parameter::new(BODY, "", "its body"),
        Parameter::new(REQUEST_FILE, "", "a file with the whole request, instead of these"),
        Parameter::new(STATUS, 200, "the status that every response must have"),
        Parameter::new(EXPECT, "", "the body that every response must have, or @FILE; empty: that of the first one"),
    ]
}

/// What a load has: when its requests are sent, over how many connections, and what is recorded.
fn load(scenario: Scenario, instance_default: &str) -> Scenario {
    let rate = Parameter::new(
        "rate",
        0,
        "open-loop arrival rate in requests per second; 0 is a closed loop, where each connection sends when it has its response",
    );
    let p99 = Parameter::new(
        "p99_us_max",
        0,
        "searches the highest rate, at most `rate` if that is not 0, at which the p99 response time stays below this; 0 runs at `rate`",
    );
    let concurrency = Parameter::new("concurrency", 1, "keep-alive connections");
    let instance = Parameter::new(
        INSTANCE,
        instance_default,
        "whether every request gets an instance of its own, with the fastest start method",
    );
    let clock = "from when the request is due until its response is complete";
    let scenario = scenario
        .times_itself(Unit::Nanoseconds, clock)
        .requires("cpu:2", "a processor each for client and server")
        .parameter(rate.unit(Unit::from("1/s")).between(0, 10_000_000))
        .parameter(p99.unit(Unit::from("us")).between(0, 60_000_000))
        .parameter(concurrency.between(1, 64))
        .parameter(instance.choices([REUSED, PER_REQUEST]));
    request_metrics().into_iter().fold(scenario, Scenario::metric)
}

fn request_metrics() -> [Metric; 9] {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    let stage = "One part of a call that is observed when the load is over, of components only: `component` is its own code, `host` are functions of the \
                 host that it calls, `around` is making the request and taking the response; with an instance for each request also `start` \
                 and `clear`. Each crossing includes a reading of the clock.";
    let highest = "The highest rate that the search found, one per process.";
    [
        ns("service", "From the call of the handler until its response is complete; only if the host is the server."),
        ns("queue", "From sending the request until its handler is called; only if the host is the server."),
        ns(STAGE, stage).label("name"),
        count(HOST_CALLS, "Functions of the host that the component calls in an observed call, and of the engine."),
        ns("connect", "From requesting a connection until it is established."),
        Metric::new("highest_rate", Unit::from("1/s"), highest).direction(Direction::HigherIsBetter),
        count("late", "Requests that were sent more than 1 ms after they were due, per process."),
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
