//! Reads run files and makes tables and documents of them: a run file suffices for every one. It measures nothing, runs
//! nothing and writes nothing; where the text goes is the caller's business.

#![forbid(unsafe_code)]

mod calibration;
mod cell;
mod csv;
mod error;
mod escape;
mod json;
mod notes;
mod run;
pub mod scale;
mod series;
mod table;

pub use self::calibration::Drift;
pub use self::cell::{CellView, CheckView};
pub use self::csv::csv;
pub use self::error::ReportError;
pub use self::escape::escape;
pub use self::json::json;
pub use self::notes::notes;
pub use self::run::{Missing, RunView};
pub use self::series::SeriesView;
pub use self::table::{Style, table};
