//! The function of the family `serverless`: as a component behind `wasi:http`, and in process.

#[cfg(target_family = "wasm")]
mod component;
mod in_process;

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;

struct Function;

const MIB: i64 = 1 << 20;

impl Plugin for Function {
    fn describe() -> Descriptor {
        Descriptor::new("function", env!("CARGO_PKG_VERSION"), "A function that prices, renders and hashes an order.")
            .scenario(handle())
            .scenario(cold_start())
            .scenario(request())
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

/// From the request to start to the first response.
fn cold_start() -> Scenario {
    let start = Parameter::new(
        "start",
        "wasm-pooled",
        "what exists when the clock starts: the bytes of the component (wasm-compile), its compiled code in a file (wasm-cached), its code in memory (wasm-pooled), or its code with the memory of an initialised instance (wasm-preinitialised)",
    );
    let kinds = ["wasm-compile", "wasm-cached", "wasm-pooled", "wasm-preinitialised"];
    let clock = "from the request to start until the first response is complete";
    Scenario::new("cold-start", "serverless", "Starts the function and waits for its first response.")
        .driven_by("function")
        .in_arms([Arm::Wasm])
        .times_itself(Unit::Nanoseconds, clock)
        .parameter(start.sweep(kinds).choices(kinds))
        .parameter(heap_bytes())
        .parameter(init_ms())
        .metric(
            Metric::new(
                "stage",
                Unit::Nanoseconds,
                "One stage of a cold start; stages follow each other without gaps.",
            )
            .label("name"),
        )
}

/// One HTTP request of a load.
fn request() -> Scenario {
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
        "instance",
        "reused",
        "whether every request gets an instance of its own, with the fastest start method",
    );
    let clock = "from when the request is due until its response is complete";
    Scenario::new("request", "serverless", "Sends one request over a keep-alive connection and waits for its response.")
        .driven_by("function")
        .in_arms([Arm::Wasm, Arm::Native, Arm::Process])
        .times_itself(Unit::Nanoseconds, clock)
        .requires("cpu:2", "a processor each for client and server")
        .parameter(rate.unit(Unit::from("1/s")).between(0, 10_000_000))
        .parameter(p99.unit(Unit::from("us")).between(0, 60_000_000))
        .parameter(concurrency.between(1, 64))
        .parameter(instance.choices(["reused", "per-request"]))
        .parameter(heap_bytes())
        .parameter(init_ms())
        .metric(Metric::new(
            "service",
            Unit::Nanoseconds,
            "From the call of the handler until its response is complete; only if the host is the server.",
        ))
        .metric(Metric::new(
            "queue",
            Unit::Nanoseconds,
            "From sending the request until its handler is called; only if the host is the server.",
        ))
        .metric(Metric::new("connect", Unit::Nanoseconds, "From requesting a connection until it is established."))
        .metric(
            Metric::new("highest_rate", Unit::from("1/s"), "The highest rate that the search found, one per process.")
                .direction(Direction::HigherIsBetter),
        )
        .metric(
            Metric::new(
                "late",
                Unit::Count,
                "Requests that were sent more than 1 ms after they were due, per process.",
            )
            .direction(Direction::Neutral),
        )
        .metric(
            Metric::new("failed", Unit::Count, "Requests without a correct response, per process.")
                .direction(Direction::Neutral),
        )
        .metric(
            Metric::new(
                "shed",
                Unit::Count,
                "Requests that were not sent, because they were 1 s late, or late at the end of the run, per process.",
            )
            .direction(Direction::Neutral),
        )
}

fn heap_bytes() -> Parameter {
    Parameter::new("heap_bytes", MIB, "bytes of memory that the function initialises before its first request")
        .unit(Unit::Bytes)
        .between(1, 1024 * MIB)
}

fn init_ms() -> Parameter {
    Parameter::new("init_ms", 0, "CPU time of the initialisation before the first request")
        .unit(Unit::from("ms"))
        .between(0, 10_000)
}

#[cfg(target_family = "wasm")]
bench_plugin::export!(Function);

#[cfg(not(target_family = "wasm"))]
probe_abi::export_probe!(in_process::InPlace);
