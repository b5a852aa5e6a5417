//! Reads run files and makes tables and documents of them: a run file suffices for every one. It measures nothing, runs
//! nothing and writes nothing; where the text goes is the caller's business.

mod account;
mod calibration;
mod cell;
mod comparison;
mod csv;
mod environment;
mod error;
mod escape;
mod export;
mod json;
mod judged;
mod layout;
mod notes;
mod operators;
mod plots;
mod run;
pub mod scale;
mod series;
mod spread;
mod table;
mod transfers;

pub use self::account::AccountView;
pub use self::calibration::Drift;
pub use self::cell::{CellView, CheckView};
pub use self::comparison::{
    Comparison, Contender, Figures, Label, LedgerTerm, LedgerView, Matchup, Mean, OneSided, Options, Runs, Side,
    SubjectAccount, comparison_csv, comparison_json, comparison_notes, comparison_table,
};
pub use self::csv::csv;
pub use self::error::ReportError;
pub use self::escape::escape;
pub use self::export::{
    BreakEven, StartCurve, StartPoint, aetherless_json, break_even_json, break_even_svg, break_evens, start_curves,
};
pub use self::json::json;
pub use self::judged::{Held, Judged, Quantity, TargetVerdict, judged_csv, judged_json, judged_table};
pub use self::notes::notes;
pub use self::operators::{OperatorTables, Plot, operator_plots, operator_tables, operators_json};
pub use self::run::{Missing, RunView};
pub use self::series::SeriesView;
pub use self::table::{Style, table};
