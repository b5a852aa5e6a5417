//! The probe `ipc`: messages between two processes, there and back (`ping-pong`) or one way (`stream`), by each means
//! the kernel offers. It describes the scenarios and reads their arguments; it must not know how a message travels.
//!
//! To add a transport, write one file in `src/transport` that implements `Link` and `Transport`, and name it in
//! `TransportKind`.

#![cfg(target_os = "linux")]

mod config;
mod exchange;
mod message;
mod peer;
mod placement;
mod session;
mod transport;

pub use config::{Config, ScenarioKind};
pub use placement::Placement;
pub use session::Session;
pub use transport::TransportKind;

use bench_model::{Arguments, Descriptor, MachineLimit, ModuleError, Parameter, Scenario, Unit};
use probe_abi::{Host, Probe, export_probe};

/// The probe.
#[derive(Debug)]
pub struct Ipc;

impl Probe for Ipc {
    fn describe() -> Descriptor {
        let summary = "messages between two processes, by every means the kernel offers";
        Descriptor::new("ipc", env!("CARGO_PKG_VERSION"), summary)
            .scenario(scenario(
                ScenarioKind::PingPong,
                MachineLimit::CacheLine,
                "a message goes to the peer process, which checks it and answers with one of the same size, which is checked",
            ))
            .scenario(scenario(
                ScenarioKind::Stream,
                MachineLimit::MemoryCopy,
                "a message goes one way to the peer process, which checks it; a batch ends with the peer's acknowledgement",
            ))
    }

    fn open(scenario: &str, arguments: &Arguments, _: Host) -> Result<Box<dyn bench_model::Session>, ModuleError> {
        Ok(Box::new(Session::open(Config::read(scenario, arguments)?)?))
    }
}

fn scenario(kind: ScenarioKind, limit: MachineLimit, summary: &str) -> Scenario {
    let transports = TransportKind::ALL.map(TransportKind::as_str);
    let placements = Placement::ALL.map(Placement::as_str);
    Scenario::new(kind.as_str(), "serverless", summary)
        .limit(limit)
        .can_use("cpu:2", "a processor for each side, with placement=cross")
        .parameter(
            Parameter::new("transport", transports[0], "by which means a message travels")
                .sweep(transports)
                .choices(transports),
        )
        .parameter(
            Parameter::new("payload_bytes", 64, "the length of a message, sequence number included")
                .unit(Unit::Bytes)
                .choices(Config::PAYLOADS),
        )
        .parameter(
            Parameter::new("placement", placements[0], "whether both processes are pinned to one CPU or to two")
                .sweep(placements)
                .choices(placements),
        )
}

export_probe!(Ipc);
