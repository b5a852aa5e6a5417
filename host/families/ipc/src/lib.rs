//! The family `ipc`: messages between two processes over each transport of the kernel. Its scenarios use the driver `workload` and
//! are described by the probe `native-probes/ipc`.

#![forbid(unsafe_code)]

use bench_family::Family;
use bench_report::{
    CellView, FamilyChart, FamilyReport, RunView, Section, interleaved_baselines, interleaved_baselines_chart,
};
use bench_sink::runfile::RunFile;

/// The name of the family.
const NAME: &str = "ipc";

/// The series of raw round trips that the scenario `round-trips` measures interleaved with checked ones.
const BASELINES: [&str; 1] = ["bare_round_trips"];

/// The family.
#[derive(Debug)]
pub struct Ipc;

impl Family for Ipc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Messages between processes"
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&TransportReport)
    }
}

/// What the family adds to the report of a run.
struct TransportReport;

impl FamilyReport for TransportReport {
    fn family(&self) -> &'static str {
        NAME
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        interleaved_baselines("ipc.baselines", view, is_of_transport, &BASELINES).into_iter().collect()
    }

    fn charts(&self, view: &RunView, _file: &RunFile) -> Vec<FamilyChart> {
        interleaved_baselines_chart("ipc-baselines", view, is_of_transport, &BASELINES).into_iter().collect()
    }
}

/// Runs of earlier versions have the scenarios of `ipc` in another family.
fn is_of_transport(cell: &CellView) -> bool {
    cell.family == NAME || cell.scenario.starts_with("ipc/")
}
