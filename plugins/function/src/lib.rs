//! The function of the family `serverless`, for the host to start and to call: as a component behind `wasi:http`, and in
//! process. It must not know how it is started, nor what it is compared with.

#[cfg(target_family = "wasm")]
mod component;
mod in_process;

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;

struct Function;

const MIB: i64 = 1 << 20;

impl Plugin for Function {
    fn describe() -> Descriptor {
        Descriptor::new(
            "function",
            env!("CARGO_PKG_VERSION"),
            "An order priced, rendered and hashed, however it is asked.",
        )
        .scenario(handle())
        .scenario(cold_start())
        .scenario(request())
    }

    fn open(scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "handle" => in_process::open(arguments),
            "cold-start" | "request" => {
                Err(ModuleError::Unavailable(format!("`{scenario}` is for the driver `function` alone")))
            }
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

/// The work of one request, without anything around it.
fn handle() -> Scenario {
    Scenario::new("handle", "serverless", "Answers one request in place: no connection, no HTTP, no start.")
        .in_arms([Arm::Wasm, Arm::Native, Arm::NativeCpu])
        .parameter(heap_bytes())
}

/// From nothing to the first answer.
fn cold_start() -> Scenario {
    let start = Parameter::new(
        "start",
        "wasm-pooled",
        "what is there when the clock starts: the bytes of the component (wasm-compile), its compiled code in a file (wasm-cached), its code in memory (wasm-pooled), or its code with the memory of an initialised instance (wasm-preinitialised)",
    );
    let kinds = ["wasm-compile", "wasm-cached", "wasm-pooled", "wasm-preinitialised"];
    let clock =
        "the clock starts when a start is asked for and stops when the whole answer to the first request is there";
    Scenario::new("cold-start", "serverless", "Starts the function and has its first request answered.")
        .driven_by("function")
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
fn request() -> Scenario {
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
    Scenario::new(
        "request",
        "serverless",
        "Sends one request over a connection that is kept alive, and has it answered.",
    )
    .driven_by("function")
    .in_arms([Arm::Wasm, Arm::Native, Arm::Process])
    .times_itself(Unit::Nanoseconds, clock)
    .requires("cpu:2", "client and server have a processor each")
    .parameter(rate.unit(Unit::from("1/s")).between(0, 10_000_000))
    .parameter(p99.unit(Unit::from("us")).between(0, 60_000_000))
    .parameter(concurrency.between(1, 64))
    .parameter(instance.choices(["reused", "per-request"]))
    .parameter(heap_bytes())
    .parameter(init_ms())
    .metric(Metric::new(
        "service",
        Unit::Nanoseconds,
        "From the call of the handler until its answer is there; where the host serves.",
    ))
    .metric(Metric::new(
        "queue",
        Unit::Nanoseconds,
        "From the request being sent until its handler is called; where the host serves.",
    ))
    .metric(Metric::new("connect", Unit::Nanoseconds, "From asking for a connection until there is one."))
    .metric(
        Metric::new("highest_rate", Unit::from("1/s"), "The highest rate of a process that was found, where one was looked for.")
            .direction(Direction::HigherIsBetter),
    )
    .metric(
        Metric::new("late", Unit::Count, "Requests of a process sent more than 1 ms after they were meant to be.")
            .direction(Direction::Neutral),
    )
    .metric(
        Metric::new("failed", Unit::Count, "Requests of a process that were not answered as they should be.")
            .direction(Direction::Neutral),
    )
    .metric(
        Metric::new("shed", Unit::Count, "Requests of a process that were not sent, because they were a second late, or late when the time was over.")
            .direction(Direction::Neutral),
    )
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

#[cfg(target_family = "wasm")]
bench_plugin::export!(Function);

#[cfg(not(target_family = "wasm"))]
probe_abi::export_probe!(in_process::InPlace);
