//! Reads run files and makes tables and documents of them: a run file suffices for every one. It measures nothing, runs
//! nothing and writes nothing; where the text goes is the caller's business.

mod account;
mod arguments;
mod baselines;
mod calibration;
mod cell;
mod comparison;
mod csv;
mod document;
mod environment;
mod error;
mod escape;
mod export;
mod family;
mod history;
mod hosts;
mod html;
mod json;
mod notes;
mod outliers;
mod parallel;
mod plots;
mod render;
mod run;
pub mod scale;
mod series;
mod shell;
mod spread;
mod table;
mod targets;
mod text;

pub use self::account::AccountView;
pub use self::baselines::{interleaved_baselines, interleaved_baselines_chart};
pub use self::calibration::Drift;
pub use self::cell::{CellView, CheckView, arm_label};
pub use self::comparison::{
    Candidate, Comparison, ComparisonDetail, ComparisonReport, Figures, InstructionCounts, Label, LadderView,
    LedgerTerm, LedgerView, Mean, OneSided, Options, RungView, Runs, Side, SubjectAccount, comparison_document,
};
pub use self::document::{
    Align, Body, Column, Data, Datum, Document, Group, Measure, Node, Notes, Rank, Records, Section, Table, Tree,
};
pub use self::error::ReportError;
pub use self::escape::{escape, xml};
pub use self::export::{
    COMMENT_MARK, Hgrm, aetherless_json, bencher_json, github_comment, github_summary, hgrm, junit_xml, openmetrics,
};
pub use self::family::{DerivedFile, Export, FamilyChart, FamilyReport, RatioRow, Ratios};
pub use self::history::{
    Cause, CellEntry, CellHistory, CellTrend, ExplainedStep, History, MachineEntry, RunEntry, history_document,
    trend_document,
};
pub use self::html::{Courses, Page, PageFile, PageFiles, PageRun};
pub use self::json::significant;
pub use self::notes::machine_name;
pub use self::plots::{Dimension, Figure, Line, Look, Panel, Point, Stack, StackPart, Stacks};
pub use self::render::{Csv, Json, Layout, Markdown, RENDERERS, Renderer, Text, print_csv, print_json};
pub use self::run::{Missing, PartView, RunView};
pub use self::series::SeriesView;
pub use self::spread::widest_spread;
pub use self::table::{Detail, run_document};
pub use self::targets::{MeasuredValue, Quantity, TargetResult, TargetVerdict, targets_document};
