//! The parameters that most scenarios share, and the log's configuration that they come to. It must not know what a scenario
//! does with the log.

use bench_model::{Arguments, ModuleError, Parameter, Scenario};
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use wal_load::{Folder, scenario};
use wal_log::{Config, Durability, Log, LogError, PageState, ReadError, Retention};

/// After so long, `durability=interval` syncs what is new.
const INTERVAL: Duration = Duration::from_millis(10);

/// When an append returns, in the words of the descriptor; the default comes first.
const DURABILITIES: [(&str, Durability); 5] = [
    ("process-crash", Durability::ProcessCrash),
    ("none", Durability::None),
    ("interval", Durability::Interval(INTERVAL)),
    ("group", Durability::Group),
    ("each", Durability::Each),
];

const PAGE_STATES: [(&str, PageState); 3] =
    [("resident", PageState::Resident), ("written", PageState::Written), ("fresh", PageState::Fresh)];

/// Segments that a log keeps which is only written to; older ones are recycled.
pub(crate) const SEGMENTS_KEPT: u32 = 2;

/// Bytes in front of a payload in the log, which pads a record to a multiple of 8.
const HEAD_BYTES: usize = 24;

/// Bytes that a payload takes in the log.
pub(crate) fn footprint(payload_bytes: usize) -> usize {
    (HEAD_BYTES + payload_bytes).next_multiple_of(8)
}

/// The parameter `durability`.
pub(crate) fn durability() -> Parameter {
    let names = DURABILITIES.map(|(name, _)| name);
    let summary =
        "when an append returns: nothing promised, in the page cache, that and a sync every 10 ms, or on the disk";
    scenario::durability(&names, summary)
}

/// The parameter `page_state`.
pub(crate) fn page_state() -> Parameter {
    Parameter::new("page_state", PAGE_STATES[0].0, "the state of a segment's pages before records are written to them")
        .choices(PAGE_STATES.map(|(name, _)| name))
}

/// What a log is opened with, and where.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) folder: Folder,
    pub(crate) config: Config,
}

impl Options {
    /// Out of `directory`, and of `durability` and `page_state` where the scenario has them. Old segments are recycled.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, ModuleError> {
        let folder = Folder::new(arguments.text("directory")?)?;
        let durability = match arguments.get("durability") {
            Some(_) => scenario::choice(arguments, "durability", &DURABILITIES)?,
            None => Durability::ProcessCrash,
        };
        if !matches!(durability, Durability::None | Durability::ProcessCrash) {
            folder.require_disk()?;
        }
        let mut config = Config::new(folder.path().join("log"), durability);
        if arguments.get("page_state").is_some() {
            config.page_state = scenario::choice(arguments, "page_state", &PAGE_STATES)?;
        }
        config.retention = Retention::Segments(SEGMENTS_KEPT);
        Ok(Self { folder, config })
    }

    /// Bytes that are on the disk when `payloads` appends of so many bytes have returned; `None` where none need be.
    pub(crate) fn synced_bytes(&self, payloads: usize, payload_bytes: usize) -> Option<usize> {
        let is_synced = matches!(self.config.durability, Durability::Group | Durability::Each);
        is_synced.then(|| payloads * footprint(payload_bytes))
    }

    /// The log, with its segments ready.
    pub(crate) fn open(&self) -> Result<Log, ModuleError> {
        open(&self.config)
    }
}

/// A log, with its segments ready.
pub(crate) fn open(config: &Config) -> Result<Log, ModuleError> {
    let log = Log::open(config.clone()).map_err(failed)?;
    log.wait_until_idle().map_err(failed)?;
    Ok(log)
}

/// A scenario that measures a log of its own.
pub(crate) fn with_log(scenario: Scenario) -> Scenario {
    scenario.parameter(durability()).parameter(page_state())
}

/// What a refusal of the log comes to: a full disk is the machine's, everything else is a failure.
pub(crate) fn failed(error: LogError) -> ModuleError {
    let is_environment = matches!(error, LogError::NoSpace { .. });
    let text = chain(&error);
    if is_environment { ModuleError::Unavailable(text) } else { ModuleError::Other(text) }
}

/// As [`failed`], of reading.
pub(crate) fn unread(error: ReadError) -> ModuleError {
    ModuleError::Other(chain(&error))
}

/// An error and what it comes from, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// An input or output error of the scenario's own files.
pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ModuleError {
    let path = path.to_owned();
    move |error| ModuleError::Unavailable(format!("cannot {what} {}: {error}", path.display()))
}
