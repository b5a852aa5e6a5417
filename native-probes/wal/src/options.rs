//! The parameters that most scenarios share, and the configuration of the log that they select.

use bench_model::{Arguments, ModuleError, Parameter, Scenario};
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use wal_load::scenario;
use wal_load::self_timed::Folder;
use wal_log::{Config, Durability, Log, LogError, PageState, ReadError, Retention};

/// The interval between two syncs of `durability=interval`.
const INTERVAL: Duration = Duration::from_millis(10);

/// Values of the parameter `durability`; the first is the default.
const DURABILITIES: [(&str, Durability); 5] = [
    ("process-crash", Durability::ProcessCrash),
    ("none", Durability::None),
    ("interval", Durability::Interval(INTERVAL)),
    ("group", Durability::Group),
    ("each", Durability::Each),
];

const PAGE_STATES: [(&str, PageState); 3] =
    [("resident", PageState::Resident), ("written", PageState::Written), ("fresh", PageState::Fresh)];

/// Segments that a log keeps when it is only written to; older ones are recycled.
pub(crate) const SEGMENTS_KEPT: u32 = 2;

/// Bytes of the header of a record; the log pads records to a multiple of 8.
const HEAD_BYTES: usize = 24;

/// Bytes that a payload takes in the log.
pub(crate) fn footprint(payload_bytes: usize) -> usize {
    (HEAD_BYTES + payload_bytes).next_multiple_of(8)
}

/// The parameter `durability`.
pub(crate) fn durability() -> Parameter {
    let names = DURABILITIES.map(|(name, _)| name);
    let summary = "what an append that returned survives: nothing (none), a process crash, that with a sync every 10 ms (interval), or a machine crash, with a sync shared by several appends (group) or for each (each)";
    scenario::durability(&names, summary)
}

/// The parameter `page_state`.
pub(crate) fn page_state() -> Parameter {
    Parameter::new("page_state", PAGE_STATES[0].0, "the state of a segment's pages before records are written: mapped and touched, written to the file before, or fresh")
        .choices(PAGE_STATES.map(|(name, _)| name))
}

/// The configuration and the folder of a log.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) folder: Folder,
    pub(crate) config: Config,
}

impl Options {
    /// Reads `directory`, and `durability` and `page_state` if the scenario has them. Old segments are recycled.
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

    /// Bytes that are synced when a batch of payloads has returned; `None` if the durability mode does not sync.
    pub(crate) fn synced_bytes(&self, payloads: usize, payload_bytes: usize) -> Option<usize> {
        let is_synced = matches!(self.config.durability, Durability::Group | Durability::Each);
        is_synced.then(|| payloads * footprint(payload_bytes))
    }

    /// Opens the log and waits until its segments are ready.
    pub(crate) fn open(&self) -> Result<Log, ModuleError> {
        open(&self.config)
    }
}

/// Opens a log and waits until its segments are ready.
pub(crate) fn open(config: &Config) -> Result<Log, ModuleError> {
    let log = Log::open(config.clone()).map_err(failed)?;
    log.wait_until_idle().map_err(failed)?;
    Ok(log)
}

/// Adds the parameters of the log to a scenario.
pub(crate) fn with_log(scenario: Scenario) -> Scenario {
    scenario.parameter(durability()).parameter(page_state())
}

/// Converts an error of the log: a full disk is a fault of the environment, any other error a failure.
pub(crate) fn failed(error: LogError) -> ModuleError {
    let is_environment = matches!(error, LogError::NoSpace { .. });
    let text = chain(&error);
    if is_environment { ModuleError::Unavailable(text) } else { ModuleError::Other(text) }
}

/// Like [`failed`], for errors of reading.
pub(crate) fn unread(error: ReadError) -> ModuleError {
    ModuleError::Other(chain(&error))
}

/// An error and its sources, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// An I/O error on the files of the scenario.
pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ModuleError {
    let path = path.to_owned();
    move |error| ModuleError::Unavailable(format!("cannot {what} {}: {error}", path.display()))
}
