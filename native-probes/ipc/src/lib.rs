//! The probe `ipc`: messages between two processes over each transport of the kernel, as round trips (`ping-pong`), in
//! one direction (`stream`), and interleaved with raw system calls (`round-trips`).
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

pub use config::{Config, Look, ScenarioKind};
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
        let summary = "messages between two processes over each transport of the kernel";
        Descriptor::new("ipc", env!("CARGO_PKG_VERSION"), summary)
            .scenario(ping_pong())
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

/// Over a ring, a message is checked while the answer to it is on its way.
fn ping_pong() -> Scenario {
    let summary =
        "one round trip: the peer process checks a message and answers with one of the same size, which is checked too";
    let ping_pong = scenario(ScenarioKind::PingPong, &TransportKind::ALL, MachineLimit::CacheLine, summary);
    ping_pong.parameter(pauses()).parameter(look())
}

/// The peer acknowledges as many messages together as the host asks for in one call, times `batch`.
fn stream() -> Scenario {
    let summary =
        "messages in one direction; the peer process checks them and acknowledges all messages of a call together";
    scenario(ScenarioKind::Stream, &TransportKind::ALL, MachineLimit::MemoryCopy, summary)
        .parameter(Parameter::new("batch", 1, "messages per operation").between(1, 1_000_000))
        .parameter(
            Parameter::new("frame_bytes", Config::FRAMES[0], "bytes of the messages in one frame of shm-ring-batch")
                .unit(Unit::Bytes)
                .choices(Config::FRAMES),
        )
}

/// It times itself, because the two kinds of round trips are interleaved within one call.
fn round_trips() -> Scenario {
    let summary = "a batch of checked round trips, interleaved with as many raw round trips of the same processes";
    let checked = "from sending the first message until the last answer is checked, of `batch` round trips";
    let bare =
        "baseline: as many round trips with the same system calls, or of one cache line, without checking content";
    scenario(ScenarioKind::RoundTrips, TransportKind::BARE, MachineLimit::CacheLine, summary)
        .times_itself(Unit::Nanoseconds, checked)
        .metric(Metric::new(Paired::BARE, Unit::Nanoseconds, bare))
        .parameter(Parameter::new("batch", 100, "round trips per sample").between(1, 100_000))
        .parameter(pauses())
        .parameter(look())
}

fn look() -> Parameter {
    let looks = Look::ALL.map(Look::as_str);
    let summary =
        "what a waiting side of a ring looks at: the word that publishes a message, or all lines of the message";
    Parameter::new("look", looks[0], summary).choices(looks)
}

fn pauses() -> Parameter {
    let summary = "pauses of the processor before a side of a ring first looks for a message, which it would slow down";
    Parameter::new("pauses", 0, summary).between(0, i64::from(Config::PAUSES_MAX))
}

fn scenario(kind: ScenarioKind, transports: &[TransportKind], limit: MachineLimit, summary: &str) -> Scenario {
    // A cell does not take the default payload, so it is measured where it is asked for.
    let swept = transports.iter().filter(|transport| **transport != TransportKind::ShmRingCell);
    let swept: Vec<_> = swept.map(|transport| transport.as_str()).collect();
    let transports: Vec<_> = transports.iter().map(|transport| transport.as_str()).collect();
    let placements = Placement::ALL.map(Placement::as_str);
    let payload = "bytes of one message, including its sequence number; HTTP transports encode it in base64";
    Scenario::new(kind.as_str(), "ipc", summary)
        .limit(limit)
        .can_use("cpu:2", "placement=cross needs a processor for each process")
        .parameter(
            Parameter::new("transport", transports[0], "the transport of messages").sweep(swept).choices(transports),
        )
        .parameter(Parameter::new("payload_bytes", 64, payload).unit(Unit::Bytes).choices(Config::PAYLOADS))
        .parameter(
            Parameter::new("placement", placements[0], "same: both processes are pinned to one CPU; cross: to two")
                .sweep(placements)
                .choices(placements),
        )
}

export_probe!(Ipc);
