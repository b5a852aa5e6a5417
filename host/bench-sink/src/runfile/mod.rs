//! The append-only run file, `run.jsonl`: one record per line, each with a format version. All tables and documents are made from
//! it.

mod blocks;
mod compared;
mod locked;
mod locked_run;
mod named;
mod raw;
mod reader;
mod record;
mod run_summary;
mod sealed;
mod writer;

pub use compared::{
    AccountRecord, HardwareRecord, LadderRecord, LedgerRecord, LookRecord, OutlierCause, OutlierCounts, OutlierRecord,
    PairingRecord, RungRecord, TermRecord,
};
pub use locked_run::{HoldError, LockedRun};
pub use named::Named;
pub use raw::{RawLine, RawLines};
pub use reader::{FILE_BYTES_MAX, ReadError, RunFile, TornTail};
pub use record::{
    CalibrationRecord, CellRecord, CheckRecord, ClockRecord, EndRecord, InputRecord, Layout, LimitRecord, ModuleRecord,
    ModuleRef, OutcomeRecord, Overhead, PartRecord, Planned, Record, ResumedRecord, RunRecord, SeriesRecord, Status,
    When,
};
pub use run_summary::RunSummary;
pub use writer::{RunWriter, WriteError, encode};

/// The name of the run file in a run directory.
pub const FILE_NAME: &str = "run.jsonl";

/// The version in every record. Readers refuse a higher one.
pub const FORMAT_VERSION: u32 = 1;
