//! Sessions that the host times: three scenarios over any log, each with its content checked. They are the same in a component
//! and in a probe.

mod append;
mod append_batch;
#[cfg(test)]
mod faulty;
mod read;

use crate::RandomRead;
use crate::scenario::{self, APPEND, APPEND_BATCH, BATCHES, FAMILY, PAYLOADS, READ};
use append::Append;
use append_batch::AppendBatch;
use bench_model::{Arguments, Descriptor, MachineLimit, ModuleError, Parameter, Scenario, Session, Unit};
use read::Read;

/// Bytes of the largest batch: half of what a component can pass in one call.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// How a module's log can be opened.
#[derive(Debug)]
pub struct LogOptions {
    /// Durability modes; the first is the default.
    pub durabilities: &'static [&'static str],
    /// Parameters that only this log has.
    pub parameters: Vec<Parameter>,
}

/// Adds the scenarios of a log to the descriptor of its module.
pub fn describe(descriptor: Descriptor, options: &LogOptions) -> Descriptor {
    let append = "One payload appended to the log; the payloads are read back and compared afterwards.";
    let batch =
        "One batch of payloads appended to the log, durable together; they are read back and compared afterwards.";
    let read = "One payload read at random from the last two segments, which are full.";
    let number = Parameter::new("batch", BATCHES[0], "payloads of one batch").sweep(BATCHES).choices(BATCHES);
    descriptor
        .scenario(
            log_scenario(APPEND, append, options)
                .limit(MachineLimit::MemoryCopy)
                .parameter(payload_bytes().sweep(PAYLOADS)),
        )
        .scenario(
            log_scenario(APPEND_BATCH, batch, options)
                .limit(MachineLimit::MemoryCopy)
                .parameter(payload_bytes())
                .parameter(number),
        )
        .scenario(
            log_scenario(READ, read, options)
                .limit(MachineLimit::MemoryRead)
                .parameter(payload_bytes().sweep(PAYLOADS)),
        )
}

fn log_scenario(name: &str, summary: &str, options: &LogOptions) -> Scenario {
    let segments =
        Parameter::new("segment_bytes", 16 << 20, "bytes of one segment file; the log keeps the last segments");
    let durability = "what a payload survives once its append has returned: none, process-crash, or a crash of the \
                      machine with a sync shared by several appends (group) or for each (each)";
    let scenario = Scenario::new(name, FAMILY, summary)
        .requires("scratch:directory", "the log's files")
        .parameter(Parameter::new(
            "directory",
            "@temp",
            "the folder in which the log creates its own; @temp is a scratch folder of the host",
        ))
        .parameter(scenario::durability(options.durabilities, durability))
        .parameter(segments.unit(Unit::Bytes).between(64 << 10, 64 << 20));
    options.parameters.iter().cloned().fold(scenario, Scenario::parameter)
}

fn payload_bytes() -> Parameter {
    Parameter::new("payload_bytes", PAYLOADS[0], "bytes of one payload").unit(Unit::Bytes).between(16, PAYLOADS[2])
}

/// Opens a session of `scenario` over the log that `open` returns, which is new and empty.
pub fn open<J: RandomRead + 'static>(
    scenario: &str,
    arguments: &Arguments,
    open: impl FnOnce() -> Result<J, ModuleError>,
) -> Result<Box<dyn Session>, ModuleError> {
    let payload_bytes = arguments.size("payload_bytes")?;
    match scenario {
        APPEND => Ok(Box::new(Append::new(open()?, payload_bytes)?)),
        APPEND_BATCH => {
            let batch = arguments.size("batch")?;
            if batch.saturating_mul(payload_bytes) > BATCH_BYTES_MAX {
                return Err(ModuleError::Unavailable(format!(
                    "a batch of {batch} payloads of {payload_bytes} bytes is larger than {BATCH_BYTES_MAX} bytes, the most \
                     that one call passes; give a smaller batch or payload_bytes"
                )));
            }
            Ok(Box::new(AppendBatch::new(open()?, payload_bytes, batch)?))
        }
        READ => Ok(Box::new(Read::new(open()?, payload_bytes, arguments.size("segment_bytes")?)?)),
        other => Err(ModuleError::UnknownScenario(other.to_owned())),
    }
}
