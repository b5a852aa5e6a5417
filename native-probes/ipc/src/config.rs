//! The arguments of a session.

use crate::{Placement, TransportKind};
use bench_model::{Arguments, ModuleError};

/// The arguments of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What one operation is.
    pub scenario: ScenarioKind,
    /// The transport of messages.
    pub transport: TransportKind,
    /// The length of a message in bytes, without the overhead of a transport; at least [`Config::PAYLOAD_MIN`].
    pub payload_bytes: usize,
    /// The CPUs that the two processes are pinned to.
    pub placement: Placement,
    /// Round trips a sample, in [`ScenarioKind::RoundTrips`], or messages an operation, in [`ScenarioKind::Stream`]; at least 1.
    pub batch: u64,
}

/// What one operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioKind {
    /// A message and its answer.
    PingPong,
    /// Messages in one direction; each batch is acknowledged.
    Stream,
    /// A batch of checked round trips, interleaved with as many raw ones.
    RoundTrips,
}

impl ScenarioKind {
    /// All scenarios, in the order of reports.
    pub const ALL: [Self; 3] = [Self::PingPong, Self::Stream, Self::RoundTrips];

    /// The name used in the descriptor.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PingPong => "ping-pong",
            Self::Stream => "stream",
            Self::RoundTrips => "round-trips",
        }
    }
}

impl Config {
    /// The message lengths that the descriptor accepts.
    pub const PAYLOADS: [i64; 7] = [8, 56, 64, 1024, 4096, 16384, 65536];
    /// The shortest message, which is only the sequence number.
    pub const PAYLOAD_MIN: usize = 8;

    /// Reads the arguments of `scenario`.
    pub fn read(scenario: &str, arguments: &Arguments) -> Result<Self, ModuleError> {
        let scenario = ScenarioKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == scenario)
            .ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
        let payload_bytes = arguments.size("payload_bytes")?;
        if payload_bytes < Self::PAYLOAD_MIN {
            let least = Self::PAYLOAD_MIN;
            return Err(ModuleError::InvalidArgument(format!(
                "payload_bytes={payload_bytes} is too small; give {least} or more"
            )));
        }
        let batch = match scenario {
            ScenarioKind::RoundTrips | ScenarioKind::Stream => arguments.size("batch")? as u64,
            ScenarioKind::PingPong => 1,
        };
        if batch == 0 {
            return Err(ModuleError::InvalidArgument("`batch` is 0; give 1 or more".to_owned()));
        }
        Ok(Self {
            scenario,
            transport: choice(arguments, "transport", TransportKind::ALL, TransportKind::as_str)?,
            payload_bytes,
            placement: choice(arguments, "placement", Placement::ALL, Placement::as_str)?,
            batch,
        })
    }
}

fn choice<T: Copy, const N: usize>(
    arguments: &Arguments,
    name: &str,
    all: [T; N],
    as_str: fn(T) -> &'static str,
) -> Result<T, ModuleError> {
    let text = arguments.text(name)?;
    all.into_iter().find(|value| as_str(*value) == text).ok_or_else(|| {
        let known = all.map(as_str).join(", ");
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; give one of {known}"))
    })
}
