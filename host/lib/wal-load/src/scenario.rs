//! Names and descriptions of the scenarios that logs share, so that every module has the same parameters and series.

use bench_model::{Arguments, MachineLimit, Metric, ModuleError, Parameter, Scenario, Unit, Value};

/// The family of every log's scenarios.
pub const FAMILY: &str = "wal";

/// One payload appended at a time.
pub const APPEND: &str = "append";

/// One batch appended at a time.
pub const APPEND_BATCH: &str = "append-batch";

/// One payload read at a time.
pub const READ: &str = "read";

/// Bytes of a payload: a control message, an application message, bulk data.
pub const PAYLOADS: [i64; 3] = [64, 1024, 65_536];

/// Payloads of a batch.
pub const BATCHES: [i64; 5] = [1, 10, 100, 1_000, 10_000];

/// A self-timed scenario with the requirements and the `directory` of every log. `clock` says what one sample spans.
pub fn self_timed(name: &str, unit: Unit, clock: &str, summary: &str) -> Scenario {
    Scenario::new(name, FAMILY, summary)
        .times_itself(unit, clock)
        .can_use("cpu:2", "a second processor for the log's background thread")
        .requires("scratch:directory", "the log's files")
        .parameter(Parameter::new(
            "directory",
            "@temp",
            "the folder in which the log creates its own; @temp is a scratch folder of the host",
        ))
}

/// The parameter `payload_bytes`.
pub fn payload_bytes() -> Parameter {
    Parameter::new("payload_bytes", PAYLOADS[0], "bytes of one payload").unit(Unit::Bytes).between(1, 16 << 20)
}

/// The parameter `durability`, with the modes that the log supports; the first is the default.
pub fn durability(supported: &[&'static str], summary: &str) -> Parameter {
    Parameter::new("durability", supported[0], summary).choices(supported.iter().copied())
}

/// [`APPEND`], self-timed: one append at a time, in a closed or an open loop.
pub fn append(durability: Parameter, summary: &str) -> Scenario {
    let clock = "from the call of append to its return, including one reading of the clock";
    self_timed(APPEND, Unit::Nanoseconds, clock, summary)
        .limit(MachineLimit::Clock)
        .metric(Metric::new(
            "response",
            Unit::Nanoseconds,
            "from when an append was due to its return; open loop only",
        ))
        .metric(raw_commit("one append"))
        .parameter(payload_bytes().sweep([PAYLOADS[0], PAYLOADS[1]]))
        .parameter(durability)
        .parameter(
            Parameter::new(
                "rate",
                0,
                "open-loop arrival rate in appends per second; 0 is a closed loop, where each append waits for the one before",
            )
            .between(0, 100_000_000),
        )
}

/// [`APPEND_BATCH`], self-timed: one operation is one batch.
pub fn append_batch(durability: Parameter, summary: &str) -> Scenario {
    let clock = "from the call that appends a batch to its return: one sample spans the whole batch";
    self_timed(APPEND_BATCH, Unit::Nanoseconds, clock, summary)
        .limit(MachineLimit::MemoryCopy)
        .metric(Metric::new(
            "raw_append",
            Unit::Nanoseconds,
            "baseline: a raw loop that copies and checksums the same batch into resident pages, interleaved with the log",
        ))
        .metric(raw_commit("one batch"))
        .parameter(payload_bytes())
        .parameter(durability)
        .parameter(Parameter::new("batch", 1_000, "payloads of one batch").sweep([10, 1_000]).between(1, 1_000_000))
}

fn raw_commit(what: &str) -> Metric {
    let summary = format!(
        "baseline: a raw write of as many bytes as {what} takes and its fdatasync, interleaved with the log; durable modes only"
    );
    Metric::new("raw_commit", Unit::Nanoseconds, summary)
}

/// Reads the argument `name`, a number above 0.
pub fn count(arguments: &Arguments, name: &str) -> Result<usize, ModuleError> {
    match arguments.size(name)? {
        0 => Err(ModuleError::InvalidArgument(format!("`{name}` is 0; give 1 or more"))),
        count => Ok(count),
    }
}

/// Reads the argument `name` as one of `choices`.
pub fn choice<T: Copy>(arguments: &Arguments, name: &str, choices: &[(&str, T)]) -> Result<T, ModuleError> {
    let text = arguments.text(name)?;
    choices.iter().find(|(known, _)| *known == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let known: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; give one of {}", known.join(", ")))
    })
}

/// The names of `choices`, for a descriptor.
pub fn names<T>(choices: &[(&'static str, T)]) -> Vec<Value> {
    choices.iter().map(|(name, _)| Value::from(*name)).collect()
}
