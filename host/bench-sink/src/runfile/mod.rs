//! The append-only run file, `run.jsonl`: one record a line, each with a format version. It suffices to make every table
//! again; it does not know how a table looks.

mod compared;
mod glimpse;
mod held;
mod locked;
mod named;
mod reader;
mod record;
mod writer;

pub use compared::{AccountRecord, LedgerRecord, PairingRecord, TermRecord};
pub use glimpse::Glimpse;
pub use held::{HeldRun, HoldError};
pub use named::Named;
pub use reader::{ReadError, RunFile, TornTail};
pub use record::{
    CalibrationRecord, CellRecord, CheckRecord, EndRecord, LimitRecord, ModuleRecord, ModuleRef, OutcomeRecord,
    Overhead, Planned, Record, ResumedRecord, RunRecord, SeriesRecord, Status, When,
};
pub use writer::{RunWriter, WriteError};

/// The name of the run file in a run directory.
pub const FILE_NAME: &str = "run.jsonl";

/// The version every record carries. A reader refuses a higher one.
pub const FORMAT_VERSION: u32 = 1;
