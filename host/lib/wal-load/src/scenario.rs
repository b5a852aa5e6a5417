//! The descriptions of the scenarios that all logs share, so that they have the same parameters and series in every module.

use bench_model::{Arguments, MachineLimit, Metric, ModuleError, Parameter, Scenario, Unit, Value};

/// The family of every log's scenarios.
pub const FAMILY: &str = "wal";

/// Bytes of a payload: a control message, an application's message, bulk data.
pub const PAYLOADS: [i64; 3] = [64, 1024, 65_536];

/// Payloads of a batch.
pub const BATCHES: [i64; 5] = [1, 10, 100, 1_000, 10_000];

/// A scenario of a log that times itself and places its own threads.
pub fn scenario(name: &str, unit: Unit, clock: &str, summary: &str) -> Scenario {
    Scenario::new(name, FAMILY, summary)
        .times_itself(unit, clock)
        .can_use("cpu:2", "a processor for the log's background work while another one appends")
        .requires("scratch:directory", "the log's files")
        .parameter(Parameter::new("directory", "@temp", "the folder in which the log creates its own"))
}

/// The parameter `payload_bytes`.
pub fn payload_bytes() -> Parameter {
    Parameter::new("payload_bytes", PAYLOADS[0], "bytes of one payload").unit(Unit::Bytes).between(1, 16 << 20)
}

/// The parameter `durability` with the modes of the log; the first is the default.
pub fn durability(offered: &[&'static str], summary: &str) -> Parameter {
    Parameter::new("durability", offered[0], summary).choices(offered.iter().copied())
}

/// `single_write_latency`: one append at a time, in a closed or an open loop.
pub fn single_write_latency(durability: Parameter, summary: &str) -> Scenario {
    let clock = "from the call of append to its return, one reading of the clock included";
    scenario("single_write_latency", Unit::Nanoseconds, clock, summary)
        .limit(MachineLimit::Clock)
        .metric(Metric::new(
            "response",
            Unit::Nanoseconds,
            "from the intended start of an append to its return; open loop",
        ))
        .metric(raw_commit("one append"))
        .parameter(payload_bytes().sweep([PAYLOADS[0], PAYLOADS[1]]))
        .parameter(durability)
        .parameter(
            Parameter::new(
                "rate",
                0,
                "appends per second, each started on time whether or not the previous one has returned; 0 is a closed loop",
            )
            .between(0, 100_000_000),
        )
}

/// `batch_write_throughput`: one operation is one batch.
pub fn batch_write_throughput(durability: Parameter, summary: &str) -> Scenario {
    let clock = "from the call that appends a batch to its return: one sample spans the whole batch";
    scenario("batch_write_throughput", Unit::Nanoseconds, clock, summary)
        .limit(MachineLimit::MemoryCopy)
        .metric(Metric::new(
            "raw_append",
            Unit::Nanoseconds,
            "a bare loop that copies and checksums the same batch into resident pages, interleaved with the log",
        ))
        .metric(raw_commit("one batch"))
        .parameter(payload_bytes())
        .parameter(durability)
        .parameter(Parameter::new("batch", 1_000, "payloads of one batch").sweep([10, 1_000]).between(1, 1_000_000))
}

fn raw_commit(what: &str) -> Metric {
    let summary = format!(
        "a bare write of as many bytes as {what} takes, and its fdatasync, interleaved with the log; durable modes"
    );
    Metric::new("raw_commit", Unit::Nanoseconds, summary)
}

/// The argument `name`, which is a number above 0.
pub fn count(arguments: &Arguments, name: &str) -> Result<usize, ModuleError> {
    match arguments.size(name)? {
        0 => Err(ModuleError::InvalidArgument(format!("`{name}` is 0; give 1 or more"))),
        count => Ok(count),
    }
}

/// The argument `name` as one of `choices`.
pub fn choice<T: Copy>(arguments: &Arguments, name: &str, choices: &[(&str, T)]) -> Result<T, ModuleError> {
    let text = arguments.text(name)?;
    choices.iter().find(|(known, _)| *known == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let known: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; use one of {}", known.join(", ")))
    })
}

/// The names of `choices`, for a descriptor.
pub fn names<T>(choices: &[(&'static str, T)]) -> Vec<Value> {
    choices.iter().map(|(name, _)| Value::from(*name)).collect()
}
