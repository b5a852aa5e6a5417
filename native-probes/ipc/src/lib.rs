//! The probe `ipc`: messages between two processes, there and back (`ping-pong`) or one way (`stream`), by each means
//! the kernel offers, and beside the bare system calls (`round-trips`). It describes the scenarios and reads their arguments;
//! it must not know how a message travels.
//!
//! To add a transport, write one file in `src/transport` that implements `Link` and `Transport`, and name it in
//! `transport/kind.rs`.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "messages lie in memory shared between processes")]

mod config;
mod exchange;
mod message;
mod paired;
mod program;
mod session;
mod transport;

pub use config::{Config, ScenarioKind};
pub use paired::Paired;
pub use ring_peer::Placement;
pub use session::Session;
pub use transport::TransportKind;

use bench_model::{Arguments, Descriptor, MachineLimit, Metric, ModuleError, Parameter, Scenario, Unit};
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
                &TransportKind::ALL,
                MachineLimit::CacheLine,
                "a message goes to the peer process, which checks it and answers with one of the same size, which is checked",
            ))
            .scenario(stream())
            .scenario(round_trips())
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn bench_model::Session>, ModuleError> {
        let config = Config::read(scenario, arguments)?;
        Ok(match config.scenario {
            ScenarioKind::PingPong | ScenarioKind::Stream => Box::new(Session::open(config)?),
            ScenarioKind::RoundTrips => Box::new(Paired::open(config, Some(host))?),
        })
    }
}

/// How many messages follow each other before the peer acknowledges them is the batch of whoever calls, times this one.
fn stream() -> Scenario {
    let summary =
        "messages go one way to the peer process, which checks them, and acknowledges all that were asked for together";
    scenario(ScenarioKind::Stream, &TransportKind::ALL, MachineLimit::MemoryCopy, summary)
        .parameter(Parameter::new("batch", 1, "messages an operation").between(1, 1_000_000))
}

/// The host times nothing in it: the two kinds of round trips take turns within one call.
fn round_trips() -> Scenario {
    let summary =
        "so many messages there and back, both checked, in turns with as many bare round trips in the same processes";
    let checked =
        "from before the first message is sent until the last answer has been checked, of `batch` round trips";
    let bare = "as many round trips by the same system calls, or of a cache line, without any look at what travels";
    scenario(ScenarioKind::RoundTrips, TransportKind::BARE, MachineLimit::CacheLine, summary)
        .times_itself(Unit::Nanoseconds, checked)
        .metric(Metric::new(Paired::BARE, Unit::Nanoseconds, bare))
        .parameter(Parameter::new("batch", 100, "round trips a sample").between(1, 100_000))
}

fn scenario(kind: ScenarioKind, transports: &[TransportKind], limit: MachineLimit, summary: &str) -> Scenario {
    let transports: Vec<_> = transports.iter().map(|transport| transport.as_str()).collect();
    let placements = Placement::ALL.map(Placement::as_str);
    let payload = "the length of a message, sequence number included, before HTTP's base64";
    Scenario::new(kind.as_str(), "serverless", summary)
        .limit(limit)
        .can_use("cpu:2", "a processor for each side, with placement=cross")
        .parameter(
            Parameter::new("transport", transports[0], "by which means a message travels")
                .sweep(transports.clone())
                .choices(transports),
        )
        .parameter(Parameter::new("payload_bytes", 64, payload).unit(Unit::Bytes).choices(Config::PAYLOADS))
        .parameter(
            Parameter::new("placement", placements[0], "whether both processes are pinned to one CPU or to two")
                .sweep(placements)
                .choices(placements),
        )
}

export_probe!(Ipc);
