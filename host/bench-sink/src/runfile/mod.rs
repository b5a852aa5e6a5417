//! The append-only run file, `run.jsonl`: one record per line, each with a format version. All tables and documents are made from
//! it.

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

/// The version in every record. Readers refuse a higher one.
pub const FORMAT_VERSION: u32 = 1;
