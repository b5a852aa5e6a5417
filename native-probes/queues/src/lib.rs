//! The probe `queues`: messages between two threads through the queues of other crates, interleaved with the ring in shared
//! memory. All run the same loops, and every message is checked.
//!
//! To add a queue, write one file in `src/queue` that implements `Queue`, `Sender` and `Receiver`, and name it in `kind.rs`.

#![cfg(target_os = "linux")]

mod config;
mod kind;
mod message;
mod queue;
mod session;
mod side;
mod worker;

pub use config::{Config, Task};
pub use kind::QueueKind;
pub use session::Session;

use bench_model::{Arguments, Descriptor, MachineLimit, Metric, ModuleError, Parameter, Scenario, Unit};
use probe_abi::{Host, Probe, export_probe};

/// The probe.
#[derive(Debug)]
pub struct Queues;

impl Probe for Queues {
    fn describe() -> Descriptor {
        let summary = "messages between two threads: queues of other crates interleaved with the ring in shared memory";
        Descriptor::new("queues", env!("CARGO_PKG_VERSION"), summary).scenario(there_and_back()).scenario(one_way())
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn bench_model::Session>, ModuleError> {
        Ok(Box::new(Session::open(Config::read(scenario, arguments)?, Some(host))?))
    }
}

fn there_and_back() -> Scenario {
    let summary = "a batch of checked round trips through two queues, interleaved with as many through two rings";
    let timed = "from sending the first message until the last answer is checked, of `batch` round trips";
    scenario(Task::ThereAndBack, summary, timed, 1_000, QueueKind::ShmCell).limit(MachineLimit::CacheLine)
}

fn one_way() -> Scenario {
    let summary = "a batch of checked messages in one direction, interleaved with as many through the ring";
    let timed = "from composing the first message until the other thread has checked the last, of `batch` messages";
    scenario(Task::OneWay, summary, timed, 100_000, QueueKind::ShmBatch)
}

/// It times itself, because the two kinds of batches are interleaved within one call.
fn scenario(task: Task, summary: &str, timed: &str, batch: i64, ring: QueueKind) -> Scenario {
    let queues = QueueKind::ALL.map(QueueKind::as_str);
    let rings = QueueKind::RINGS.map(QueueKind::as_str);
    let baseline = "baseline: the same through the ring that `ring` names, in the same two threads";
    Scenario::new(task.as_str(), "ipc", summary)
        .requires("cpu:2", "each thread has a processor of its own")
        .times_itself(Unit::Nanoseconds, timed)
        .metric(Metric::new(Session::RING, Unit::Nanoseconds, baseline))
        .parameter(
            Parameter::new("queue", QueueKind::Rtrb.as_str(), "the queue that messages go through")
                .sweep(QueueKind::PEERS.map(QueueKind::as_str))
                .choices(queues),
        )
        .parameter(
            Parameter::new("ring", ring.as_str(), "the form of the ring that it is interleaved with").choices(rings),
        )
        .parameter(
            Parameter::new("payload_bytes", Config::PAYLOADS[0], "bytes of one message, with its number")
                .unit(Unit::Bytes)
                .sweep(Config::PAYLOADS)
                .choices(Config::PAYLOADS),
        )
        .parameter(Parameter::new("batch", batch, "round trips or messages per sample").between(1, Config::BATCH_MAX))
}

export_probe!(Queues);
