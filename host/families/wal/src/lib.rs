//! The family `wal`: write-ahead logs. Its scenarios use the driver `workload` and are specified in `host/lib/wal-load`, because probes
//! and plug-ins share them.

#![forbid(unsafe_code)]

use bench_family::{Family, Shorthand, Takes};
use bench_report::{
    CellView, FamilyChart, FamilyReport, RunView, Section, interleaved_baselines, interleaved_baselines_chart,
};
use bench_sink::runfile::RunFile;

/// The name of the family.
const NAME: &str = "wal";

/// Series of a raw baseline that probes measure interleaved with the log, in the order of the report.
const BASELINES: [&str; 3] = ["raw_append", "raw_commit", "raw_scan"];

/// The family.
#[derive(Debug)]
pub struct Wal;

impl Family for Wal {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Write-ahead logs"
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&LogReport)
    }

    fn options(&self) -> &'static [Shorthand] {
        &[Shorthand {
            long: "durability",
            parameter: "durability",
            takes: Takes::Many("MODE[,MODE…]"),
            help: "When an append is durable: none, process-crash, interval, group or each, as far as the log supports it; each value makes cells of its own (same as `-p durability=…`)",
        }]
    }
}

/// What the family adds to the report of a run.
struct LogReport;

impl FamilyReport for LogReport {
    fn family(&self) -> &'static str {
        NAME
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        interleaved_baselines("wal.baselines", view, is_of_log, &BASELINES).into_iter().collect()
    }

    fn charts(&self, view: &RunView, _file: &RunFile) -> Vec<FamilyChart> {
        interleaved_baselines_chart("wal-baselines", view, is_of_log, &BASELINES).into_iter().collect()
    }
}

fn is_of_log(cell: &CellView) -> bool {
    cell.family == NAME
}
