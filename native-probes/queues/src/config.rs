//! The arguments of a session.

use crate::QueueKind;
use bench_model::{Arguments, ModuleError};

/// The arguments of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What a batch consists of.
    pub task: Task,
    /// The queue that messages go through.
    pub queue: QueueKind,
    /// The ring that it is interleaved with, one of [`QueueKind::RINGS`].
    pub ring: QueueKind,
    /// The length of a message in bytes, one of [`Config::PAYLOADS`].
    pub payload_bytes: usize,
    /// Round trips or messages per sample; at least 1.
    pub batch: u64,
}

/// What a batch consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Messages and their answers, one after the other.
    ThereAndBack,
    /// Messages in one direction, as many at a time as there is room for.
    OneWay,
}

impl Task {
    /// All tasks, each of which is a scenario.
    pub const ALL: [Self; 2] = [Self::ThereAndBack, Self::OneWay];

    /// The name of the scenario.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThereAndBack => "there-and-back",
            Self::OneWay => "one-way",
        }
    }
}

impl Config {
    /// The message lengths that the descriptor accepts: a number, and the longest that fits a cell of the ring.
    pub const PAYLOADS: [i64; 2] = [8, 56];
    /// The largest batch.
    pub const BATCH_MAX: i64 = 10_000_000;

    /// Reads the arguments of `scenario`.
    pub fn read(scenario: &str, arguments: &Arguments) -> Result<Self, ModuleError> {
        let task = Task::ALL.into_iter().find(|task| task.as_str() == scenario);
        let batch = arguments.size("batch")? as u64;
        if batch == 0 {
            return Err(ModuleError::InvalidArgument("`batch` is 0; give 1 or more".to_owned()));
        }
        Ok(Self {
            task: task.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?,
            queue: queue(arguments, "queue")?,
            ring: queue(arguments, "ring")?,
            payload_bytes: arguments.size("payload_bytes")?,
            batch,
        })
    }
}

fn queue(arguments: &Arguments, name: &str) -> Result<QueueKind, ModuleError> {
    let text = arguments.text(name)?;
    QueueKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let known = QueueKind::ALL.map(QueueKind::as_str).join(", ");
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; give one of {known}"))
    })
}
