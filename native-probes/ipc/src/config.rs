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
    /// Pauses of the processor before a side of a ring looks for the next message; 0 in [`ScenarioKind::Stream`].
    pub pauses: u32,
    /// What a side of a ring looks at while it waits; [`Look::Word`] in [`ScenarioKind::Stream`].
    pub look: Look,
    /// Bytes of the messages in one frame of [`TransportKind::ShmRingBatch`], unless a single one is longer.
    pub frame_bytes: usize,
}

/// What a side of a ring looks at while it waits for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The word that publishes the message.
    Word,
    /// The word, and the line of the message's last byte is asked for with it.
    Message,
}

impl Look {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Word, Self::Message];

    /// The name used in the descriptor.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Message => "message",
        }
    }
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

    /// The default length of a frame: a hundred short messages amortise its cost, and several frames let both sides work at once.
    pub const FRAME_BYTES: usize = 1 << 10;
    /// The lengths of a frame that the descriptor accepts.
    pub const FRAMES: [i64; 4] = [1 << 10, 2 << 10, 4 << 10, 16 << 10];
    /// The most pauses: some hundred microseconds.
    pub const PAUSES_MAX: u32 = 10_000;

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
        let (pauses, look, frame_bytes) = match scenario {
            ScenarioKind::Stream => (0, Look::Word, arguments.size("frame_bytes")?),
            ScenarioKind::RoundTrips | ScenarioKind::PingPong => {
                let look = choice(arguments, "look", Look::ALL, Look::as_str)?;
                (arguments.size("pauses")?, look, Self::FRAME_BYTES)
            }
        };
        let pauses = u32::try_from(pauses).ok().filter(|pauses| *pauses <= Self::PAUSES_MAX);
        let pauses = pauses.ok_or_else(|| {
            ModuleError::InvalidArgument(format!("`pauses` is too large; give at most {}", Self::PAUSES_MAX))
        })?;
        Ok(Self {
            pauses,
            look,
            frame_bytes,
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
